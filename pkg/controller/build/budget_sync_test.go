package build

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// noOpAllocationsBudget is how many allocations a sync makes that has nothing to do.
	noOpAllocationsBudget = 2
	// noOpLookUpsBudget is how many look-ups in a lister such a sync may take as long
	// as, in the calmest of the turns. A look-up takes 18 ns on a calm machine, so this
	// is 2 µs.
	noOpLookUpsBudget = 111
	// fullLookAllocationsBudget is how many a sync makes that looks at everything and finds
	// nothing to do, as when something changed for all pools.
	fullLookAllocationsBudget = 190
)

// TestBudgetNoOpSync is P4.
func TestBudgetNoOpSync(t *testing.T) {
	h := newSettled(t)
	ctx := context.Background()
	sync := func() { _, _ = h.ctrl.syncMachineConfigPool(ctx, worker) }
	lookUp := func() { _, _ = h.ctrl.mcpLister.Get(worker) }
	sync()
	h.api.ResetCalls()

	allocations := testing.AllocsPerRun(1000, sync)
	measured(t, "P4.allocations", allocations)
	var ratios, syncs []float64
	for range 40 {
		took := timed(1000, sync)
		ratios, syncs = append(ratios, took/timed(50000, lookUp)), append(syncs, took)
	}
	middle, low, high := median(ratios)
	measured(t, "P4.lookups", middle)
	measured(t, "P4.lookups.low", low)
	measured(t, "P4.lookups.high", high)
	middle, _, _ = median(syncs)
	measured(t, "P4.ns", middle)

	require.Empty(t, h.api.Calls())
	if !underRaceDetector {
		require.LessOrEqual(t, allocations, float64(noOpAllocationsBudget))
		require.LessOrEqual(t, low, float64(noOpLookUpsBudget), "a sync takes as long as %.0f look-ups", low)
	}
}

// TestBudgetFullLook: an edit of the ConfigMap has every pool looked at in full, and that is
// all the work there is for ten thousand of them. What is compared
// or guessed in it is compared and guessed only where that can matter.
func TestBudgetFullLook(t *testing.T) {
	h := newSettled(t)
	ctx := context.Background()
	look := func() {
		h.ctrl.memory.noteRest(worker, nil)
		_, _ = h.ctrl.syncMachineConfigPool(ctx, worker)
	}
	look()
	h.api.ResetCalls()

	allocations := testing.AllocsPerRun(1000, look)
	measured(t, "P11.allocations", allocations)
	require.Empty(t, h.api.Calls())
	if !underRaceDetector {
		require.LessOrEqual(t, allocations, float64(fullLookAllocationsBudget))
	}
}

// BenchmarkFullLook, BenchmarkNoOpSync and BenchmarkListerGet are for benchstat.
func BenchmarkFullLook(b *testing.B) {
	h := newSettled(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		h.ctrl.memory.noteRest(worker, nil)
		_, _ = h.ctrl.syncMachineConfigPool(ctx, worker)
	}
}

func BenchmarkNoOpSync(b *testing.B) {
	h := newSettled(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.ctrl.syncMachineConfigPool(ctx, worker)
	}
}

func BenchmarkListerGet(b *testing.B) {
	h := newSettled(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.ctrl.mcpLister.Get(worker)
	}
}
