package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// simulation runs one or two programs over the in-memory API, one step at a time,
// on a clock of its own: no goroutine, no sleep, no chance. The same schedule
// gives the same run.
type simulation struct {
	schedule schedule
	scenario scenario
	// jobs tells that Jobs build.
	jobs          bool
	jobController *buildtest.JobSystem
	// lost are pods, by name, whose node says nothing any more.
	lost map[string]bool
	// machineOS tells that MachineOSConfigs opt pools in, and lostLease that somebody else is
	// the builder. watched are the kinds that a program watches.
	machineOS, lostLease bool
	watched              []string

	api      *buildtest.API
	clock    *clocktesting.FakeClock
	programs []*program
	// story is what the environment has still to do, and acted when it did last.
	story []act
	acted time.Time

	calls, news, round int
	// committed counts what took effect, by verb and resource.
	committed map[string]int
	// failed counts the calls that an outage took.
	failed int
	// lastDisturbed is the time of the last disturbance, of the story or a fault.
	lastDisturbed time.Time
	nested        bool
	// denied is what is refused for a while; nil for nothing (yet).
	denied  *denial
	working *program

	// made remembers each image that a completed Build made, and forged the Builds that
	// somebody else made, or changed.
	made   map[string]madeImage
	forged map[string]bool
	// early are the first annotations of ours on the pool worker.
	early map[string]string
	// foreign is what belongs to others on each pool.
	foreign map[string]string
	// strippedEarly tells that a record was taken away before its image was on a MachineOSConfig.
	strippedEarly bool
	// checked is what had happened to objects when the invariants were looked at last.
	checked int
	// problems are the invariants that were broken; trace is what happened, if it
	// is recorded.
	problems []string
	tracing  bool
	trace    []string
}

type madeImage struct{ pool, poolUID, config, attempt string }

// act is one deed of the environment, done as soon as its time has come, or, if
// that is not awaited, when nothing else happens any more.
type act struct {
	name    string
	when    func(*simulation) bool
	do      func(*simulation)
	awaited bool
	// after is the time since the act before.
	after time.Duration
}

var errDead = errors.New("the process was killed")

var simStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newSimulation(s schedule) *simulation {
	sim := &simulation{
		schedule: s, scenario: scenarioOf(s.scenario), clock: clocktesting.NewFakeClock(simStart), acted: simStart, lastDisturbed: simStart,
		jobs: runsJobs(s.scenario), machineOS: hasMachineOS(s.scenario), watched: kindsOf(s.scenario), lost: map[string]bool{}, made: map[string]madeImage{}, forged: map[string]bool{}, foreign: map[string]string{}, committed: map[string]int{},
	}
	sim.api = buildtest.NewAPI(sim.clock, sim.scenario.objects()...)
	sim.jobController = buildtest.NewJobSystem(sim.api)
	sim.jobController.Refuse = sim.refusesPod
	sim.story = slices.Clone(sim.scenario.story)
	sim.api.Before = sim.beforeCall
	sim.api.Fault = sim.faultAtCall
	sim.api.LoseReply = sim.afterCall
	sim.noteForeign()
	sim.programs = []*program{newProgram(sim, sim.api.Clients)}
	for range s.programs - 1 {
		sim.programs = append(sim.programs, newProgram(sim, sim.api.NewClients()))
	}
	return sim
}

// simRounds is far beyond what any schedule needs; a run that gets there is wedged.
const simRounds = 4000

// run plays the schedule to its end and returns the problems.
func (sim *simulation) run() []string {
	defer func() {
		if r := recover(); r != nil {
			sim.problem("6: panic: %v", r)
		}
	}()
	for sim.round = 1; sim.round <= simRounds && len(sim.problems) == 0; sim.round++ {
		if sim.step() {
			continue
		}
		sim.checkEnd()
		return sim.problems
	}
	if len(sim.problems) == 0 {
		sim.problem("5: the pool does not come to rest")
	}
	return sim.problems
}

// play plays the schedule to its end, and lets someone look after each round. Of the
// end, nothing is checked.
func (sim *simulation) play(look func()) []string {
	for sim.round = 1; sim.round <= simRounds && sim.step(); sim.round++ {
		look()
	}
	return sim.problems
}

// step lets everyone act once, and tells whether anything is left to happen.
func (sim *simulation) step() bool {
	// Time never stands still: names are made of it.
	sim.clock.Step(time.Millisecond)
	progress := sim.faultAtRound()
	for i := range sim.programs {
		progress = sim.runProgram(i) || progress
	}
	if len(sim.story) > 0 && !sim.clock.Now().Before(sim.acted.Add(sim.story[0].after)) && sim.story[0].when(sim) {
		sim.goOn()
		return true
	}
	if sim.nodeController() || sim.buildSystem() || sim.api.CollectGarbage() || progress || sim.passTime() {
		return true
	}
	if len(sim.story) > 0 && !sim.story[0].awaited {
		sim.goOn()
		return true
	}
	if len(sim.story) > 0 {
		sim.problem("5: the story does not go on: %s", sim.story[0].name)
	}
	return false
}

// runProgram starts the program again if it died, and lets it act once.
func (sim *simulation) runProgram(i int) (progress bool) {
	p := sim.programs[i]
	if p.dead {
		p = newProgram(sim, p.clients)
		sim.programs[i], progress = p, true
	}
	progress = sim.restartsOnOldList(p) || progress
	progress = p.deliver() || progress
	return p.work() || progress
}

// goOn has the environment do what is next in the story.
func (sim *simulation) goOn() {
	next := sim.story[0]
	sim.story = sim.story[1:]
	sim.acted = sim.clock.Now()
	sim.act(next)
}

