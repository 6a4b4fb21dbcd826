package build

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
)

var (
	replay    = flag.String("schedule", "", "run this one schedule of the simulation and print what happens")
	schedules = flag.Int("schedules", 500, "how many random schedules the simulation runs")
	seed      = flag.Uint64("seed", 1, "seed of the random schedules")
)

// TestSimulation runs the scenarios under every single fault, and under random
// ones.
func TestSimulation(t *testing.T) {
	state := klog.CaptureState()
	t.Cleanup(state.Restore)
	klog.SetLogger(klog.Logger{})

	if *replay != "" {
		s, err := parseSchedule(*replay)
		require.NoError(t, err)
		sim := newSimulation(s)
		problems := sim.run()
		t.Log(sim)
		require.Empty(t, problems)
		return
	}

	total := 0
	for _, group := range []struct {
		name      string
		schedules []schedule
	}{
		{"undisturbed", undisturbed()},
		{"E1 crash after each call", atEachCall(faultCrash)},
		{"E2 reply lost of each call", atEachCall(faultLost)},
		{"E3 each call fails once", atEachCall(callErrors...)},
		{"E4 each piece of news is late, doubled or a tombstone", atEachNews()},
		{"E5 restart on an old list at each round", atEachRound(faultOldList)},
		{"E6 another program goes ahead of each call", twoPrograms()},
		{"E7, E9 the environment acts at each round", atEachRound(slices.Sorted(keysOf(disturbances))...)},
		{"E10 nothing but 429 for ten minutes", storms()},
		{"E12 random", random(*schedules, *seed)},
	} {
		failures := runAll(t, group.schedules)
		t.Logf("%-60s %6d schedules, %d failures", group.name, len(group.schedules), failures)
		total += len(group.schedules)
	}
	t.Logf("%-60s %6d schedules, seed %d", "total", total, *seed)
}

func keysOf[V any](m map[faultKind]V) func(func(faultKind) bool) {
	return func(yield func(faultKind) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
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
				if i >= len(all) {
					return
				}
				sim := newSimulation(all[i])
				if problems := sim.run(); len(problems) > 0 {
					if failed.Add(1) <= 2 {
						t.Errorf("%s", sim)
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

func scenarioNames() []string {
	var names []string
	for name := range scenarios {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func undisturbed() []schedule {
	var all []schedule
	for _, name := range scenarioNames() {
		all = append(all, schedule{scenario: name}, schedule{scenario: name, programs: 2})
	}
	return all
}

// measure plays a scenario undisturbed to see how much happens in it.
func measure(name string) (calls, news, rounds int) {
	sim := newSimulation(schedule{scenario: name})
	sim.run()
	return sim.calls, sim.news, sim.round
}

func atEachCall(kinds ...faultKind) []schedule {
	var all []schedule
	for _, name := range scenarioNames() {
		calls, _, _ := measure(name)
		for at := 1; at <= calls; at++ {
			for _, kind := range kinds {
				all = append(all, schedule{scenario: name, faults: []fault{{kind, at}}})
			}
		}
	}
	return all
}

func atEachNews() []schedule {
	var all []schedule
	for _, name := range scenarioNames() {
		_, news, _ := measure(name)
		for at := 1; at <= news; at++ {
			for _, kind := range newsFaults {
				all = append(all, schedule{scenario: name, faults: []fault{{kind, at}}})
			}
		}
	}
	return all
}

func atEachRound(kinds ...faultKind) []schedule {
	var all []schedule
	for _, name := range scenarioNames() {
		_, _, rounds := measure(name)
		for at := 1; at <= rounds; at++ {
			for _, kind := range kinds {
				all = append(all, schedule{scenario: name, faults: []fault{{kind, at}}})
			}
		}
	}
	return all
}

func twoPrograms() []schedule {
	var all []schedule
	for _, name := range scenarioNames() {
		calls, _, _ := measure(name)
		for at := 1; at <= calls; at++ {
			all = append(all, schedule{scenario: name, programs: 2, faults: []fault{{faultOther, at}}})
		}
	}
	return all
}

func storms() []schedule {
	var all []schedule
	for _, name := range scenarioNames() {
		all = append(all, schedule{scenario: name, faults: []fault{{faultStorm, 0}}})
	}
	return all
}

// random makes schedules of one to six faults each.
func random(count int, seed uint64) []schedule {
	rng := rand.New(rand.NewPCG(seed, seed))
	names := scenarioNames()
	size := map[string][3]int{}
	for _, name := range names {
		calls, news, rounds := measure(name)
		size[name] = [3]int{calls, news, rounds}
	}
	atCalls := append([]faultKind{faultCrash, faultLost}, callErrors...)
	atRounds := append([]faultKind{faultOldList}, slices.Sorted(keysOf(disturbances))...)
	all := make([]schedule, 0, count)
	for range count {
		s := schedule{scenario: names[rng.IntN(len(names))]}
		if rng.IntN(4) == 0 {
			s.programs = 2
		}
		for range 1 + rng.IntN(6) {
			n := size[s.scenario]
			var f fault
			switch rng.IntN(4) {
			case 0:
				f = fault{newsFaults[rng.IntN(len(newsFaults))], 1 + rng.IntN(2*n[1])}
			case 1:
				f = fault{atRounds[rng.IntN(len(atRounds))], 1 + rng.IntN(2*n[2])}
			default:
				f = fault{atCalls[rng.IntN(len(atCalls))], 1 + rng.IntN(2*n[0])}
			}
			if s.programs == 2 && rng.IntN(3) == 0 {
				f = fault{faultOther, 1 + rng.IntN(2*n[0])}
			}
			s.faults = append(s.faults, f)
		}
		all = append(all, s)
	}
	return all
}

// TestSimulationIsDeterministic: a schedule that failed fails again.
func TestSimulationIsDeterministic(t *testing.T) {
	state := klog.CaptureState()
	t.Cleanup(state.Restore)
	klog.SetLogger(klog.Logger{})
	for _, s := range random(20, 7) {
		first := newSimulation(s)
		first.run()
		for range 5 {
			again := newSimulation(s)
			again.run()
			require.Equal(t, first.trace, again.trace, "schedule %s", s)
		}
		parsed, err := parseSchedule(s.String())
		require.NoError(t, err)
		require.Equal(t, s.String(), parsed.String(), "the printed line replays the run")
	}
	_, err := parseSchedule("")
	require.Error(t, err)
	for _, bad := range []string{"nowhere", "happy crash", "happy crash@x", "happy xx"} {
		_, err := parseSchedule(bad)
		require.Error(t, err, fmt.Sprintf("%q is no schedule", bad))
	}
}
