package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// simulation runs one or two programs over the in-memory API, one step at a time,
// on a clock of its own: no goroutine, no sleep, no chance. The same schedule
// gives the same run.
type simulation struct {
	schedule schedule
	api      *buildtest.API
	clock    *clocktesting.FakeClock
	programs []*program
	// story is what the environment has still to do.
	story []act

	calls, writes, news, round int
	// last is the round of the last disturbance, of the story or a fault.
	lastDisturbed time.Time
	nested        bool
	working       *program

	// made remembers each image that a completed Build made.
	made map[string]madeImage
	// published are the digests of all images that were on the pool at some time.
	published map[string]bool
	// foreign is what belongs to others on each pool.
	foreign map[string]string
	// problems are the invariants that were broken; trace is what happened.
	problems []string
	trace    []string
}

type madeImage struct{ poolUID, config string }

// act is one deed of the environment, done as soon as its time has come, or, if
// that is not awaited, when nothing else happens any more.
type act struct {
	name    string
	when    func(*simulation) bool
	do      func(*simulation)
	awaited bool
}

var errDead = errors.New("the process was killed")

func newSimulation(s schedule) *simulation {
	sim := &simulation{schedule: s, made: map[string]madeImage{}, published: map[string]bool{}, foreign: map[string]string{}}
	sim.clock = clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	sc := scenarios[s.scenario]
	sim.api = buildtest.NewAPI(sim.clock, sc.objects()...)
	sim.story = slices.Clone(sc.story)
	sim.api.Before = sim.beforeCall
	sim.api.Fault = sim.faultAtCall
	sim.api.LoseReply = sim.afterCall
	sim.noteForeign()
	for range max(1, s.programs) {
		sim.programs = append(sim.programs, newProgram(sim))
	}
	return sim
}

// simRounds is far beyond what any schedule needs; a run that gets there is wedged.
const simRounds = 2000

// run plays the schedule to its end and returns the problems.
func (sim *simulation) run() []string {
	defer func() {
		if r := recover(); r != nil {
			sim.problem("panic: %v", r)
		}
	}()
	sim.lastDisturbed = sim.clock.Now()
	for sim.round = 1; sim.round <= simRounds && len(sim.problems) == 0; sim.round++ {
		if sim.step() {
			continue
		}
		sim.checkEnd()
		return sim.problems
	}
	if len(sim.problems) == 0 {
		sim.problem("the pool does not come to rest")
	}
	return sim.problems
}

// step lets everyone act once, and tells whether anything is left to happen.
func (sim *simulation) step() bool {
	progress := sim.faultAtRound()
	for i, p := range sim.programs {
		if p.dead {
			sim.programs[i] = newProgram(sim)
			p = sim.programs[i]
			progress = true
		}
		if sim.restartsOnOldList(p) {
			progress = true
		}
		if p.deliver() {
			progress = true
		}
		if p.work() {
			progress = true
		}
	}
	if len(sim.story) > 0 && sim.story[0].when(sim) {
		sim.act(sim.story[0])
		sim.story = sim.story[1:]
		return true
	}
	if sim.buildSystem() || progress {
		return true
	}
	if len(sim.story) > 0 && !sim.story[0].awaited {
		sim.act(sim.story[0])
		sim.story = sim.story[1:]
		return true
	}
	return sim.passTime()
}

func (sim *simulation) act(a act) {
	sim.note("environment: %s", a.name)
	a.do(sim)
	sim.noteForeign()
	sim.lastDisturbed = sim.clock.Now()
	sim.check(a.name)
}