func (sim *simulation) act(a act) {
	sim.note("environment: %s", a.name)
	a.do(sim)
	sim.noteForeign()
	sim.lastDisturbed = sim.clock.Now()
	sim.check(a.name)
}

// longestWait is that of a build that does not begin to run, the longest one there is. It may
// begin moments after the last disturbance, when the controller sees that build.
const longestWait = 30*time.Minute + time.Second

// passTime goes on to the next instant that someone waits for.
func (sim *simulation) passTime() bool {
	var next time.Time
	earlier := func(at time.Time) {
		if at.After(sim.clock.Now()) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, p := range sim.programs {
		if at, ok := p.queue.Next(); ok {
			earlier(at)
		}
		for _, at := range p.thaw {
			earlier(at)
		}
	}
	for _, at := range sim.jobsDue() {
		earlier(at)
	}
	if len(sim.story) > 0 && sim.story[0].after > 0 {
		earlier(sim.acted.Add(sim.story[0].after))
	}
	// What is set for much later only watches over builds that have ended since.
	// The end has to be reached by now.
	if next.IsZero() || next.Sub(sim.lastDisturbed) > longestWait {
		return false
	}
	sim.clock.SetTime(next)
	return true
}

// buildSystem takes every Build one phase further.
func (sim *simulation) buildSystem() (progress bool) {
	if sim.jobs {
		return sim.jobSystem()
	}
	for _, b := range sim.builds() {
		outcome := sim.scenario.outcome(b)
		switch phase := b.Status.Phase; {
		case buildtest.Ended(b):
			continue
		case b.Status.Cancelled:
			sim.api.FailBuild(b.Name, buildv1.BuildPhaseCancelled, buildv1.StatusReasonCancelledBuild, "The build was cancelled by the user.")
		case phase == buildv1.BuildPhaseNew:
			sim.api.RunBuild(b.Name, buildv1.BuildPhasePending)
		case outcome.stuck:
			continue
		case phase == buildv1.BuildPhasePending:
			sim.api.RunBuild(b.Name, buildv1.BuildPhaseRunning)
		case outcome.slow || outcome.waits && len(sim.story) > 0:
			continue
		case outcome.reason != "":
			sim.api.FailBuild(b.Name, buildv1.BuildPhaseFailed, outcome.reason, "it failed")
		case outcome.noDigest:
			sim.api.CompleteBuild(b.Name, "")
		default:
			sim.complete(b)
		}
		sim.note("build system: %s goes on from %s", b.Name, b.Status.Phase)
		sim.lastDisturbed = sim.clock.Now()
		progress = true
	}
	return progress
}

func (sim *simulation) complete(b *buildv1.Build) {
	digest := buildtest.DigestOf(b.Name)
	sim.api.CompleteBuild(b.Name, digest)
	sim.remember(&b.ObjectMeta, digest)
}

// remember records the image that a build made.
func (sim *simulation) remember(build *metav1.ObjectMeta, digest string) {
	if sim.forged[build.Name] {
		return
	}
	sim.made[buildtest.Repository+"@"+digest] = madeImage{
		pool: build.Annotations[constants.PoolAnnotation], poolUID: string(build.OwnerReferences[0].UID),
		config: build.Annotations[constants.RenderedConfigAnnotation], attempt: build.Annotations[constants.AttemptAnnotation],
	}
}

// builds are the stored Builds, to look at only.
func (sim *simulation) builds() []*buildv1.Build {
	if sim.jobs {
		return sim.jobsAsBuilds()
	}
	return storedIn[*buildv1.Build](sim, "builds")
}

// pools are the stored pools, to look at only.
func (sim *simulation) pools() []*mcfgv1.MachineConfigPool {
	return storedIn[*mcfgv1.MachineConfigPool](sim, "machineconfigpools")
}

// storedIn are the stored objects of a resource, to look at only.
func storedIn[T runtime.Object](sim *simulation, resource string) []T {
	stored := sim.api.Stored(resource)
	objects := make([]T, 0, len(stored))
	for _, object := range stored {
		objects = append(objects, object.(T))
	}
	return objects
}

func poolOfWorker(sim *simulation) *mcfgv1.MachineConfigPool {
	for _, pool := range sim.pools() {
		if pool.Name == buildtest.Worker {
			return pool
		}
	}
	return nil
}

func editWorker(edit func(*mcfgv1.MachineConfigPool)) func(*simulation) {
	return func(sim *simulation) {
		if poolOfWorker(sim) != nil {
			sim.api.EditPool(buildtest.Worker, edit)
		}
	}
}

func removeFromNamespace(resource, name string) func(*simulation) {
	return func(sim *simulation) { sim.api.Remove(resource, ctrlcommon.MCONamespace, name) }
}

func (sim *simulation) note(format string, args ...any) {
	if sim.tracing {
		sim.trace = append(sim.trace, fmt.Sprintf("%3d %s ", sim.round, sim.clock.Now().Format(time.TimeOnly))+fmt.Sprintf(format, args...))
	}
}

func (sim *simulation) problem(format string, args ...any) {
	sim.problems = append(sim.problems, fmt.Sprintf(format, args...))
}

// traced runs the schedule once more and records what happens.
func traced(s schedule) *simulation {
	sim := newSimulation(s)
	sim.tracing = true
	sim.run()
	return sim
}

// String renders a traced run: what broke, what happened, how to see it again.
func (sim *simulation) String() string {
	if len(sim.trace) > 200 {
		sim.trace = slices.Concat(sim.trace[:100], []string{"…"}, sim.trace[len(sim.trace)-100:])
	}
	return fmt.Sprintf("%s\n\n%s\n\nreplay: go test ./pkg/controller/build/buildtest/simulator -run 'TestSimulation$' -v -schedule '%s'",
		strings.Join(sim.problems, "\n"), strings.Join(sim.trace, "\n"), sim.schedule)
}
