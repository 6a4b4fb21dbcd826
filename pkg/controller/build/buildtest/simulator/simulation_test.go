package simulator

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
)

var options = Flags(flag.CommandLine)

// quiet keeps the controller's log out of a test's way.
func quiet(t *testing.T) {
	t.Helper()
	state := klog.CaptureState()
	t.Cleanup(state.Restore)
	klog.SetLogger(klog.Logger{})
	// A simulation is garbage when it is over; collecting it often takes a third of
	// the time.
	percent := debug.SetGCPercent(800)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

// TestSimulation runs the scenarios under every single fault, or a sample of them,
// under pairs of faults, and under random ones.
func TestSimulation(t *testing.T) {
	quiet(t)
	if options.Schedule != "" {
		s, err := parseSchedule(options.Schedule)
		require.NoError(t, err)
		sim := traced(s)
		t.Log(sim)
		require.Empty(t, sim.problems)
		return
	}

	total, failures := 0, int64(0)
	for _, g := range options.groups() {
		all := g.schedules()
		failed := runAll(t, all)
		t.Logf("%-58s %7d schedules, %d failures", g.name, len(all), failed)
		total, failures = total+len(all), failures+failed
		if failures > 0 && options.FailFast {
			break
		}
	}
	t.Logf("%-58s %7d schedules, %d failures, seed %d", "total", total, failures, options.Seed)
}

// runAll runs the schedules on all processors, and reports the first failures in
// full.
func runAll(t *testing.T, all []schedule) (failures int64) {
	var next, failed atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) || options.FailFast && failed.Load() > 0 {
					return
				}
				if problems := newSimulation(all[i]).run(); len(problems) > 0 {
					if failed.Add(1) <= 2 {
						t.Errorf("%s", traced(all[i]))
					}
				}
			}
		})
	}
	wait.Wait()
	if failed.Load() > 0 {
		t.Fail()
	}
	return failed.Load()
}

// TestSimulationIsDeterministic: a schedule that failed fails again.
func TestSimulationIsDeterministic(t *testing.T) {
	quiet(t)
	for _, s := range append(random("", 20, 7), random(jobsPrefix, 20, 7)...) {
		first := traced(s)
		for range 5 {
			require.Equal(t, first.trace, traced(s).trace, "schedule %s", s)
		}
		parsed, err := parseSchedule(s.String())
		require.NoError(t, err)
		require.Equal(t, s.String(), parsed.String(), "the printed line replays the run")
	}
	_, err := parseSchedule("")
	require.Error(t, err)
	for _, bad := range []string{"nowhere", "good/nowhere", "happy crash", "happy crash@x", "happy xx"} {
		_, err := parseSchedule(bad)
		require.Error(t, err, fmt.Sprintf("%q is no schedule", bad))
	}
}
