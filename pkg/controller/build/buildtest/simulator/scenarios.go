package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// scenario is a story and how builds go in it.
type scenario struct {
	objects func() []runtime.Object
	story   []act
	outcome func(*buildv1.Build) outcome
	// ends is what the pool worker is to come to; nil for the published image of the
	// config that it wants, or nothing of ours when it is not layered.
	ends func(*simulation) string
	// shares tells that one image may do for several configs.
	shares bool
	// long scenarios are not played with every fault.
	long bool
}

type outcome struct {
	reason   buildv1.StatusReason
	noDigest bool
	// stuck Builds never begin to run, slow ones never end, and those that wait do not
	// end before the story does.
	stuck, slow, waits bool
}

func succeeds(*buildv1.Build) outcome { return outcome{} }

func layeredWorker() []runtime.Object {
	return append(buildtest.GoodInputs(buildtest.ConfigA, buildtest.ConfigB), buildtest.Pool(buildtest.Worker).Layered().Wants(buildtest.ConfigA).
		Label("foreign", "label").Annotation("foreign", "annotation").
		Condition(mcfgv1.MachineConfigPoolUpdated, corev1.ConditionTrue, "Foreign").Object())
}

func withSettings(objects []runtime.Object, key, value string) []runtime.Object {
	for _, object := range objects {
		if configMap, ok := object.(*corev1.ConfigMap); ok {
			configMap.Data[key] = value
		}
	}
	return objects
}

func always(*simulation) bool { return true }

// atRest is for deeds that wait until nothing else happens.
func atRest(*simulation) bool { return false }

func isRunning(sim *simulation) bool {
	for _, b := range sim.builds() {
		if b.Status.Phase == buildv1.BuildPhaseRunning {
			return true
		}
	}
	return false
}

func isPublished(sim *simulation) bool {
	pool := poolOfWorker(sim)
	return pool == nil || pool.Annotations[constants.DesiredOSImageConfigAnnotation] == pool.Spec.Configuration.Name && pool.Spec.Configuration.Name != "" &&
		strings.HasPrefix(sim.told(pool), string(mcfgv1.MachineConfigPoolBuildSuccess))
}

// endsPublished is for stories that lead to the image in more than one way.
func endsPublished(sim *simulation) string {
	if !isPublished(sim) {
		return "the image is not published: the pool says " + sim.told(poolOfWorker(sim))
	}
	return ""
}

// endsWithoutBuild is for a Build that somebody deleted: it is made again, or, where a
// MachineOSConfig opts in, was ended by that.
func endsWithoutBuild(sim *simulation) string {
	if pool := poolOfWorker(sim); sim.machineOS && sim.isInterrupted(pool) {
		return ""
	}
	return endsPublished(sim)
}

// endsInterrupted is for a pool whose build somebody ended, and which nobody has changed since.
// What could not be put on record in time, since it was refused, its claim taken away or a cache
// behind, is told by nothing, and a build that a clock ended before was not ended by somebody.
func endsInterrupted(sim *simulation) string {
	pool, s := poolOfWorker(sim), sim.schedule
	untold := slices.ContainsFunc(s.faults, func(f fault) bool {
		return sim.deeds()[f.kind] != nil || rewrites[f.kind] != nil || f.kind == faultForbidden || strings.HasPrefix(string(f.kind), faultFreeze)
	})
	if untold || s.denies() || s.hides() || s.ages() || pool == nil || sim.isInterrupted(pool) {
		return ""
	}
	return "what somebody ended is not left at that: " + sim.told(pool)
}

func isBeingStopped(sim *simulation) bool {
	for _, b := range sim.builds() {
		if b.Status.Cancelled {
			return true
		}
	}
	return false
}

// says tells whether the pool's build condition has the reason.
func says(reason string) func(*simulation) bool {
	return func(sim *simulation) bool {
		pool := poolOfWorker(sim)
		return pool == nil || strings.Contains(sim.told(pool), " ("+reason+")")
	}
}

func isWithoutTraces(sim *simulation) bool {
	pool := poolOfWorker(sim)
	return pool == nil || traceOn(pool) == "" && len(sim.builds()) == 0 && len(sim.api.Stored("machineosbuilds")) == 0
}

func afterRounds(n int) func(*simulation) bool {
	return func(sim *simulation) bool { return sim.round >= n }
}

func wants(config string) func(*simulation) {
	return editWorker(func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = config })
}

// renders makes a config, now, and has the pool want it.
func renders(config string) func(*simulation) {
	return func(sim *simulation) {
		rendered := buildtest.RenderedConfig(config)
		rendered.CreationTimestamp = metav1.NewTime(sim.clock.Now())
		sim.api.Put(rendered)
		wants(config)(sim)
	}
}

