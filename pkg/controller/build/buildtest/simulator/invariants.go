package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// check looks at the invariants that hold at every moment. With those of checkCall
// and checkEnd they are:
//
//	1  at most one Build runs for the same inputs of a pool
//	2  the published image was made by a completed Build of this pool and config, as the
//	   controller made it, and never goes back to an older one of the same config
//	3  nothing of ours is left behind
//	4  what belongs to others is untouched
//	5  the pool comes to rest, and at rest there is not one call
//	6  no panic, no cached object is changed
//	7  the end is that of the undisturbed run, and as many objects were made and removed
//	8  credentials are nowhere but in Secrets
//	9  the calls are at most three times those of the undisturbed run
//	10 exactly one build condition is True, and none twice
//	11 a result is recorded before the Build that proves it is deleted
//	12 what is refused for two minutes is on a pool, and what is not refused any more is not
//	13 no wait is longer than its own length: the end is reached half an hour after the last
//	   disturbance
//	14 where MachineOSConfigs opt in, nodes are given the image of a completed build for the
//	   config that the pool wants, or wait
//	15 there, who is not the builder writes nothing
func (sim *simulation) check(after string) {
	if changes := sim.api.Changes(""); changes != sim.checked || after == theEnd {
		sim.checked = changes
		sim.checkStored(after)
	}
	sim.noteTold()
}

// checkStored looks at what is stored.
func (sim *simulation) checkStored(after string) {
	running := map[string]string{}
	for _, b := range sim.builds() {
		if buildtest.Ended(b) || b.Status.Cancelled || sim.isFailing(b) || sim.forged[b.Name] {
			continue
		}
		key := fmt.Sprint(b.OwnerReferences[0].UID, b.Annotations[constants.FingerprintAnnotation])
		if other, ok := running[key]; ok && !sim.losesRecord() {
			sim.problem("1: %s and %s run for the same inputs, after %s", other, b.Name, after)
		}
		running[key] = b.Name
	}
	for _, pool := range sim.pools() {
		sim.checkPool(pool, after)
		sim.noteEarly(pool)
	}
	sim.checkRollout(after)
}

func (sim *simulation) checkPool(pool *mcfgv1.MachineConfigPool, after string) {
	if image, ok := pool.Annotations[constants.DesiredOSImageAnnotation]; ok {
		made, ok := sim.made[image]
		switch {
		case !ok:
			sim.problem("2: the published image %s was made by no Build, after %s", image, after)
		case made.poolUID != string(pool.UID) && !sim.machineOS || made.config != pool.Annotations[constants.DesiredOSImageConfigAnnotation] && !sim.sharesImages():
			sim.problem("2: the published image %s is of %+v, after %s", image, made, after)
		}
	}
	if got := foreignOf(pool); got != sim.foreign[pool.Name] {
		sim.problem("4: what belongs to others was changed from %s to %s, after %s", sim.foreign[pool.Name], got, after)
	}
	sim.checkConditions(pool, after)
}

// checkConditions looks at the conditions of ours.
func (sim *simulation) checkConditions(pool *mcfgv1.MachineConfigPool, after string) {
	trueTypes, ours := 0, 0
	seen := map[mcfgv1.MachineConfigPoolConditionType]bool{}
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if !ledger.IsOurs(c.Type) {
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
	if sim.machineOS {
		if after == theEnd && sim.isOptedIn(pool) && (trueTypes > 0 || ours > 1) {
			sim.problem("10: there are %d conditions of ours on the pool, of which its MachineOSConfig has the rest, after %s", ours, after)
		}
		return
	}
	if ours > 0 && (trueTypes != 1 || ours != 6) {
		sim.problem("10: of %d conditions of ours %d are True, after %s", ours, trueTypes, after)
	}
}

// losesRecord tells whether someone takes the controller's record away. If the
// cache does not show the build at that moment either, a second one starts before
// the first one is seen, and stopped. The same goes for one that was given up, and
// that the cluster refuses to have stopped.
func (sim *simulation) losesRecord() bool {
	return slices.ContainsFunc(sim.schedule.faults, func(f fault) bool { return f.kind == "remove-record" || f.kind == "spoil-record" }) ||
		sim.schedule.losesBoth() || sim.schedule.hides() && sim.denied.isOfStops()
}

// losesBoth tells whether a tool may take the record away while the cache lacks the build
// that it could be found again from.
func (s schedule) losesBoth() bool {
	return s.strips() && s.hides()
}

// losesAttempt tells whether a tool may take the record away while nothing of the attempt
// could be written that it could be found again from. What is left is the last attempt's
// build, and a stopped one is not kept; a MachineOSBuild is believed once its image is on the
// MachineOSConfig, which all that is denied before delays.
func (sim *simulation) losesAttempt() bool {
	return sim.schedule.strips() && sim.denied != nil && (sim.denied.like.Verb == "create" || sim.strippedEarly)
}

// strips tells whether a tool may take the record away.
func (s schedule) strips() bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool { return f.kind.strips() })
}

