package simulator

import (
	"fmt"
	"slices"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// machineOSPrefix comes before the name of a scenario in which MachineOSConfigs opt pools in,
// in place of the label. The scenarios, the perturbations and what has to hold are the same,
// and there are more of each: the node controller goes by what it finds, after every step.
const machineOSPrefix = "machineos:"

// hasMachineOS tells whether MachineOSConfigs opt in, in the scenario of that name.
func hasMachineOS(scenario string) bool { return strings.HasPrefix(scenario, machineOSPrefix) }

// machineOSKinds are watched there, beside the others.
var machineOSKinds = []string{"machineosconfigs", "machineosbuilds"}

// otherBuilder is why nothing may be written while somebody else is the builder.
const otherBuilder = "somebody else holds the lease"

// byMachineOSConfigs has MachineOSConfigs opt in the pools that labels do. Each config has its
// image, as with the label, unless the scenario is about what needs none.
func byMachineOSConfigs(objects []runtime.Object) []runtime.Object {
	var configs []runtime.Object
	for _, object := range withSettings(objects, constants.BuildForKey, constants.BuildForEveryConfig) {
		if pool, ok := object.(*mcfgv1.MachineConfigPool); ok && ledger.IsLayered(pool) {
			delete(pool.Labels, ctrlcommon.LayeringEnabledPoolLabel)
			configs = append(configs, buildtest.MachineOSConfig(pool.Name))
		}
	}
	return append(append(objects, buildtest.OperatorImages()), configs...)
}

// machineOSConfigs are the stored ones that refer to the pool, to look at only.
func (sim *simulation) machineOSConfigs(pool string) []*mcfgv1.MachineOSConfig {
	return slices.DeleteFunc(storedIn[*mcfgv1.MachineOSConfig](sim, "machineosconfigs"), func(c *mcfgv1.MachineOSConfig) bool { return c.Spec.MachineConfigPool.Name != pool })
}

// isOptedIn tells whether the pool is, one way or the other.
func (sim *simulation) isOptedIn(pool *mcfgv1.MachineConfigPool) bool {
	if sim.machineOS {
		return len(sim.machineOSConfigs(pool.Name)) > 0
	}
	return ledger.IsLayered(pool)
}

// optIn opts the pool worker in or out.
func optIn(in bool) func(*simulation) {
	return func(sim *simulation) {
		switch {
		case !sim.machineOS:
			editWorker(func(p *mcfgv1.MachineConfigPool) {
				delete(p.Labels, ctrlcommon.LayeringEnabledPoolLabel)
				if in {
					p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = ""
				}
			})(sim)
		case !in:
			removeMachineOSConfigs(sim)
		case len(sim.machineOSConfigs(buildtest.Worker)) == 0:
			sim.api.Put(buildtest.MachineOSConfig(buildtest.Worker, sim.anotherUID))
		}
	}
}

// anotherUID tells one MachineOSConfig from another of its name.
func (sim *simulation) anotherUID(c *mcfgv1.MachineOSConfig) {
	c.UID = types.UID(fmt.Sprintf("uid-of-mosc-%s-%d", c.Name, sim.round))
}

func removeMachineOSConfigs(sim *simulation) {
	for _, config := range sim.machineOSConfigs(buildtest.Worker) {
		sim.api.Remove("machineosconfigs", "", config.Name)
	}
}

// editMachineOSConfigs changes those of the pool worker.
func editMachineOSConfigs(edit func(*mcfgv1.MachineOSConfig)) func(*simulation) {
	return func(sim *simulation) {
		for _, config := range sim.machineOSConfigs(buildtest.Worker) {
			sim.api.EditMachineOSConfig(config.Name, func(c *mcfgv1.MachineOSConfig) {
				if c.Annotations == nil {
					c.Annotations = map[string]string{}
				}
				edit(c)
			})
		}
	}
}

func withContainerfile(content string) func(*mcfgv1.MachineOSConfig) {
	return func(c *mcfgv1.MachineOSConfig) {
		c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{ContainerfileArch: mcfgv1.NoArch, Content: content}}
	}
}

// customContent has the pool worker's image made with it.
func customContent(content string) func(*simulation) {
	return func(sim *simulation) {
		if sim.machineOS {
			editMachineOSConfigs(withContainerfile(content))(sim)
			return
		}
		sim.api.Put(buildtest.CustomContent(content))
	}
}

