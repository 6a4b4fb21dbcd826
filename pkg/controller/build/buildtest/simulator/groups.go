package simulator

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// group is the schedules of one perturbation.
type group struct {
	name      string
	schedules func() []schedule
}

func (o *Options) groups() []group {
	var all []group
	for _, backend := range o.backends() {
		b := *o
		b.prefix = backend.prefix
		if hasMachineOS(b.prefix) && b.Sampled > 1 {
			// Most of what a sample is to find, the other two find, too.
			b.Sampled *= 2
		}
		for _, g := range b.ofBackend() {
			g.name += backend.suffix
			all = append(all, g)
		}
	}
	return all
}

// backend is what builds in a group of schedules.
type backend struct{ prefix, suffix string }

// backends are those that the options choose.
func (o *Options) backends() []backend {
	builds, jobs, machineOS := backend{}, backend{jobsPrefix, ", by Jobs"}, backend{machineOSPrefix, ", MachineOSConfigs"}
	switch o.Backend {
	case "builds":
		return []backend{builds}
	case "jobs":
		return []backend{jobs}
	case "machineosconfigs":
		return []backend{machineOS}
	}
	return []backend{builds, jobs, machineOS}
}

// ofBackend are the groups in which one backend builds.
func (o *Options) ofBackend() []group {
	disturbances := deedsOf(o.prefix)
	return []group{
		{"undisturbed", o.undisturbed},
		{"E1 crash after each call", o.single(atEachCall(faultCrash))},
		{"E2 reply lost of each call", o.single(atEachCall(faultLost))},
		{"E3 each call fails once, in each way", o.single(atEachCall(callErrors...))},
		{"E4 each piece of news is late, doubled or a tombstone", o.single(atEachNews)},
		{"E5 restart on an old list at each round", o.single(atEachRound(faultOldList))},
		{"E6 another program goes ahead of each call", o.twoPrograms},
		{"E7 the environment acts at each round", o.single(atEachRound(slices.Sorted(keysOf(disturbances))...))},
		{"E8 pairs of faults on the main scenario", o.faultPairs},
		{"E9 a thousand failures in a row, then recovery", o.outages},
		{"E10 nothing but 429, or no news of a kind, for ten minutes", o.storms},
		{"E11 from each state of the inputs to each other, and a crash", o.inputPairs},
		{"E13 to do the same again is refused from each call on, in each way", o.single(atEachCall(slices.Sorted(keysOf(denials))...))},
		{"E14 the controller's clock jumps, or the next leader's differs, at each round", o.single(atEachRound(slices.Sorted(keysOf(clocks))...))},
		{"E15 others write the objects anew at each round", o.single(atEachRound(slices.Sorted(keysOf(rewritesOf(o.prefix)))...))},
		{"E12 random", func() []schedule { return random(o.prefix, o.Schedules, o.Seed) }},
	}
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

// frozenKinds are those of which nothing may be heard for ten minutes. Of pods alone it is
// not played: how a Job ended only they tell, so each attempt of that time would be taken
// for one that lost its image, which the registry is asked for where there is one.
func frozenKinds(prefix string) []string {
	return slices.DeleteFunc(slices.Clone(kindsOf(prefix)), func(kind string) bool { return kind == "pods" })
}

// scenarioNames are the scenarios that are played with every fault.
func scenarioNames(prefix string) []string {
	var names []string
	for name, s := range scenariosOf(prefix) {
		if !s.long {
			names = append(names, prefix+name)
		}
	}
	slices.Sort(names)
	return names
}

// size is how much happens in a scenario that nobody disturbs.
type size struct{ calls, news, rounds int }

func measure(name string) size {
	if known, ok := sizes.Load(name); ok {
		return known.(size)
	}
	sim := newSimulation(schedule{scenario: name})
	sim.play(func() {})
	n := size{sim.calls, sim.news, sim.round}
	sizes.Store(name, n)
	return n
}

// sizes are those of scenarios that were measured.
var sizes sync.Map

// faultsOf lists single faults of a scenario of that size.
type faultsOf func(size) []fault

func faultsAt(last int, kinds []faultKind) []fault {
	var faults []fault
	for at := 1; at <= last; at++ {
		for _, kind := range kinds {
			faults = append(faults, fault{kind, at})
		}
	}
	return faults
}

func atEachCall(kinds ...faultKind) faultsOf {
	return func(n size) []fault { return faultsAt(n.calls, kinds) }
}

func atEachRound(kinds ...faultKind) faultsOf {
	return func(n size) []fault { return faultsAt(n.rounds, kinds) }
}

func atEachNews(n size) []fault { return faultsAt(n.news, newsFaults) }

// single makes a schedule of each fault of each scenario.
func (o *Options) single(faults faultsOf) func() []schedule {
	return func() []schedule {
		var all []schedule
		for _, name := range scenarioNames(o.prefix) {
			for _, f := range faults(measure(name)) {
				all = append(all, schedule{scenario: name, faults: []fault{f}})
			}
		}
		return o.sample(all)
	}
}

// sample takes one schedule in so many.
func (o *Options) sample(all []schedule) []schedule {
	if o.Sampled <= 1 {
		return all
	}
	rng := rand.New(rand.NewPCG(o.Seed, 2))
	var some []schedule
	for _, s := range all {
		if rng.IntN(o.Sampled) == 0 {
			some = append(some, s)
		}
	}
	return some
}

func (o *Options) undisturbed() []schedule {
	var all []schedule
	for _, name := range append(scenarioNames(o.prefix), o.prefix+"stubborn") {
		all = append(all, schedule{scenario: name}, schedule{scenario: name, programs: 2})
	}
	return all
}

func (o *Options) twoPrograms() []schedule {
	var all []schedule
	for _, name := range scenarioNames(o.prefix) {
		for at := 1; at <= measure(name).calls; at++ {
			all = append(all, schedule{scenario: name, programs: 2, faults: []fault{{faultOther, at}}})
		}
	}
	if hasMachineOS(o.prefix) {
		return o.sample(all)
	}
	return all
}

// faultPairs combines any two single faults of the main scenario.
func (o *Options) faultPairs() []schedule {
	happy := o.prefix + "happy"
	n := measure(happy)
	singles := slices.Concat(
		atEachCall(append([]faultKind{faultCrash, faultLost}, callErrors...)...)(n),
		atEachNews(n),
		atEachRound(append([]faultKind{faultOldList}, slices.Sorted(keysOf(deedsOf(o.prefix)))...)...)(n))
	rng := rand.New(rand.NewPCG(o.Seed, 3))
	all := make([]schedule, 0, o.Pairs)
	for range o.Pairs {
		first, second := singles[rng.IntN(len(singles))], singles[rng.IntN(len(singles))]
		all = append(all, schedule{scenario: happy, faults: []fault{first, second}})
	}
	return all
}

func (o *Options) outages() []schedule {
	all := []schedule{{scenario: o.prefix + "stubborn"}}
	for _, name := range scenarioNames(o.prefix) {
		all = append(all, schedule{scenario: name, faults: []fault{{faultOutage, 1000}}})
	}
	return o.sample(all)
}

func (o *Options) storms() []schedule {
	var all []schedule
	for _, name := range scenarioNames(o.prefix) {
		all = append(all, schedule{scenario: name, faults: []fault{{faultStorm, 0}}})
		for at := 1; at <= measure(name).rounds; at++ {
			for _, kind := range frozenKinds(o.prefix) {
				all = append(all, schedule{scenario: name, faults: []fault{{faultKind(faultFreeze + kind), at}}})
			}
		}
	}
	return o.sample(all)
}

func (o *Options) inputPairs() []schedule {
	var pairs []schedule
	for _, from := range inputStates {
		for _, to := range inputStates {
			if from.name != to.name {
				pairs = append(pairs, schedule{scenario: o.prefix + from.name + "/" + to.name})
			}
		}
	}
	pairs = o.sample(pairs)
	var wait sync.WaitGroup
	for i := range pairs {
		wait.Go(func() { measure(pairs[i].scenario) })
	}
	wait.Wait()
	all := pairs
	for _, pair := range pairs {
		for at := 1; at <= measure(pair.scenario).calls; at++ {
			all = append(all, schedule{scenario: pair.scenario, faults: []fault{{faultCrash, at}}})
		}
	}
	return all
}

// random makes schedules of one to six faults each.
func random(prefix string, count int, seed uint64) []schedule {
	rng := rand.New(rand.NewPCG(seed, seed))
	names := scenarioNames(prefix)
	atCalls := slices.Concat([]faultKind{faultCrash, faultLost}, callErrors, slices.Sorted(keysOf(denials)))
	atRounds := append([]faultKind{faultOldList}, slices.Sorted(keysOf(deedsOf(prefix)))...)
	atRounds = append(atRounds, slices.Sorted(keysOf(rewritesOf(prefix)))...)
	atRounds = append(atRounds, slices.Sorted(keysOf(clocks))...)
	for _, kind := range frozenKinds(prefix) {
		atRounds = append(atRounds, faultKind(faultFreeze+kind))
	}
	all := make([]schedule, 0, count)
	for range count {
		s := schedule{scenario: names[rng.IntN(len(names))]}
		if rng.IntN(4) == 0 {
			s.programs = 2
		}
		for range 1 + rng.IntN(6) {
			n := measure(s.scenario)
			var f fault
			switch rng.IntN(4) {
			case 0:
				f = fault{newsFaults[rng.IntN(len(newsFaults))], 1 + rng.IntN(2*n.news)}
			case 1:
				f = fault{atRounds[rng.IntN(len(atRounds))], 1 + rng.IntN(2*n.rounds)}
			default:
				f = fault{atCalls[rng.IntN(len(atCalls))], 1 + rng.IntN(2*n.calls)}
			}
			if s.programs == 2 && f.kind == faultFreeze+"machineosconfigs" {
				// Two leaders, of which one goes by an object of the same name that is long
				// gone, take the pool from each other for as long as that lasts.
				f.kind = faultFreeze + "machineosbuilds"
			}
			if s.programs == 2 && rng.IntN(3) == 0 {
				f = fault{faultOther, 1 + rng.IntN(2*n.calls)}
			}
			s.faults = append(s.faults, f)
		}
		all = append(all, s)
	}
	return all
}
