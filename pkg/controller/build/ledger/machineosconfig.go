package ledger

import (
	"cmp"
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// MachineOSConfig is what such an object says: what it asks for, and what stands on it.
type MachineOSConfig struct {
	inputs.MachineOSConfig
	UID types.UID
	// Pool is the name of the pool that it refers to.
	Pool string
	// RebuildRequested is the request for a rebuild: that which was made of a person's, or is
	// about to be.
	RebuildRequested string
	// PreBuilt is the image that somebody names to begin with, and AsksPreBuilt tells that
	// somebody does.
	PreBuilt     string
	AsksPreBuilt bool
	// Image is the one that nodes are given, and Seeded tells that there was one to begin with.
	Image  string
	Seeded bool
}

// ReadMachineOSConfig reads what stands on one.
func ReadMachineOSConfig(object *mcfgv1.MachineOSConfig) MachineOSConfig {
	spec := &object.Spec
	c := MachineOSConfig{
		UID: object.UID, Pool: spec.MachineConfigPool.Name, RebuildRequested: object.Annotations[constants.RebuildRequestedAnnotation],
		MachineOSConfig: inputs.MachineOSConfig{
			Name: object.Name, BuilderType: string(spec.ImageBuilder.ImageBuilderType),
			PushSecret: spec.RenderedImagePushSecret.Name, PushSpec: string(spec.RenderedImagePushSpec), Containerfiles: map[string]string{},
		},
	}
	c.PreBuilt, c.AsksPreBuilt = object.Annotations[constants.PreBuiltImageAnnotation]
	c.Image = string(object.Status.CurrentImagePullSpec)
	c.Seeded = meta.IsStatusConditionTrue(object.Status.Conditions, ConfigSeeded)
	if _, asks := object.Annotations[constants.RebuildAnnotation]; asks {
		c.RebuildRequested = requestAt(object)
	}
	if spec.BaseImagePullSecret != nil {
		c.PullSecret = spec.BaseImagePullSecret.Name
	}
	for i := range spec.Containerfile {
		architecture := string(spec.Containerfile[i].ContainerfileArch)
		if architecture == "" {
			architecture = inputs.AnyArchitecture
		}
		c.Containerfiles[architecture] = spec.Containerfile[i].Content
	}
	return c
}

// RefusalOn is what the MachineOSConfig tells that the cluster refuses; empty for nothing.
func RefusalOn(object *mcfgv1.MachineOSConfig) string {
	c := meta.FindStatusCondition(object.Status.Conditions, ConfigDegraded)
	if c == nil || c.Status != metav1.ConditionTrue || c.Reason != ReasonRequestRefused {
		return ""
	}
	return c.Message
}

// IsToBegin tells whether the image that somebody names counts: nodes have not been given one.
func (c *MachineOSConfig) IsToBegin() bool { return c.AsksPreBuilt && c.Image == "" }

// Types of the conditions of a MachineOSConfig. Nobody else writes any of them.
const (
	// ConfigSeeded means: it began with an image that was built before. The operator keeps a
	// MachineConfig for as long as it is there.
	ConfigSeeded = "Seeded"
	// configPreBuiltImageSeeded is its reason.
	configPreBuiltImageSeeded = "PreBuiltImageSeeded"

	// ConfigReady means: the image of what is wanted is on the object.
	ConfigReady = "Ready"
	// ConfigProgressing means: it is being made, and nothing needs to be done for it.
	ConfigProgressing = "Progressing"
	// ConfigDegraded means: something has to be mended. That the cluster refuses a request is
	// told here, whatever the others tell.
	ConfigDegraded = "Degraded"

	// ConfigBuilding is the reason of ConfigProgressing while a build is under way.
	ConfigBuilding = "Building"
)

// ConfigStatus is the status of the MachineOSConfig as it is to be, and whether that differs
// from what it is. The image of what was wanted before stays. What others wrote is kept.
func (o *Outcome) ConfigStatus(object *mcfgv1.MachineOSConfig) (status *mcfgv1.MachineOSConfigStatus, changed bool) {
	status = object.Status.DeepCopy()
	for _, condition := range o.configConditions() {
		condition.ObservedGeneration = object.Generation
		changed = meta.SetStatusCondition(&status.Conditions, condition) || changed
	}
	if status.ObservedGeneration < object.Generation {
		status.ObservedGeneration, changed = object.Generation, true
	}
	if o.State != StatePublished {
		return status, changed
	}
	changed = o.seed(object, status) || changed
	if image := mcfgv1.ImageDigestFormat(o.Record.Image); status.CurrentImagePullSpec != image {
		status.CurrentImagePullSpec, changed = image, true
	}
	reference := mcfgv1.ObjectReference{Group: mcfgv1.GroupName, Resource: "machineosbuilds", Name: o.MachineOSBuild}
	if status.MachineOSBuild == nil || *status.MachineOSBuild != reference {
		status.MachineOSBuild, changed = &reference, true
	}
	return status, changed
}

// configConditions are the conditions of the MachineOSConfig as they are to be.
func (o *Outcome) configConditions() []metav1.Condition {
	reason, message := o.Reason, o.Message
	if o.State == StatePending || o.State == StateBuilding {
		// How far it is stands on the MachineOSBuild.
		reason, message = ConfigBuilding, fmt.Sprintf("MachineOSBuild %s is being built.", o.MachineOSBuild)
		if o.isOurs() && o.Record.Warning != "" {
			message += " Warning: " + o.Record.Warning + "."
		}
	}
	ready, progressing, degraded := o.progress()
	conditions := []metav1.Condition{
		{Type: ConfigReady, Status: statusOf(ready)}, {Type: ConfigProgressing, Status: statusOf(progressing)}, {Type: ConfigDegraded, Status: statusOf(degraded)},
	}
	for i := range conditions {
		conditions[i].Reason, conditions[i].Message = reason, message
		conditions[i].LastTransitionTime = metav1.NewTime(wholeSeconds(o.Now))
	}
	if o.Refusal != "" {
		c := &conditions[2]
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, ReasonRequestRefused, o.Refusal
	}
	return conditions
}

func statusOf(is bool) metav1.ConditionStatus {
	if is {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// seed has the status tell that the object began with the image, and whether that is news.
func (o *Outcome) seed(object *mcfgv1.MachineOSConfig, status *mcfgv1.MachineOSConfigStatus) bool {
	if o.Record.Build != PreBuiltBuild || meta.IsStatusConditionTrue(status.Conditions, ConfigSeeded) {
		return false
	}
	return meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: ConfigSeeded, Status: metav1.ConditionTrue, Reason: configPreBuiltImageSeeded, Message: "It began with the image " + o.Record.Image + ", which was built before.",
		ObservedGeneration: object.Generation, LastTransitionTime: metav1.NewTime(wholeSeconds(o.Now)),
	})
}

// progress is which of the conditions of the MachineOSConfig are True.
func (o *Outcome) progress() (ready, progressing, degraded bool) {
	switch o.State {
	case StatePublished:
		return true, false, false
	case StateHeld, StateFailed, StateStuck:
		return false, false, true
	case StateInterrupted:
		return false, false, false
	}
	return false, true, false
}

// ConfigPatch is a merge patch of the status of the MachineOSConfig.
func ConfigPatch(object *mcfgv1.MachineOSConfig, status *mcfgv1.MachineOSConfigStatus) []byte {
	return encode(map[string]any{"metadata": map[string]any{"resourceVersion": object.ResourceVersion}, "status": status})
}

// CurrentPatch is a merge patch that names the MachineOSBuild that counts.
func CurrentPatch(object *mcfgv1.MachineOSConfig, build string) []byte {
	return annotationsPatch(object, map[string]any{constants.CurrentBuildAnnotation: build})
}

// SeededPatch is a merge patch that takes the name of an image to begin with away, nil where
// that has not been told yet.
func SeededPatch(object *mcfgv1.MachineOSConfig) []byte {
	_, named := object.Annotations[constants.PreBuiltImageAnnotation]
	if !named || !meta.IsStatusConditionTrue(object.Status.Conditions, ConfigSeeded) {
		return nil
	}
	return annotationsPatch(object, map[string]any{constants.PreBuiltImageAnnotation: nil})
}

// RequestPatch is a merge patch that takes a person's request for a rebuild away, and makes
// one of it that stays and can be told from others. The version that the object had tells
// it: no two requests are found at the same one.
func RequestPatch(object *mcfgv1.MachineOSConfig) []byte {
	return annotationsPatch(object, map[string]any{constants.RebuildAnnotation: nil, constants.RebuildRequestedAnnotation: requestAt(object)})
}

// requestAt is the request that is made of a person's. Files have no versions.
func requestAt(object *mcfgv1.MachineOSConfig) string { return cmp.Or(object.ResourceVersion, "now") }

func annotationsPatch(object metav1.Object, annotations map[string]any) []byte {
	return encode(map[string]any{"metadata": map[string]any{"resourceVersion": object.GetResourceVersion(), "annotations": annotations}})
}

// StripMachineOSConfig drops what is never read from one before it enters a cache.
func StripMachineOSConfig(object *mcfgv1.MachineOSConfig) {
	delete(object.Annotations, corev1.LastAppliedConfigAnnotation)
}
