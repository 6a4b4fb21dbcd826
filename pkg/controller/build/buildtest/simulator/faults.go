package simulator

import (
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// caller is the program that is at work.
func (sim *simulation) caller() *program {
	if sim.working != nil {
		return sim.working
	}
	return sim.programs[0]
}

// beforeCall looks at a call, and lets the other program go ahead of it (E6). The
// API's lock is not held here, as it is in the functions below.
func (sim *simulation) beforeCall(call buildtest.Call) {
	if sim.caller().dead {
		return
	}
	sim.checkCall(call)
	sim.checkTold(call)
	sim.checkLease(call)
	if sim.nested || len(sim.programs) < 2 || !sim.schedule.has(faultOther, sim.calls+1) {
		return
	}
	other := sim.programs[1]
	if sim.working == other {
		return
	}
	sim.nested = true
	defer func(was *program) { sim.nested, sim.working = false, was }(sim.working)
	sim.working = other
	sim.note("fault: the other program goes first")
	other.deliver()
	for _, pool := range sim.pools() {
		other.queue.Add(pool.Name)
	}
	other.queue.Fire()
	for other.queue.Len() > 0 {
		other.sync()
	}
}

func (sim *simulation) faultAtCall(call buildtest.Call) error {
	if sim.caller().dead {
		return errDead
	}
	sim.calls++
	if sim.takenByOutage() {
		return apierrors.NewInternalError(errOutage)
	}
	sim.note("call %d: %s %s", sim.calls, call, call.Name)
	for _, f := range sim.schedule.faults {
		if f.at != sim.calls || errorOf(f.kind, call) == nil {
			continue
		}
		sim.note("fault: %s", f.kind)
		sim.lastDisturbed = sim.clock.Now()
		return errorOf(f.kind, call)
	}
	if err := sim.deny(call); err != nil {
		return err
	}
	if sim.schedule.has(faultStorm, 0) && sim.clock.Now().Before(stormEnd) {
		sim.lastDisturbed = sim.clock.Now()
		return apierrors.NewTooManyRequests("slow down", 1)
	}
	return nil
}

// takenByOutage tells whether the call is one of the first ones in an outage that
// lasts for so many calls (E9).
func (sim *simulation) takenByOutage() bool {
	for _, f := range sim.schedule.faults {
		if f.kind == faultOutage && sim.failed < f.at {
			sim.failed++
			sim.lastDisturbed = sim.clock.Now()
			return true
		}
	}
	return false
}

var errOutage = errors.New("the API server is out of order")

func (sim *simulation) afterCall(call buildtest.Call) error {
	if !call.IsRead() {
		sim.committed[call.Verb+" "+call.Resource]++
	}
	if sim.schedule.has(faultLost, sim.calls) {
		sim.note("fault: the reply is lost")
		sim.lastDisturbed = sim.clock.Now()
		return apierrors.NewTimeoutError("the reply is lost", 0)
	}
	if sim.schedule.has(faultCrash, sim.calls) && !sim.nested {
		sim.note("fault: crash")
		sim.lastDisturbed = sim.clock.Now()
		sim.caller().dead = true
		return errDead
	}
	return nil
}

// faultAtNews decides on the next piece of news of a program.
func (sim *simulation) faultAtNews(kind string) faultKind {
	sim.news++
	for _, k := range []faultKind{faultLate, faultDouble, faultTombstone} {
		if sim.schedule.has(k, sim.news) {
			sim.note("fault: news of %s %s", kind, k)
			sim.lastDisturbed = sim.clock.Now()
			return k
		}
	}
	return ""
}

// faultAtRound lets the environment do something of its own (E7).
func (sim *simulation) faultAtRound() (done bool) {
	for _, f := range sim.schedule.faults {
		if f.at == sim.round {
			if kind, ok := strings.CutPrefix(string(f.kind), faultFreeze); ok {
				sim.note("fault: %s", f.kind)
				sim.lastDisturbed = sim.clock.Now().Add(freezeTime)
				sim.programs[0].thaw[kind] = sim.lastDisturbed
				done = true
			}
			for _, deeds := range []map[faultKind]func(*simulation){sim.deeds(), rewritesOf(sim.schedule.scenario), clocks} {
				if do, ok := deeds[f.kind]; ok {
					sim.strippedEarly = sim.strippedEarly || sim.machineOS && f.kind.strips() && !sim.isServed()
					sim.act(act{name: "disturbance " + string(f.kind), do: do})
					done = true
				}
			}
		}
	}
	return done
}

// restartsOnOldList replaces a program by one whose first list of a kind is old:
// empty of Builds, as a lagging replica of the API server may have it (E5).
func (sim *simulation) restartsOnOldList(p *program) bool {
	if !sim.schedule.has(faultOldList, sim.round) || p != sim.programs[0] {
		return false
	}
	sim.note("fault: restart on an old list of Builds")
	sim.lastDisturbed = sim.clock.Now()
	sim.programs[0] = newProgram(sim, p.clients)
	sim.programs[0].frozen[sim.resource()] = 4
	return true
}