// toldOfMachineOS is what the MachineOSConfig of the pool tells, or else the MachineOSBuild
// that it names.
func (sim *simulation) toldOfMachineOS(pool *mcfgv1.MachineConfigPool) string {
	for _, config := range sim.machineOSConfigs(pool.Name) {
		for _, c := range config.Status.Conditions {
			if c.Status != metav1.ConditionTrue || c.Type == ledger.ConfigSeeded {
				continue
			}
			if c.Type == ledger.ConfigReady {
				c.Type = string(mcfgv1.MachineConfigPoolBuildSuccess)
			}
			return fmt.Sprintf("%s (%s): %s", c.Type, c.Reason, c.Message)
		}
		for _, build := range storedIn[*mcfgv1.MachineOSBuild](sim, "machineosbuilds") {
			if build.Name != config.Annotations[constants.CurrentBuildAnnotation] {
				continue
			}
			if c := meta.FindStatusCondition(build.Status.Conditions, string(ledger.ProgressOf(&build.Status))); c != nil {
				return fmt.Sprintf("%s (%s): %s", c.Type, c.Reason, c.Message)
			}
		}
	}
	return "nothing"
}

// isInterrupted tells whether a build of the pool that was deleted has ended with that.
func (sim *simulation) isInterrupted(pool *mcfgv1.MachineConfigPool) bool {
	return sim.machineOS && strings.HasPrefix(sim.told(pool), string(mcfgv1.MachineOSBuildInterrupted)+" ("+ledger.ReasonBuildCancelled+")")
}

// refusalOn is what the MachineOSConfigs of the pool say that is refused; empty for nothing.
func (sim *simulation) refusalOn(pool *mcfgv1.MachineConfigPool) string {
	for _, config := range sim.machineOSConfigs(pool.Name) {
		if refusal := ledger.RefusalOn(config); refusal != "" {
			return refusal
		}
	}
	return ""
}

// nodeController takes annotations away that name no MachineOSBuild of the config that the
// pool wants.
func (sim *simulation) nodeController() (progress bool) {
	if !sim.machineOS {
		return false
	}
	for _, pool := range sim.pools() {
		if !sim.api.Rollout(pool.Name).Stale {
			continue
		}
		config := sim.machineOSConfigs(pool.Name)[0]
		sim.note("node controller: %s names no MachineOSBuild of %s", config.Name, pool.Spec.Configuration.Name)
		sim.api.EditMachineOSConfig(config.Name, func(c *mcfgv1.MachineOSConfig) { delete(c.Annotations, constants.CurrentBuildAnnotation) })
		progress = true
	}
	return progress
}

// checkRollout: whoever goes by MachineOSConfigs and MachineOSBuilds waits, or goes with the
// image of a completed build for the config that the pool wants.
func (sim *simulation) checkRollout(after string) {
	if !sim.machineOS {
		return
	}
	for _, pool := range sim.pools() {
		wanted := pool.Spec.Configuration.Name
		for _, decision := range append(sim.api.OldRollout(pool.Name), sim.api.Rollout(pool.Name)) {
			if !decision.Goes {
				continue
			}
			made, known := sim.made[decision.Image]
			switch {
			case !known:
				sim.problem("14: nodes of %s are given %s, which no build made, after %s", pool.Name, decision.Image, after)
			case decision.Config != wanted || made.config != wanted && !sim.sharesImages() || made.pool != pool.Name:
				sim.problem("14: nodes of %s, which wants %s, are given what was made of %+v, after %s", pool.Name, wanted, made, after)
			}
		}
	}
	for _, build := range storedIn[*mcfgv1.MachineOSBuild](sim, "machineosbuilds") {
		if build.Labels[constants.OwnedLabel] != "" {
			sim.checkMachineOSBuild(build, after)
		}
	}
	sim.checkMachineOSConfigs(after)
}

// checkMachineOSConfigs looks at their conditions.
func (sim *simulation) checkMachineOSConfigs(after string) {
	for _, config := range storedIn[*mcfgv1.MachineOSConfig](sim, "machineosconfigs") {
		yes := 0
		for _, c := range config.Status.Conditions {
			if c.Status == metav1.ConditionTrue && c.Type != ledger.ConfigSeeded && c.Reason != ledger.ReasonRequestRefused {
				yes++
			}
		}
		if yes > 1 {
			sim.problem("10: %d conditions of MachineOSConfig %s are True, after %s", yes, config.Name, after)
		}
	}
}

