package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// theEnd is when everything is at rest.
const theEnd = "the end"

// checkEnd looks at what has to hold when everything is at rest.
func (sim *simulation) checkEnd() {
	sim.check(theEnd)
	sim.checkLeftovers()
	sim.checkResults()
	sim.checkTakenBack()
	sim.checkDifference()
	sim.checkRest()
	sim.checkCanary()
	for _, p := range sim.programs {
		if object := p.mutated(sim.kinds()...); object != "" {
			sim.problem("6: the cached object %s was changed", object)
		}
	}
}

// checkLeftovers: inputs go with the end of their Build, and everything with the
// opting out of its pool.
func (sim *simulation) checkLeftovers() {
	served := map[string]bool{}
	for _, pool := range sim.pools() {
		if sim.isOptedIn(pool) && pool.DeletionTimestamp == nil {
			served[string(pool.UID)] = true
		} else if left := traceOn(pool); left != "" && pool.DeletionTimestamp == nil {
			sim.problem("3: %s", left)
		}
	}
	active := map[string]bool{}
	for _, b := range sim.builds() {
		if !served[string(b.OwnerReferences[0].UID)] {
			sim.problem("3: the Build %s is left behind", b.Name)
		}
		active[b.Name] = !buildtest.Ended(b)
	}
	for _, name := range sim.api.InputSecrets() {
		if !active[name] {
			sim.problem("3: the inputs %s are left behind", name)
		}
	}
}

// checkResults: every pool has the image that it wants, or says why not.
func (sim *simulation) checkResults() {
	for _, pool := range sim.pools() {
		switch {
		case sim.isAltered(pool):
		case sim.schedule.ages() && sim.mayFail(pool), sim.isDeleted(pool):
		case pool.Name == buildtest.Worker && sim.scenario.ends != nil:
			if problem := sim.scenario.ends(sim); problem != "" {
				sim.problem("7: %s", problem)
			}
		case !sim.isOptedIn(pool) || sim.mayFail(pool):
		case pool.Annotations[constants.DesiredOSImageAnnotation] == "":
			sim.problem("7: the pool %s rests without an image: %s", pool.Name, sim.told(pool))
		case pool.Annotations[constants.DesiredOSImageConfigAnnotation] != pool.Spec.Configuration.Name:
			sim.problem("7: the pool %s rests without the image of %s: %s", pool.Name, pool.Spec.Configuration.Name, sim.told(pool))
		case !strings.HasPrefix(sim.told(pool), string(mcfgv1.MachineConfigPoolBuildSuccess)):
			sim.problem("7: the image of the pool %s is published, but it says %s", pool.Name, sim.told(pool))
		}
	}
}

// isAltered tells whether the pool's build failed because somebody changed it.
func (sim *simulation) isAltered(pool *mcfgv1.MachineConfigPool) bool {
	return strings.Contains(sim.told(pool), ledger.FailureAltered) &&
		slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { return f.kind == "alter-build" })
}

// isDeleted tells whether a build of the pool was deleted in a way that ends it for good.
func (sim *simulation) isDeleted(pool *mcfgv1.MachineConfigPool) bool {
	return sim.isInterrupted(pool) && slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { return f.kind == "delete-build" })
}

// mayFail tells whether a disturbance may have used up the attempts.
func (sim *simulation) mayFail(pool *mcfgv1.MachineConfigPool) bool {
	return strings.Contains(sim.told(pool), ledger.ReasonAttemptsExhausted) &&
		slices.ContainsFunc(sim.schedule.faults, func(f fault) bool {
			return sim.schedule.ages() || f.kind == "evict-build" || f.kind == "delete-build" || f.kind == "delete-pod" || f.kind == "jump"
		})
}

// end describes where everything came to, without names, times and versions, which
// differ from run to run.
type end struct {
	state string
	calls int
}

func (sim *simulation) end() end {
	var lines []string
	for _, pool := range sim.pools() {
		made := sim.made[pool.Annotations[constants.DesiredOSImageAnnotation]]
		lines = append(lines, fmt.Sprintf("pool %s: image of %s for %s, attempt %s", pool.Name, made.config, made.pool, made.attempt))
		if record, err := ledger.ParseRecord(pool.Annotations[constants.BuildRecordAnnotation]); err == nil {
			if sim.machineOS && sim.schedule.strips() {
				// A MachineOSBuild tells the claim of the first one.
				record.Attempt = 1
			}
			line := fmt.Sprintf("  record of %s, attempt %d, image %t, past", record.Config, record.Attempt, record.Image != "")
			for _, past := range record.History {
				line += " " + sim.made[past.Image].config
			}
			lines = append(lines, line)
		}
		for i := range pool.Status.Conditions {
			c := &pool.Status.Conditions[i]
			lines = append(lines, fmt.Sprintf("  %s %s %s", c.Type, c.Status, c.Reason))
		}
	}
	lines = append(lines, sim.endOfMachineOS()...)
	var builds []string
	for _, b := range sim.builds() {
		builds = append(builds, fmt.Sprintf("build of %s for %s, attempt %s: %s", b.Annotations[constants.RenderedConfigAnnotation],
			b.Annotations[constants.PoolAnnotation], b.Annotations[constants.AttemptAnnotation], b.Status.Phase))
	}
	if sim.schedule.losesBoth() {
		// That the same was built once more is seen in the Builds, and not on the pools.
		return end{strings.Join(lines, "\n"), sim.calls}
	}
	slices.Sort(builds)
	lines = append(lines, builds...)
	// Of two programs, one may be through with something before the other one finds
	// out that it is not wanted any more.
	counted := []string{"create " + sim.resource(), "delete " + sim.resource()}
	if len(sim.schedule.faults) < 2 {
		counted = append(counted, "create secrets", "delete secrets")
	}
	if sim.losesAttempt() {
		// It is made once more under the number that it had.
		counted = nil
	}
	for _, what := range counted {
		if len(sim.programs) < 2 {
			lines = append(lines, fmt.Sprintf("%s: %d", what, sim.committed[what]))
		}
	}
	return end{strings.Join(lines, "\n"), sim.calls}
}

