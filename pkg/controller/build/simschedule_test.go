package build

import (
	"fmt"
	"strconv"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// schedule is one run: a scenario, how many programs take part, and the faults.
// Its text form replays it.
type schedule struct {
	scenario string
	programs int
	faults   []fault
}

// fault happens at the given call, piece of news or round, counted from 1.
type fault struct {
	kind faultKind
	at   int
}

type faultKind string

// Faults at a call.
const (
	faultCrash     faultKind = "crash"    // E1: after the call was committed
	faultLost      faultKind = "lost"     // E2: committed, but the reply is lost
	faultConflict  faultKind = "conflict" // E3, as the following: not committed
	faultBusy      faultKind = "busy"
	faultInternal  faultKind = "internal"
	faultDown      faultKind = "down"
	faultTimeout   faultKind = "timeout"
	faultForbidden faultKind = "forbidden"
	faultOther     faultKind = "other" // E6: the other program goes first
)

// Faults at a piece of news (E4).
const (
	faultLate      faultKind = "late"
	faultDouble    faultKind = "double"
	faultTombstone faultKind = "tombstone"
)

// Faults of a round; disturbances are more of them.
const (
	faultOldList faultKind = "oldlist" // E5
	faultStorm   faultKind = "storm"   // E10: at 0, all of the time
)

var callErrors = []faultKind{faultConflict, faultBusy, faultInternal, faultDown, faultTimeout, faultForbidden}
var newsFaults = []faultKind{faultLate, faultDouble, faultTombstone}

// stormEnd is ten minutes after the start of every simulation.
var stormEnd = time.Date(2026, 3, 1, 12, 10, 0, 0, time.UTC)

func errorOf(kind faultKind, call buildtest.Call) error {
	resource := schema.GroupResource{Resource: call.Resource}
	switch kind {
	case faultConflict:
		return apierrors.NewConflict(resource, call.Name, fmt.Errorf("another writer was first"))
	case faultBusy:
		return apierrors.NewTooManyRequests("slow down", 1)
	case faultInternal:
		return apierrors.NewInternalError(fmt.Errorf("etcd is unwell"))
	case faultDown:
		return apierrors.NewServiceUnavailable("down")
	case faultTimeout:
		return apierrors.NewTimeoutError("too slow", 0)
	case faultForbidden:
		return apierrors.NewForbidden(resource, call.Name, fmt.Errorf("the role is not bound"))
	}
	return nil
}

func (s schedule) has(kind faultKind, at int) bool {
	for _, f := range s.faults {
		if f.kind == kind && f.at == at {
			return true
		}
	}
	return false
}

// String is what parseSchedule reads.
func (s schedule) String() string {
	text := s.scenario
	if s.programs > 1 {
		text += " x" + strconv.Itoa(s.programs)
	}
	for _, f := range s.faults {
		text += fmt.Sprintf(" %s@%d", f.kind, f.at)
	}
	return text
}

func parseSchedule(text string) (schedule, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return schedule{}, fmt.Errorf("the schedule is empty")
	}
	s := schedule{scenario: words[0]}
	if _, ok := scenarios[s.scenario]; !ok {
		return s, fmt.Errorf("there is no scenario %q", s.scenario)
	}
	for _, word := range words[1:] {
		if count, ok := strings.CutPrefix(word, "x"); ok && !strings.Contains(word, "@") {
			n, err := strconv.Atoi(count)
			if err != nil {
				return s, fmt.Errorf("%q is no number of programs", word)
			}
			s.programs = n
			continue
		}
		kind, at, ok := strings.Cut(word, "@")
		n, err := strconv.Atoi(at)
		if !ok || err != nil {
			return s, fmt.Errorf("%q is no fault", word)
		}
		s.faults = append(s.faults, fault{faultKind(kind), n})
	}
	return s, nil
}

// scenario is a story and how builds go in it.
type scenario struct {
	objects func() []runtime.Object
	story   []act
	outcome func(*buildv1.Build) outcome
}

type outcome struct {
	reason   buildv1.StatusReason
	noDigest bool
	hold     func(*simulation) bool
}

const (
	configA = "rendered-worker-a"
	configB = "rendered-worker-b"
)

func succeeds(*buildv1.Build) outcome { return outcome{} }

func layeredWorker() []runtime.Object {
	return append(goodInputs(configA, configB), buildtest.Pool(worker).Layered().Wants(configA).
		Label("foreign", "label").Annotation("foreign", "annotation").
		Condition(mcfgv1.MachineConfigPoolUpdated, corev1.ConditionTrue, "Foreign").Object())
}

func isRunning(sim *simulation) bool {
	for _, b := range sim.api.Builds() {
		if b.Status.Phase == buildv1.BuildPhaseRunning {
			return true
		}
	}
	return false
}

func isPublished(sim *simulation) bool {
	pool := poolOfWorker(sim)
	return pool == nil || pool.Annotations[constants.DesiredOSImageConfigAnnotation] == pool.Spec.Configuration.Name && pool.Spec.Configuration.Name != ""
}

func afterRounds(n int) func(*simulation) bool {
	return func(sim *simulation) bool { return sim.round >= n }
}

func wants(config string) func(*simulation) {
	return editWorker(func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = config })
}

func optIn(in bool) func(*simulation) {
	return editWorker(func(p *mcfgv1.MachineConfigPool) {
		delete(p.Labels, ctrlcommon.LayeringEnabledPoolLabel)
		if in {
			p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = ""
		}
	})
}