func (sim *simulation) checkMachineOSBuild(build *mcfgv1.MachineOSBuild, after string) {
	if build.Labels[constants.PreBuiltImageLabel] != "true" {
		sim.problem("14: the operator's own builder would build MachineOSBuild %s, after %s", build.Name, after)
	}
	yes := 0
	for _, c := range build.Status.Conditions {
		if c.Status == metav1.ConditionTrue {
			yes++
		}
	}
	if len(build.Status.Conditions) > 0 && yes != 1 {
		sim.problem("10: %d conditions of MachineOSBuild %s are True, after %s", yes, build.Name, after)
	}
}

// sharesImages tells whether one image may do for several configs, if only for as long as the
// settings are gone that say otherwise.
func (sim *simulation) sharesImages() bool {
	return sim.scenario.shares || slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { return f.kind == "remove-settings" }) ||
		strings.Contains(sim.schedule.scenario, "missing-configmap") || strings.Contains(sim.schedule.scenario, "malformed-configmap")
}

// notBuilder is why nothing may be written; empty if it may.
func (sim *simulation) notBuilder() string {
	if sim.lostLease {
		return otherBuilder
	}
	return ""
}

// checkLease: who is not the builder writes nothing.
func (sim *simulation) checkLease(call buildtest.Call) {
	if sim.lostLease && !call.IsRead() && slices.Contains(machineOSKinds, call.Resource) {
		sim.problem("15: %s %s: somebody else is the builder", call, call.Name)
	}
}

// endOfMachineOS describes where MachineOSConfigs and MachineOSBuilds came to.
func (sim *simulation) endOfMachineOS() (lines []string) {
	for _, config := range storedIn[*mcfgv1.MachineOSConfig](sim, "machineosconfigs") {
		line := fmt.Sprintf("MachineOSConfig %s: image of %s", config.Name, sim.made[string(config.Status.CurrentImagePullSpec)].config)
		for _, c := range config.Status.Conditions {
			line += fmt.Sprintf(", %s %s %s", c.Type, c.Status, c.Reason)
		}
		lines = append(lines, line)
	}
	var builds []string
	for _, build := range storedIn[*mcfgv1.MachineOSBuild](sim, "machineosbuilds") {
		builds = append(builds, fmt.Sprintf("MachineOSBuild of %s: image of %s, %s", build.Spec.MachineConfig.Name,
			sim.made[string(build.Status.DigestedImagePushSpec)].config, ledger.ProgressOf(&build.Status)))
	}
	slices.Sort(builds)
	return append(lines, builds...)
}

// loseLease has somebody else be the builder for a few rounds.
func (sim *simulation) loseLease() {
	if sim.lostLease {
		return
	}
	tell := func(lost bool) {
		sim.lostLease = lost
		for _, p := range sim.programs {
			p.machineOS.LookAgain()
		}
	}
	tell(true)
	sim.restore(func() { tell(false) })
}