// passTime goes on to the next instant that someone waits for.
func (sim *simulation) passTime() bool {
	var next time.Time
	for _, p := range sim.programs {
		if at, ok := p.queue.next(); ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if next.IsZero() {
		if len(sim.story) > 0 {
			sim.problem("the story does not go on: %s", sim.story[0].name)
		}
		return false
	}
	if next.Sub(sim.lastDisturbed) > 30*time.Minute {
		// What is set for later only watches over builds that have ended since. The
		// end has to be reached by now.
		return false
	}
	sim.clock.SetTime(next)
	return true
}

// buildSystem takes every Build one phase further.
func (sim *simulation) buildSystem() (progress bool) {
	for _, b := range sim.api.Builds() {
		outcome := scenarios[sim.schedule.scenario].outcome(b)
		switch phase := b.Status.Phase; {
		case phase != buildv1.BuildPhaseNew && phase != buildv1.BuildPhasePending && phase != buildv1.BuildPhaseRunning:
			continue
		case b.Status.Cancelled:
			sim.api.FailBuild(b.Name, buildv1.BuildPhaseCancelled, buildv1.StatusReasonCancelledBuild, "The build was cancelled by the user.")
		case phase == buildv1.BuildPhaseNew:
			sim.api.RunBuild(b.Name, buildv1.BuildPhasePending)
		case phase == buildv1.BuildPhasePending:
			sim.api.RunBuild(b.Name, buildv1.BuildPhaseRunning)
		case outcome.hold != nil && outcome.hold(sim):
			continue
		case outcome.reason != "":
			sim.api.FailBuild(b.Name, buildv1.BuildPhaseFailed, outcome.reason, "it failed")
		case outcome.noDigest:
			sim.api.CompleteBuild(b.Name, "")
		default:
			sim.complete(b)
		}
		sim.note("build system: %s goes on from %s", b.Name, b.Status.Phase)
		progress = true
	}
	return progress
}

func (sim *simulation) complete(b *buildv1.Build) {
	digest := buildtest.Digest(int(hash(b.Name)))
	sim.api.CompleteBuild(b.Name, digest)
	sim.made[buildtest.Repository+"@"+digest] = madeImage{
		poolUID: string(b.OwnerReferences[0].UID),
		config:  b.Annotations["machineconfiguration.openshift.io/rendered-config"],
	}
}

func hash(text string) uint32 {
	h := uint32(2166136261)
	for _, c := range []byte(text) {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

func (sim *simulation) note(format string, args ...any) {
	sim.trace = append(sim.trace, fmt.Sprintf("%3d %s ", sim.round, sim.clock.Now().Format(time.TimeOnly))+fmt.Sprintf(format, args...))
}

func (sim *simulation) problem(format string, args ...any) {
	sim.problems = append(sim.problems, fmt.Sprintf(format, args...))
}

// String renders a failed run: what broke, what happened, how to see it again.
func (sim *simulation) String() string {
	return fmt.Sprintf("%s\n\n%s\n\nreplay: go test ./pkg/controller/build -run TestSimulation -schedule '%s'",
		strings.Join(sim.problems, "\n"), strings.Join(sim.trace, "\n"), sim.schedule)
}

// Faults.

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
	other.queue.Add(worker)
	other.queue.fire()
	for other.queue.Len() > 0 {
		other.ctrl.processNext(context.Background())
	}
}

func (sim *simulation) faultAtCall(call buildtest.Call) error {
	if sim.caller().dead {
		return errDead
	}
	sim.calls++
	sim.note("call %d: %s %s", sim.calls, call, call.Name)
	for _, f := range sim.schedule.faults {
		if f.at != sim.calls || errorOf(f.kind, call) == nil {
			continue
		}
		sim.note("fault: %s", f.kind)
		sim.lastDisturbed = sim.clock.Now()
		return errorOf(f.kind, call)
	}
	if sim.schedule.has(faultStorm, 0) && sim.clock.Now().Before(stormEnd) {
		sim.lastDisturbed = sim.clock.Now()
		return apierrors.NewTooManyRequests("slow down", 1)
	}
	return nil
}

func (sim *simulation) afterCall(call buildtest.Call) error {
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
func (sim *simulation) faultAtNews(p *program, kind string) faultKind {
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
			if do, ok := disturbances[f.kind]; ok {
				sim.act(act{name: "disturbance " + string(f.kind), do: do})
				done = true
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
	sim.programs[0] = newProgram(sim)
	sim.programs[0].frozen["builds"] = 4
	return true
}

func poolOfWorker(sim *simulation) *mcfgv1.MachineConfigPool {
	for _, object := range sim.api.All("machineconfigpools") {
		if pool := object.(*mcfgv1.MachineConfigPool); pool.Name == worker {
			return pool
		}
	}
	return nil
}

func editWorker(edit func(*mcfgv1.MachineConfigPool)) func(*simulation) {
	return func(sim *simulation) {
		if poolOfWorker(sim) != nil {
			sim.api.EditPool(worker, edit)
		}
	}
}

func removeFromNamespace(resource, name string) func(*simulation) {
	return func(sim *simulation) { sim.api.Remove(resource, ctrlcommon.MCONamespace, name) }
}