// scenarios are the stories that the perturbations are laid over.
var scenarios = map[string]scenario{
	// One image.
	"happy": {objects: layeredWorker, outcome: succeeds},
	// Another config is wanted while the first one is being built.
	"supersede": {objects: layeredWorker, outcome: succeeds, story: []act{
		{"config B", isRunning, wants(configB), false},
	}},
	// Back and forth between two configs.
	"back": {objects: layeredWorker, outcome: succeeds, story: []act{
		{"config B", isPublished, wants(configB), true},
		{"config A again", isPublished, wants(configA), true},
	}},
	// Two attempts fail before the third one succeeds.
	"retry": {objects: layeredWorker, outcome: func(b *buildv1.Build) outcome {
		switch b.Annotations[constants.AttemptAnnotation] {
		case "1":
			return outcome{reason: buildv1.StatusReasonBuildPodEvicted}
		case "2":
			return outcome{noDigest: true}
		}
		return outcome{}
	}},
	// A build fails for good; another config mends it.
	"fix": {objects: layeredWorker, outcome: func(b *buildv1.Build) outcome {
		if b.Annotations[constants.RenderedConfigAnnotation] == configA {
			return outcome{reason: buildv1.StatusReasonDockerBuildFailed}
		}
		return outcome{}
	}, story: []act{
		{"config B", afterRounds(12), wants(configB), false},
	}},
	// The push secret is missing at first.
	"secret": {objects: func() []runtime.Object {
		var objects []runtime.Object
		for _, object := range layeredWorker() {
			if secret, ok := object.(*corev1.Secret); !ok || secret.Name != buildtest.PushSecret {
				objects = append(objects, object)
			}
		}
		return objects
	}, outcome: succeeds, story: []act{
		{"the push secret", afterRounds(4), func(sim *simulation) {
			sim.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
		}, false},
	}},
	// Opted out mid-build.
	"optout": {objects: layeredWorker, outcome: succeeds, story: []act{
		{"opting out", isRunning, optIn(false), false},
	}},
	// Opted out and in again.
	"flap": {objects: layeredWorker, outcome: succeeds, story: []act{
		{"opting out", isRunning, optIn(false), false},
		{"opting in", afterRounds(8), optIn(true), false},
	}},
	// The pool is deleted mid-build.
	"delete": {objects: layeredWorker, outcome: succeeds, story: []act{
		{"deleting the pool", isRunning, func(sim *simulation) { sim.api.Remove("machineconfigpools", "", worker) }, false},
	}},
}

// disturbances are deeds that the environment may do at any round (E7). The ones
// that take something away are followed by its return, see restore.
var disturbances = map[faultKind]func(*simulation){
	"delete-build": func(sim *simulation) {
		for _, b := range sim.api.Builds() {
			sim.api.Remove("builds", b.Namespace, b.Name)
		}
	},
	"evict-build": func(sim *simulation) {
		for _, b := range sim.api.Builds() {
			if b.Status.Phase == buildv1.BuildPhaseRunning {
				sim.api.FailBuild(b.Name, buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodDeleted, "the pod was deleted")
			}
		}
	},
	"delete-inputs": func(sim *simulation) {
		for _, name := range sim.api.InputSecrets() {
			sim.api.Remove("secrets", ctrlcommon.MCONamespace, name)
		}
	},
	"rotate-secret": func(sim *simulation) {
		for _, object := range sim.api.All("secrets") {
			if secret := object.(*corev1.Secret); len(secret.OwnerReferences) == 0 {
				sim.api.Put(secret)
			}
		}
	},
	"remove-settings": func(sim *simulation) {
		removeFromNamespace("configmaps", constants.ConfigMapName)(sim)
		sim.restore(func() { sim.api.Put(buildtest.SettingsConfigMap()) })
	},
	"remove-secret": func(sim *simulation) {
		removeFromNamespace("secrets", buildtest.PushSecret)(sim)
		sim.restore(func() { sim.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)) })
	},
	"spoil-record":    editWorker(func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.BuildRecordAnnotation] = "{" }),
	"remove-record":   editWorker(func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.BuildRecordAnnotation) }),
	"remove-image":    editWorker(func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.DesiredOSImageAnnotation) }),
	"wipe-conditions": editWorker(func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = nil }),
	"other-condition": editWorker(func(p *mcfgv1.MachineConfigPool) {
		p.Status.Conditions = append(p.Status.Conditions, buildtest.Pool("").Condition(mcfgv1.MachineConfigPoolUpdating, corev1.ConditionTrue, "Foreign").Object().Status.Conditions...)
	}),
	"pause": func(sim *simulation) {
		editWorker(func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = true })(sim)
		sim.restore(func() { editWorker(func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = false })(sim) })
	},
	"recreate-pool": func(sim *simulation) {
		pool := poolOfWorker(sim)
		if pool == nil {
			return
		}
		sim.api.Remove("machineconfigpools", "", worker)
		recreated := buildtest.Pool(worker).Wants(pool.Spec.Configuration.Name).Object()
		recreated.Labels = pool.Labels
		recreated.UID = pool.UID + "-again"
		sim.api.Put(recreated)
	},
	"rebuild": editWorker(func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.RebuildRequestedAnnotation] += "again " }),
	"jump":    func(sim *simulation) { sim.clock.Step(time.Hour) },
}

// restore puts something back a few rounds later, in front of the story.
func (sim *simulation) restore(do func()) {
	at := sim.round + 4
	sim.story = append([]act{{"putting it back", afterRounds(at), func(*simulation) { do() }, false}}, sim.story...)
}
