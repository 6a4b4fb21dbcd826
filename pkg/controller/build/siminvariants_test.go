package build

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// check looks at the invariants that hold at every moment. With those of checkCall
// and checkEnd they are:
//
//	1  at most one Build runs for the same inputs of a pool
//	2  the published image was made by a completed Build of this pool and config
//	3  nothing of ours is left behind
//	4  what belongs to others is untouched
//	5  at rest there is not one call
//	7  the pool ends where an undisturbed run ends
//	8  credentials are nowhere but in Secrets
//	10 exactly one build condition is True
//	11 a result is recorded before the Build that proves it is deleted
func (sim *simulation) check(after string) {
	running := map[string]string{}
	for _, b := range sim.api.Builds() {
		if ended(b) || b.Status.Cancelled {
			continue
		}
		key := fmt.Sprint(b.OwnerReferences[0].UID, b.Annotations[constants.FingerprintAnnotation])
		if other, ok := running[key]; ok && !sim.losesRecord() {
			sim.problem("1: %s and %s run for the same inputs, after %s", other, b.Name, after)
		}
		running[key] = b.Name
	}

	pool := poolOfWorker(sim)
	if pool == nil {
		return
	}
	if image, ok := pool.Annotations[constants.DesiredOSImageAnnotation]; ok {
		made, ok := sim.made[image]
		switch {
		case !ok:
			sim.problem("2: the published image %s was made by no Build, after %s", image, after)
		case made.poolUID != string(pool.UID) || made.config != pool.Annotations[constants.DesiredOSImageConfigAnnotation]:
			sim.problem("2: the published image %s is of %+v, after %s", image, made, after)
		}
		_, digest, _ := strings.Cut(image, "@")
		sim.published[digest] = true
	}
	if got := foreignOf(pool); got != sim.foreign[pool.Name] {
		sim.problem("4: what belongs to others was changed from %s to %s, after %s", sim.foreign[pool.Name], got, after)
	}
	trueTypes := 0
	seen := map[mcfgv1.MachineConfigPoolConditionType]bool{}
	ours := 0
	for _, c := range pool.Status.Conditions {
		if !plan.IsOurs(c.Type) {
			continue
		}
		ours++
		if seen[c.Type] {
			sim.problem("10: the condition %s occurs twice, after %s", c.Type, after)
		}
		seen[c.Type] = true
		if c.Status == corev1.ConditionTrue && c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded {
			trueTypes++
		}
	}
	if ours > 0 && (trueTypes != 1 || ours != 6) {
		sim.problem("10: of %d conditions of ours %d are True, after %s", ours, trueTypes, after)
	}
}

// losesRecord tells whether someone takes the controller's record away. If the
// cache does not show the build at that moment either, a second one starts before
// the first one is seen, and stopped.
func (sim *simulation) losesRecord() bool {
	return slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { return f.kind == "remove-record" || f.kind == "spoil-record" })
}

func ended(b *buildv1.Build) bool {
	switch b.Status.Phase {
	case buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning:
		return false
	}
	return true
}

// checkCall looks at a call before it is carried out.
func (sim *simulation) checkCall(call buildtest.Call) {
	if call.Verb == "patch" || call.Verb == "delete" || call.Verb == "create" {
		sim.writes++
		if call.Resource == "configmaps" || call.Resource == "machineconfigs" || call.Resource == "controllerconfigs" {
			sim.problem("4: %s %s: it belongs to others", call, call.Name)
		}
	}
	pool := poolOfWorker(sim)
	if pool == nil || call.Verb != "delete" || call.Resource != "builds" || !ctrlcommon.IsLayeredPool(pool) {
		return
	}
	for _, b := range sim.api.Builds() {
		if b.Name != call.Name || b.Status.Phase != buildv1.BuildPhaseComplete || b.Status.Output.To == nil {
			continue
		}
		if b.OwnerReferences[0].UID == pool.UID && b.Annotations[constants.RenderedConfigAnnotation] == pool.Spec.Configuration.Name &&
			!strings.Contains(pool.Annotations[constants.BuildRecordAnnotation], b.Status.Output.To.ImageDigest) && !sim.published[b.Status.Output.To.ImageDigest] {
			sim.problem("11: %s is deleted before its result is recorded", b.Name)
		}
	}
}