// machineOSDisturbances are those that are only there where MachineOSConfigs opt in.
var machineOSDisturbances = map[faultKind]func(*simulation){
	"edit-spec": func(sim *simulation) {
		editMachineOSConfigs(withContainerfile(fmt.Sprintf("LABEL round=%d", sim.round)))(sim)
	},
	"recreate-mosc": func(sim *simulation) {
		removeMachineOSConfigs(sim)
		sim.api.Put(buildtest.MachineOSConfig(buildtest.Worker, sim.anotherUID))
	},
	// The whole API is gone for a while, and comes back without what it had.
	"remove-api": func(sim *simulation) {
		gone := sim.api.All("machineosconfigs")
		for _, resource := range machineOSKinds {
			for _, object := range sim.api.All(resource) {
				accessor, _ := meta.Accessor(object)
				sim.api.Remove(resource, "", accessor.GetName())
			}
		}
		sim.restore(func() {
			for _, object := range gone {
				config := buildtest.MachineOSConfig(object.(*mcfgv1.MachineOSConfig).Name, sim.anotherUID)
				config.Spec = object.(*mcfgv1.MachineOSConfig).Spec
				sim.api.Put(config)
			}
		})
	},
	"second-mosc": func(sim *simulation) {
		sim.api.Put(buildtest.MachineOSConfig("second", func(c *mcfgv1.MachineOSConfig) { c.Spec.MachineConfigPool.Name = buildtest.Worker }))
		sim.restore(func() { sim.api.Remove("machineosconfigs", "", "second") })
	},
	"delete-mosb": func(sim *simulation) {
		for _, build := range sim.api.MachineOSBuilds() {
			sim.api.Remove("machineosbuilds", "", build.Name)
		}
	},
	// One for the same config that somebody else made, by hand.
	"foreign-mosb": func(sim *simulation) {
		for _, build := range sim.api.MachineOSBuilds() {
			build.Name, build.UID, build.Labels, build.OwnerReferences = "foreign-"+build.Name, "", nil, nil
			build.Status = mcfgv1.MachineOSBuildStatus{}
			sim.api.Put(build)
		}
	},
	"request": editMachineOSConfigs(func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" }),
	"lease":   (*simulation).loseLease,
}

// machineOSRewrites are what others' tools do to MachineOSConfigs (E15).
var machineOSRewrites = map[faultKind]func(*simulation){
	"strip-mosc": func(sim *simulation) {
		editMachineOSConfigs(func(c *mcfgv1.MachineOSConfig) {
			delete(c.Annotations, constants.CurrentBuildAnnotation)
			// What nobody has acted on yet is taken back by that.
			if sim.actedOn(c.Annotations[constants.RebuildRequestedAnnotation]) {
				delete(c.Annotations, constants.RebuildRequestedAnnotation)
			}
		})(sim)
	},
	"misname-mosb": editMachineOSConfigs(func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.CurrentBuildAnnotation] = "nothing" }),
}

// actedOn tells whether the newest record tells of the request.
func (sim *simulation) actedOn(request string) bool {
	pool := poolOfWorker(sim)
	if pool == nil {
		return false
	}
	record, err := ledger.ParseRecord(pool.Annotations[constants.BuildRecordAnnotation])
	return err == nil && record.Rebuild == ledger.RebuildMark(pool.Annotations[constants.RebuildRequestedAnnotation]+" "+request)
}

// machineOSScenarios are those that need MachineOSConfigs.
var machineOSScenarios = map[string]scenario{
	// A config that differs in nothing that makes another image.
	"same-image": {objects: func() []runtime.Object {
		return withSettings(layeredWorker(), constants.BuildForKey, constants.BuildForImageChanges)
	},
		outcome: succeeds, shares: true, story: []act{
			{name: "config B", when: atRest, do: wants(buildtest.ConfigB)},
			{name: "config A again", when: atRest, do: wants(buildtest.ConfigA)},
		}},
	// An administrator asks for the image to be built once more, on the MachineOSConfig.
	"request": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "a request", when: atRest, do: editMachineOSConfigs(func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })},
	}},
	// The spec is edited while the image of the one before is being built.
	"edit": {objects: layeredWorker, outcome: succeeds, ends: endsPublished, story: []act{
		{name: "an edit", when: isRunning, do: editMachineOSConfigs(withContainerfile("LABEL a=b"))},
	}},
	// What is written cannot be built, and is mended.
	"mended": {objects: layeredWorker, outcome: succeeds, story: []act{
		{name: "a mistake", when: atRest, do: editMachineOSConfigs(withContainerfile(badContent))},
		{name: "the mending", when: says(ledger.ReasonCustomContentInvalid), do: editMachineOSConfigs(withContainerfile("LABEL a=b"))},
	}},
	// Somebody deletes the build while it runs, which ends the MachineOSBuild, and asks for another.
	"interrupted": {objects: layeredWorker, outcome: func(b *buildv1.Build) outcome { return outcome{waits: true} }, ends: endsPublished, story: []act{
		{name: "deleting the build", when: isRunning, do: (*simulation).removeBuilds},
		{name: "a request", when: atRest, do: editMachineOSConfigs(func(c *mcfgv1.MachineOSConfig) { c.Annotations[constants.RebuildAnnotation] = "" })},
	}},
	// Likewise, and a tool writes the pool from a manifest of its own.
	"stripped": {objects: layeredWorker, outcome: succeeds, ends: endsInterrupted, story: []act{
		{name: "deleting the build", when: isRunning, do: (*simulation).removeBuilds}, {name: "the manifest", when: atRest, do: rewrites["strip"]},
	}},
}
