package main

import (
	"context"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the controller may cost. These are what it cost when they were written down, or
// the goal where it was reached: lower them when it comes to cost less.
const (
	budgetCalls       = 9
	budgetReads       = 0
	budgetStatuses    = 1
	budgetEvents      = 1
	budgetBytes       = 5800
	budgetPoolHeap    = 0.45
	budgetConfigHeap  = 0.02
	budgetFleetCalls  = 9
	budgetFleetReads  = 1
	budgetFleetEvents = 2
	// tolerance is for what depends on when news arrives.
	tolerance = 1.1

	budgetPools   = 200
	budgetSamples = 15
)

func newBench(t *testing.T) *bench {
	t.Helper()
	percent := debug.SetGCPercent(400)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	return &bench{
		table: newTable(), began: time.Now(), out: t.TempDir(), workers: 5, content: 1000, samples: budgetSamples,
	}
}

func TestBudgetHeap(t *testing.T) {
	b := newBench(t)
	require.NoError(t, measureHeap(t.Context(), b.table, 1000, 50, 150000))
	values := b.table.Results["P5"].Values
	t.Log(b.table.Results["P5"].Measured, b.table.Results["P5"].Notes)
	require.LessOrEqual(t, values["pool"].Value, budgetPoolHeap)
	require.LessOrEqual(t, values["config"].Value, budgetConfigHeap)
}

// TestBudgetCluster: single cycles, and many at once, on a real API server.
func TestBudgetCluster(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.inWorld(t.Context(), func(ctx context.Context, w *world) error {
		if err := b.measureCycles(ctx, w); err != nil {
			return err
		}
		requireCycles(t, b.table)
		return b.requireFleet(t, w)
	}))
}

func requireCycles(t *testing.T, table *table) {
	t.Helper()
	for _, id := range []string{"P1", "P13", "P14"} {
		t.Log(id, table.Results[id].Measured, strings.Join(table.Results[id].Notes, "; "))
	}
	calls := table.Results["P1"].Values
	require.LessOrEqual(t, calls["calls"].Value, budgetCalls*tolerance)
	require.LessOrEqual(t, calls["reads"].Value, budgetReads*tolerance)
	require.LessOrEqual(t, table.Results["P13"].Values["statuses"].Value, float64(budgetStatuses))
	require.LessOrEqual(t, table.Results["P13"].Values["events"].Value, float64(budgetEvents))
	require.LessOrEqual(t, table.Results["P14"].Values["bytes"].Value, float64(budgetBytes))
}

// requireFleet has many pools converge at the same time, and restarts on them.
func (b *bench) requireFleet(t *testing.T, w *world) error {
	t.Helper()
	ctx := context.Background()
	f, err := newFleet(ctx, w, "fleet", budgetPools, b.content, true)
	if err != nil {
		return err
	}
	system, err := startBuildSystem(ctx, w.admin)
	if err != nil {
		return err
	}
	defer system.stop()
	r := &race{world: w, layered: f, system: system, workers: b.workers}
	if err := r.first(ctx); err != nil {
		return err
	}
	if _, err := r.converge(ctx, nil, ""); err != nil {
		return err
	}
	t.Log(r.perPool(), r.sent)
	calls, reads, _ := r.sent.calls()
	// The pools of single cycles converge, too.
	pools := float64(budgetPools + poolsInTurn)
	require.LessOrEqual(t, float64(calls)/pools, budgetFleetCalls*tolerance)
	require.LessOrEqual(t, float64(reads)/pools, budgetFleetReads*tolerance)
	require.LessOrEqual(t, float64(r.sent[createEvents].Calls)/pools, budgetFleetEvents*tolerance)

	_, others, err := b.restart(ctx, w, budgetPools, "")
	require.Zero(t, others, "a restart on settled pools lists and watches, and nothing else")
	return err
}
