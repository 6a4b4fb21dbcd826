package simulator

import "flag"

// Options say which schedules to run.
type Options struct {
	// Schedule is the text of the one to run and to print; empty for all that follow.
	Schedule string
	// Schedules is how many random ones there are, and Pairs how many with two faults.
	Schedules, Pairs int
	// Sampled is the number of single faults of which one is taken.
	Sampled int
	// Seed is that of all choices.
	Seed uint64
	// Backend is what is played: "builds", "jobs", "machineosconfigs", or "" for one after the other.
	Backend string
	// FailFast ends the run at the first failure.
	FailFast bool

	// prefix comes before the names of scenarios.
	prefix string
}

// Flags are the Options that the flags, which it defines in the set, are parsed into.
func Flags(set *flag.FlagSet) *Options {
	o := &Options{}
	set.StringVar(&o.Schedule, "schedule", "", "run this one schedule of the simulation and print what happens")
	set.IntVar(&o.Schedules, "schedules", 300, "how many random schedules the simulation runs")
	set.IntVar(&o.Pairs, "pairs", 200, "how many pairs of faults the simulation runs on the main scenario")
	set.IntVar(&o.Sampled, "sampled", 20, "of the single faults, run one in so many; 1 for all")
	set.Uint64Var(&o.Seed, "seed", 1, "seed of the random schedules, pairs and samples")
	set.StringVar(&o.Backend, "backend", "", "what is played: builds, jobs, machineosconfigs (which opt pools in, in place of labels), or one after the other")
	set.BoolVar(&o.FailFast, "fail-fast", false, "stop the simulation at the first failure")
	return o
}