// inputsCount is how often Secrets with inputs were made and removed.
type inputsCount struct{ created, deleted int }

func (sim *simulation) inputs() inputsCount {
	return inputsCount{sim.committed["create secrets"], sim.committed["delete secrets"]}
}

func undisturbedInputs(s schedule) inputsCount { return undisturbedRun(s).inputs() }

var undisturbedEnds sync.Map

// undisturbedRun is the scenario on its own.
func undisturbedRun(s schedule) *simulation {
	s.faults = nil
	known, ok := undisturbedEnds.Load(s.String())
	if !ok {
		sim := newSimulation(s)
		sim.play(func() {})
		known, _ = undisturbedEnds.LoadOrStore(s.String(), sim)
	}
	return known.(*simulation)
}

// undisturbedEnd is where a scenario comes to on its own. What is counted depends on
// the faults that it is compared with.
func (sim *simulation) undisturbedEnd() end {
	undisturbed := *undisturbedRun(sim.schedule)
	undisturbed.schedule.faults, undisturbed.denied, undisturbed.strippedEarly = sim.schedule.faults, sim.denied, sim.strippedEarly
	return undisturbed.end()
}

// checkDifference compares the end with that of the undisturbed run, if nobody but
// the network, the API server and the process itself disturbed it.
func (sim *simulation) checkDifference() {
	if sim.scenario.ends != nil || sim.schedule.ages() || slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { _, ok := sim.deeds()[f.kind]; return ok }) {
		return
	}
	want, got := sim.undisturbedEnd(), sim.end()
	if want.state != got.state && !sim.losesStory() {
		sim.problem("7: the end differs from that of the undisturbed run, which is\n%s\nand is\n%s", want.state, got.state)
	}
	// Of several faults, one may hold up a build whose inputs are there already: they
	// are taken back, and made again when the hold is over, at most once for each.
	before, after := undisturbedInputs(sim.schedule), sim.inputs()
	again := after.created - before.created
	if len(sim.programs) < 2 && !sim.losesStory() && !sim.schedule.losesBoth() && (again < 0 || again > len(sim.schedule.faults) || after.deleted-before.deleted != again) {
		sim.problem("7: inputs were made and removed %+v times, %+v undisturbed", after, before)
	}
	if sim.schedule.isSingle() && got.calls > 3*want.calls {
		sim.problem("9: %d calls are made, %d undisturbed", got.calls, want.calls)
	}
}

// losesStory tells whether the story meets another state of affairs than it does
// undisturbed: it goes on by the clock, or by what builds do meanwhile.
func (sim *simulation) losesStory() bool {
	return len(sim.scenario.story) > 0 && slices.ContainsFunc(sim.schedule.faults, func(f fault) bool {
		return f.kind == faultStorm || f.kind == faultOutage || denials[f.kind] != nil || strings.HasPrefix(string(f.kind), faultFreeze)
	})
}

// checkRest: at rest there is not one call, whatever the hour.
func (sim *simulation) checkRest() {
	before := sim.calls
	for minute := range 10 {
		sim.clock.Step(time.Minute)
		for _, p := range sim.programs {
			p.deliver()
			if minute%2 == 0 {
				// That nothing changed is not all that keeps it silent.
				p.builder.enqueue(imagebuilder.AllPools)
			}
			for _, pool := range sim.pools() {
				p.queue.Add(pool.Name)
			}
			p.work()
		}
	}
	if sim.calls != before {
		sim.problem("5: %d calls are made at rest", sim.calls-before)
	}
}

// checkCanary looks for the credential outside of Secrets and MachineConfigs.
func (sim *simulation) checkCanary() {
	for _, resource := range []string{"machineconfigpools", "builds", "jobs", "configmaps"} {
		for _, object := range sim.api.Stored(resource) {
			if holdsCanary(object) {
				sim.problem("8: a credential is in one of the %s", resource)
			}
		}
	}
	for _, p := range sim.programs {
		if p.announced(buildtest.Canary) {
			sim.problem("8: a credential is in an event")
		}
	}
}

func holdsCanary(object any) bool {
	switch o := object.(type) {
	case *corev1.ConfigMap:
		for _, value := range o.Data {
			if strings.Contains(value, buildtest.Canary) {
				return true
			}
		}
		return false
	case *buildv1.Build, *batchv1.Job, *mcfgv1.MachineConfigPool:
		text, err := json.Marshal(o)
		return err != nil || strings.Contains(string(text), buildtest.Canary)
	}
	return true
}