// scenarios are the stories that the perturbations are laid over.
var scenarios = map[string]scenario{
	// One image.
	"happy": {objects: layeredWorker, outcome: succeeds},
	// Another config is wanted while the first one is being built.
	"supersede": {objects: layeredWorker, outcome: func(b *buildv1.Build) outcome {
		return outcome{slow: b.Annotations[constants.RenderedConfigAnnotation] == buildtest.ConfigA}
	}, story: []act{
		{name: "config B", when: isRunning, do: wants(buildtest.ConfigB)},
	}},
	// Back and forth between two configs.
	"back": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "config B", when: atRest, do: wants(buildtest.ConfigB)},
		{name: "config A again", when: atRest, do: wants(buildtest.ConfigA)},
	}},
	// Another config for a moment, for which the build of the first one is stopped.
	"waver": {objects: layeredWorker, outcome: succeeds, ends: endsPublished, story: []act{
		{name: "config B", when: isRunning, do: wants(buildtest.ConfigB)},
		{name: "config A again", when: isBeingStopped, do: wants(buildtest.ConfigA)},
	}},
	// Configs come one after the other, a second apart, while an image is published.
	"churn": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "config 1", when: atRest, do: renders("rendered-worker-1")},
		{name: "config 2", when: always, do: renders("rendered-worker-2"), awaited: true, after: time.Second},
		{name: "config 3", when: always, do: renders("rendered-worker-3"), awaited: true, after: 3 * time.Second},
		{name: "config 4", when: always, do: renders("rendered-worker-4"), awaited: true, after: 3 * time.Second},
	}},
	// An administrator asks for the image to be built once more.
	"rebuild": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "a request", when: atRest, do: editWorker(func(p *mcfgv1.MachineConfigPool) {
			p.Annotations[constants.RebuildRequestedAnnotation] = "1"
		})},
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
	// The first attempt never begins to run, and is given up.
	"stuck": {objects: func() []runtime.Object { return withSettings(layeredWorker(), constants.PendingDeadlineKey, "600") },
		outcome: func(b *buildv1.Build) outcome {
			return outcome{stuck: b.Annotations[constants.AttemptAnnotation] == "1"}
		}},
	// A build fails for good; another config mends it.
	"fix": {objects: layeredWorker, outcome: func(b *buildv1.Build) outcome {
		if b.Annotations[constants.RenderedConfigAnnotation] == buildtest.ConfigA {
			return outcome{reason: buildv1.StatusReasonDockerBuildFailed}
		}
		return outcome{}
	}, story: []act{
		{name: "config B", when: says(ledger.ReasonBuildFailed), do: wants(buildtest.ConfigB)},
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
		{name: "the push secret", when: says(ledger.ReasonSecretMissing), do: func(sim *simulation) {
			sim.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
		}},
	}},
	// Opted out mid-build.
	"optout": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "opting out", when: isRunning, do: optIn(false)},
	}},
	// Opted out and in again.
	"flap": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "opting out", when: isRunning, do: optIn(false)},
		{name: "opting in", when: isWithoutTraces, do: optIn(true)},
	}},
	// The pool is deleted mid-build.
	"delete": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "deleting the pool", when: isRunning, do: func(sim *simulation) { sim.api.Remove("machineconfigpools", "", buildtest.Worker) }},
	}},
	// Three pools, of which one may build at a time.
	"queue": {objects: func() []runtime.Object {
		return withSettings(append(layeredWorker(),
			buildtest.Pool("infra").Layered().Wants(buildtest.ConfigA).Object(),
			buildtest.Pool("storage").Layered().Wants(buildtest.ConfigB).Object()), constants.MaxConcurrentBuildsKey, "1")
	}, outcome: succeeds},
	// The first Build is deleted by hand while it runs, and nothing else happens.
	"pruned": {objects: layeredWorker, outcome: func(*buildv1.Build) outcome { return outcome{waits: true} }, ends: endsWithoutBuild, story: []act{
		{name: "deleting the Build", when: atRest, do: (*simulation).removeBuilds},
	}},
	// A hundred attempts, of which all but the last one fail.
	"stubborn": {long: true, objects: func() []runtime.Object { return withSettings(layeredWorker(), constants.MaxAttemptsKey, "100") },
		outcome: func(b *buildv1.Build) outcome {
			if b.Annotations[constants.AttemptAnnotation] != "100" {
				return outcome{reason: buildv1.StatusReasonBuildPodEvicted}
			}
			return outcome{}
		}},
}

// scenarioOf finds a scenario by name; those of changing inputs are made from it.
func scenarioOf(name string) scenario {
	found, ok := scenariosOf(name)[bare(name)]
	if !ok {
		found = inputsScenario(bare(name))
	}
	if hasMachineOS(name) && found.objects != nil {
		byLabel := found.objects
		found.objects = func() []runtime.Object { return byMachineOSConfigs(byLabel()) }
	}
	return found
}

// bare is the name without what says how it is played.
func bare(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, machineOSPrefix), jobsPrefix)
}

// scenariosOf are those that are there for names with the prefix.
func scenariosOf(prefix string) map[string]scenario {
	if !hasMachineOS(prefix) {
		return scenarios
	}
	all := maps.Clone(scenarios)
	maps.Copy(all, machineOSScenarios)
	return all
}