func (k faultKind) strips() bool { return k == "strip" || k == "strip-record" || k == "bring-back" }

// isServed tells whether the image on record is on a MachineOSConfig.
func (sim *simulation) isServed() bool {
	pool := poolOfWorker(sim)
	if pool == nil {
		return false
	}
	record, err := ledger.ParseRecord(pool.Annotations[constants.BuildRecordAnnotation])
	return err == nil && record.Succeeded() && slices.ContainsFunc(sim.api.Stored("machineosconfigs"), func(object runtime.Object) bool {
		return string(object.(*mcfgv1.MachineOSConfig).Status.CurrentImagePullSpec) == record.Image
	})
}

// hides tells whether the cache may lack a build for a while.
func (s schedule) hides() bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool {
		return f.kind == faultOldList || f.kind == faultLate || f.kind == faultTombstone || f.kind == faultFreeze+"builds" || f.kind == faultFreeze+"jobs" || f.kind == faultFreeze+"pods"
	})
}

// checkCall looks at a call before it is carried out.
func (sim *simulation) checkCall(call buildtest.Call) {
	if !call.IsRead() && (call.Resource == "configmaps" || call.Resource == "machineconfigs" || call.Resource == "controllerconfigs") {
		sim.problem("4: %s %s: it belongs to others", call, call.Name)
	}
	if call.Verb != "delete" || call.Resource != sim.resource() {
		return
	}
	for _, b := range sim.builds() {
		if b.Name == call.Name && b.Status.Phase == buildv1.BuildPhaseComplete && b.Status.Output.To != nil && !sim.forged[b.Name] {
			sim.checkRecorded(b)
		}
	}
}

// checkRecorded looks for the image of a Build that is about to be deleted.
func (sim *simulation) checkRecorded(b *buildv1.Build) {
	digest := b.Status.Output.To.ImageDigest
	for _, pool := range sim.pools() {
		if b.OwnerReferences[0].UID == pool.UID && sim.isOptedIn(pool) && pool.DeletionTimestamp == nil &&
			b.Annotations[constants.RenderedConfigAnnotation] == pool.Spec.Configuration.Name &&
			pool.Annotations[constants.DesiredOSImageConfigAnnotation] != pool.Spec.Configuration.Name && (!sim.machineOS || !isOfOthers(b, pool)) &&
			!strings.Contains(pool.Annotations[constants.BuildRecordAnnotation], digest) && !sim.losesRecord() {
			sim.problem("11: %s is deleted before its result is recorded", b.Name)
		}
	}
}

// isOfOthers tells whether the build is of other inputs than the newest attempt: those of a
// spec that was edited since are as good as another config's.
func isOfOthers(b *buildv1.Build, pool *mcfgv1.MachineConfigPool) bool {
	record, err := ledger.ParseRecord(pool.Annotations[constants.BuildRecordAnnotation])
	return err == nil && record.Fingerprint != b.Annotations[constants.FingerprintAnnotation]
}

// told is what is told of the pool: the type, reason and message of the condition that is
// True, in the terms of pools.
func (sim *simulation) told(pool *mcfgv1.MachineConfigPool) string {
	if sim.machineOS {
		return sim.toldOfMachineOS(pool)
	}
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if ledger.IsOurs(c.Type) && c.Status == corev1.ConditionTrue && c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded {
			return fmt.Sprintf("%s (%s): %s", c.Type, c.Reason, c.Message)
		}
	}
	return "nothing"
}

// traceOn is something of ours on the pool; empty for nothing.
func traceOn(pool *mcfgv1.MachineConfigPool) string {
	for _, annotation := range constants.PoolAnnotations() {
		if _, ok := pool.Annotations[annotation]; ok {
			return "the annotation " + annotation + " is left behind"
		}
	}
	for i := range pool.Status.Conditions {
		if c := &pool.Status.Conditions[i]; ledger.IsOurs(c.Type) {
			return "the condition " + string(c.Type) + " is left behind"
		}
	}
	return ""
}

// noteForeign records what belongs to others, after they acted.
func (sim *simulation) noteForeign() {
	for _, pool := range sim.pools() {
		sim.foreign[pool.Name] = foreignOf(pool)
	}
}

func foreignOf(pool *mcfgv1.MachineConfigPool) string {
	annotations := maps.Clone(pool.Annotations)
	for _, ours := range constants.PoolAnnotations() {
		delete(annotations, ours)
	}
	text, err := json.Marshal([]any{pool.Labels, annotations, pool.Spec, ledger.WithoutOurs(pool.Status.Conditions), pool.OwnerReferences, pool.Finalizers})
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(text), "{}", "null")
}
