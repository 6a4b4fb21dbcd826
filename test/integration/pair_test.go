package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTwoControllers: two processes that both work, for nothing elects a leader
// between them unless --leader-elect is given. They cost each other conflicts,
// but nothing is built twice and no wrong image is published.
func TestTwoControllers(t *testing.T) {
	useSettings(t)
	random := newRandom(t)
	buildsTakeTime(t, random, 100*time.Millisecond)
	f := startFleet(t, "paired-", 5)
	f.more = func() bool { return f.given < 40 }
	_, mark := auditLines(t, 0)
	first := startController(t, gateOn)
	// On an older API server, caches are filled by lists. Without this line no
	// test would use the permission to.
	t.Setenv("KUBE_FEATURE_WatchListClient", "false")
	second := startController(t, gateOn)
	require.True(t, f.servedBy(first, nil))
	f.witness.verdict()

	requests, _ := auditLines(t, mark)
	conflicts := 0
	for _, request := range requests {
		if strings.HasSuffix(request, " 409") {
			conflicts++
		}
	}
	t.Logf("%d configs, %d requests, of which %d met with a conflict", f.given, len(requests), conflicts)
	require.Positive(t, conflicts, "the two never met: this proves nothing")
	first.stop()
	second.stop()
}