// checkEnd looks at what has to hold when everything is at rest.
func (sim *simulation) checkEnd() {
	sim.check("the end")
	pool := poolOfWorker(sim)
	layered := pool != nil && ctrlcommon.IsLayeredPool(pool)
	for _, name := range sim.api.InputSecrets() {
		if !layered || !slices.ContainsFunc(sim.api.Builds(), func(b *buildv1.Build) bool { return b.Name == name && !ended(b) }) {
			sim.problem("3: the inputs %s are left behind", name)
		}
	}
	if !layered {
		for _, b := range sim.api.Builds() {
			sim.problem("3: the Build %s is left behind", b.Name)
		}
	}
	if pool != nil && !layered {
		for key := range pool.Annotations {
			if key != "foreign" && key != constants.RebuildRequestedAnnotation {
				sim.problem("3: the annotation %s is left behind", key)
			}
		}
		for _, c := range pool.Status.Conditions {
			if plan.IsOurs(c.Type) {
				sim.problem("3: the condition %s is left behind", c.Type)
			}
		}
	}
	if layered && !sim.expectsFailure() {
		if pool.Annotations[constants.DesiredOSImageConfigAnnotation] != pool.Spec.Configuration.Name {
			sim.problem("7: the pool rests without the image of %s: %s", pool.Spec.Configuration.Name, trueCondition(pool))
		} else if !strings.HasPrefix(trueCondition(pool), string(mcfgv1.MachineConfigPoolBuildSuccess)) {
			sim.problem("7: the image is published, but the pool says %s", trueCondition(pool))
		}
	}

	// At rest there is not one call, whatever the hour.
	before := sim.calls
	for range 10 {
		sim.clock.Step(time.Minute)
		for _, p := range sim.programs {
			p.deliver()
			p.queue.Add(worker)
			p.work()
		}
	}
	if sim.calls != before {
		sim.problem("5: %d calls are made at rest", sim.calls-before)
	}
	sim.checkCanary()
}

// expectsFailure tells whether the undisturbed run, too, may end without an image:
// a disturbance may use up attempts, or stop a build as a person would.
func (sim *simulation) expectsFailure() bool {
	pool := poolOfWorker(sim)
	condition := trueCondition(pool)
	if sim.schedule.scenario == "retry" && strings.Contains(condition, plan.ReasonAttemptsExhausted) {
		return slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { return f.kind == "evict-build" || f.kind == "delete-build" })
	}
	return false
}

func trueCondition(pool *mcfgv1.MachineConfigPool) string {
	for _, c := range pool.Status.Conditions {
		if plan.IsOurs(c.Type) && c.Status == corev1.ConditionTrue && c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded {
			return fmt.Sprintf("%s (%s): %s", c.Type, c.Reason, c.Message)
		}
	}
	return "nothing"
}

// checkCanary looks for the credential outside of Secrets and MachineConfigs.
func (sim *simulation) checkCanary() {
	for _, resource := range []string{"machineconfigpools", "builds", "configmaps"} {
		for _, object := range sim.api.All(resource) {
			if text, err := json.Marshal(object); err != nil || strings.Contains(string(text), buildtest.Canary) {
				sim.problem("8: a credential is in one of the %s", resource)
			}
		}
	}
	for _, p := range sim.programs {
		for {
			select {
			case event := <-p.recorder.Events:
				if strings.Contains(event, buildtest.Canary) {
					sim.problem("8: a credential is in an event")
				}
				continue
			default:
			}
			break
		}
	}
}

// noteForeign takes down what belongs to others, after they acted.
func (sim *simulation) noteForeign() {
	for _, object := range sim.api.All("machineconfigpools") {
		pool := object.(*mcfgv1.MachineConfigPool)
		sim.foreign[pool.Name] = foreignOf(pool)
	}
}

func foreignOf(pool *mcfgv1.MachineConfigPool) string {
	pool = pool.DeepCopy()
	annotations := maps.Clone(pool.Annotations)
	for _, ours := range ourAnnotations {
		delete(annotations, ours)
	}
	text, err := json.Marshal([]any{pool.Labels, annotations, pool.Spec, plan.WithoutOurs(pool.Status.Conditions), pool.OwnerReferences, pool.Finalizers})
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(text), "{}", "null")
}
