package build

import (
	"flag"
	"math"
	"slices"
	"strconv"
	"testing"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// The tests whose names begin with TestBudget measure what the controller costs, and
// fail when that is more than it was. They count: calls, allocations, bytes. What takes
// time is only ever compared with something else that is timed in turns with it. What
// they measure they also tell as an attribute of the test, which `make bench` collects,
// with larger numbers of pools and cycles.
var (
	crowdSize  = flag.Int("crowd", 300, "how many pools are at rest, or refused, at the same time")
	cycleCount = flag.Int("cycles", 600, "how many cycles of builds must leave nothing behind")
)

// measured tells a number of the performance table.
func measured(t testing.TB, key string, value float64) {
	t.Helper()
	t.Attr(key, strconv.FormatFloat(value, 'g', 6, 64))
}

// silent turns the controller's log off for a test.
func silent(t testing.TB) {
	t.Helper()
	state := klog.CaptureState()
	t.Cleanup(state.Restore)
	klog.SetLogger(klog.Logger{})
}

// newSettled is a harness with one pool whose image is published.
func newSettled(t testing.TB) *harness {
	t.Helper()
	silent(t)
	h := newHarness(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	h.settle(worker)
	h.complete(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
	h.api.ResetCalls()
	return h
}

// timed is how many nanoseconds the function takes, on average of n times.
func timed(n int, do func()) float64 {
	watch := clock.RealClock{}
	start := watch.Now()
	for range n {
		do()
	}
	return float64(watch.Since(start).Nanoseconds()) / float64(n)
}

// median of the samples, and the interval that holds it in 95 of 100 cases.
func median(samples []float64) (middle, low, high float64) {
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	// For so many samples the normal approximation of the order statistics does.
	margin := int(0.98*math.Sqrt(float64(n))) + 1
	return sorted[n/2], sorted[max(n/2-margin, 0)], sorted[min(n/2+margin, n-1)]
}
