package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation"
)

// longestName is that of any object whose name is a DNS subdomain, as a pool's is.
const longestName = 253

// TestL12PoolNames: a pool of every length of name, all beginning alike, with
// dots and dashes where they may be.
func TestL12PoolNames(t *testing.T) {
	useSettings(t)
	// Not what is tested here.
	startBuildController(t, "--kube-api-qps=1000", "--kube-api-burst=1000")
	w := startWitness(t, "x")
	config := createConfig(t)
	began := time.Now()
	for length := 1; length <= longestName; length++ {
		createPool(t, poolName(length), config)
	}
	w.await("all pools are seen", func() bool { return len(w.pools) == longestName })
	w.verdict()
	t.Logf("%d pools in %s", longestName, time.Since(began).Round(time.Second))

	w.mu.Lock()
	defer w.mu.Unlock()
	names := map[string]bool{}
	for _, build := range w.builds {
		pool := build.Annotations[poolKey]
		names[pool] = true
		label := build.Labels[poolKey]
		require.NotEmpty(t, label, pool)
		require.Empty(t, validation.IsValidLabelValue(label), pool)
		require.Empty(t, validation.IsDNS1123Label(build.Name+"-build"), "the build's pod, and its volumes, are named after it")
		if len(pool) <= validation.LabelValueMaxLength {
			require.Equal(t, pool, label, "people select on it")
		}
	}
	require.Len(t, names, longestName, "every pool has a Build of its own")
}

// poolName is a valid name of that length.
func poolName(length int) string {
	const pattern = "x-y.z"
	name := strings.Repeat(pattern, length/len(pattern)+1)[:length]
	if length > 1 {
		name = name[:length-1] + "0"
	}
	return name
}
