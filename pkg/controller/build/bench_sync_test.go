package build

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// The goals for a sync that has nothing to do, and what a look-up in a lister takes
// on the machine that they were set for. The time is compared with that of a
// look-up on this machine, never on its own.
const (
	maxNoOpAllocations = 8
	maxNoOpTime        = 2 * time.Microsecond
	lookUpTime         = 18 * time.Nanosecond
)

// newSettled is a harness with one pool whose image is published, and no log.
func newSettled(t testing.TB) *harness {
	t.Helper()
	state := klog.CaptureState()
	t.Cleanup(state.Restore)
	klog.SetLogger(klog.Logger{})
	h := newHarness(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	h.settle(worker)
	h.complete(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
	h.api.ResetCalls()
	return h
}

// BenchmarkNoOpSync is P4: a sync of a settled pool, and next to it looking the
// pool up in the lister, many times each in turns.
func BenchmarkNoOpSync(b *testing.B) {
	h := newSettled(b)
	ctx := context.Background()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.ctrl.syncMachineConfigPool(ctx, worker)
	}
	runtime.ReadMemStats(&after)
	require.Empty(b, h.api.Calls())

	ratios, syncs := noOpRatios(h, 21)
	b.ReportMetric(median(ratios), "x-lookup")
	b.ReportMetric(median(syncs), "ns/sync")
}

// noOpRatios times syncs against look-ups, in so many pairs.
func noOpRatios(h *harness, pairs int) (ratios, syncs []float64) {
	ctx := context.Background()
	const ofSyncs, ofLookUps = 2000, 200000
	for range pairs {
		sync := timed(ofSyncs, func() { _, _ = h.ctrl.syncMachineConfigPool(ctx, worker) })
		lookUp := timed(ofLookUps, func() { _, _ = h.ctrl.mcpLister.Get(worker) })
		ratios, syncs = append(ratios, sync/lookUp), append(syncs, sync)
	}
	return ratios, syncs
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

func median(samples []float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[len(sorted)/2]
}
