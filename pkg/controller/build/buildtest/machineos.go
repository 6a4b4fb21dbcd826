package buildtest

import (
	"maps"
	"net/http"
	"reflect"
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// MachineOSConfig makes one that opts the pool of its name in, with the Secrets and the
// repository that the settings of this package have.
func MachineOSConfig(name string, edits ...func(*mcfgv1.MachineOSConfig)) *mcfgv1.MachineOSConfig {
	config := &mcfgv1.MachineOSConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1, UID: types.UID("uid-of-mosc-" + name)},
		Spec: mcfgv1.MachineOSConfigSpec{
			MachineConfigPool:       mcfgv1.MachineConfigPoolReference{Name: name},
			ImageBuilder:            mcfgv1.MachineOSImageBuilder{ImageBuilderType: mcfgv1.JobBuilder},
			BaseImagePullSecret:     &mcfgv1.ImageSecretObjectReference{Name: PullSecret},
			RenderedImagePushSecret: mcfgv1.ImageSecretObjectReference{Name: PushSecret},
			RenderedImagePushSpec:   Repository + ":latest",
		},
	}
	for _, edit := range edits {
		edit(config)
	}
	return config
}

// MachineOSConfig returns a stored one.
func (a *API) MachineOSConfig(name string) *mcfgv1.MachineOSConfig {
	return stored[*mcfgv1.MachineOSConfig](a, "machineosconfigs", name)
}

// listMachineOSConfigs answers whoever lists them. The lock is held.
func (a *API) listMachineOSConfigs() *mcfgv1.MachineOSConfigList {
	list := &mcfgv1.MachineOSConfigList{}
	for _, key := range slices.Sorted(maps.Keys(a.objects["machineosconfigs"])) {
		list.Items = append(list.Items, *a.objects["machineosconfigs"][key].(*mcfgv1.MachineOSConfig).DeepCopy())
	}
	return list
}

// EditMachineOSConfig changes a stored one. A change of the spec counts.
func (a *API) EditMachineOSConfig(name string, edit func(*mcfgv1.MachineOSConfig)) {
	config := a.MachineOSConfig(name)
	before := config.Spec.DeepCopy()
	edit(config)
	if !reflect.DeepEqual(*before, config.Spec) {
		config.Generation++
	}
	a.Put(config)
}

// MachineOSBuilds returns the stored ones, by name.
func (a *API) MachineOSBuilds() []*mcfgv1.MachineOSBuild {
	var builds []*mcfgv1.MachineOSBuild
	for _, object := range a.All("machineosbuilds") {
		builds = append(builds, object.(*mcfgv1.MachineOSBuild))
	}
	return builds
}

// validateMachineOSBuild applies the rules that the API has for what was written before.
func validateMachineOSBuild(before, after runtime.Object) error {
	old, ok := before.(*mcfgv1.MachineOSBuild)
	if !ok {
		return nil
	}
	build := after.(*mcfgv1.MachineOSBuild)
	refuse := func(rule string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid, Message: "MachineOSBuild is invalid: " + rule,
		}}
	}
	status, oldStatus := &build.Status, &old.Status
	for _, last := range []mcfgv1.BuildProgress{mcfgv1.MachineOSBuildFailed, mcfgv1.MachineOSBuildInterrupted, mcfgv1.MachineOSBuildSucceeded} {
		if meta.IsStatusConditionTrue(oldStatus.Conditions, string(last)) && !reflect.DeepEqual(oldStatus.Conditions, status.Conditions) {
			return refuse("once a condition of an end is set, conditions are immutable")
		}
	}
	switch {
	case !reflect.DeepEqual(old.Spec, build.Spec):
		return refuse("spec is immutable")
	case oldStatus.BuildStart != nil && !oldStatus.BuildStart.Equal(status.BuildStart), oldStatus.BuildEnd != nil && !oldStatus.BuildEnd.Equal(status.BuildEnd):
		return refuse("buildStart and buildEnd are immutable once set")
	case status.BuildEnd != nil && (status.BuildStart == nil || !status.BuildStart.Before(status.BuildEnd)):
		return refuse("buildEnd must be after buildStart")
	case status.Builder != nil && (status.Builder.ImageBuilderType == mcfgv1.JobBuilder) != (status.Builder.Job != nil):
		return refuse("job is required when imageBuilderType is Job, and forbidden otherwise")
	}
	return nil
}
