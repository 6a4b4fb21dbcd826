package build

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBackOff: a pool whose sync fails for ten minutes is tried some ten times,
// not hundreds, and pools that fail together drift apart.
func TestBackOff(t *testing.T) {
	config := DefaultConfig()
	limiter, again := newBackOff(config), newBackOff(config)
	var total, before time.Duration
	tries := 0
	for ; total < 10*time.Minute; tries++ {
		delay := limiter.When("worker")
		require.Equal(t, delay, again.When("worker"), "it is no matter of chance")
		require.LessOrEqual(t, delay, config.MaxRetryDelay*6/5)
		require.GreaterOrEqual(t, delay, min(before*2*5/6, config.MaxRetryDelay), "it doubles, but for the jitter")
		total, before = total+delay, delay
	}
	require.Less(t, tries, 20)
	require.NotEqual(t, newBackOff(config).When("worker"), newBackOff(config).When("infra"))

	limiter.Forget("worker")
	require.Less(t, limiter.When("worker"), time.Second, "success starts over")
}
