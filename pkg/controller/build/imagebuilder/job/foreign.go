package job

import (
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// What of a Job decides what is in the image, or where it goes, is compared with what
// newJob writes. All else is the cluster's: its defaults and its admission add deadlines,
// resources, node selectors, tolerations, labels. A Job's template does not change.

const inTemplate = "spec.template.spec."

// foreignIn says what of a Job is not as in any that newJob makes; empty for nothing.
func foreignIn(job *batchv1.Job) string {
	for _, find := range []func(*batchv1.Job) string{foreignRuns, foreignContainer, foreignEnvironment, foreignVolumes} {
		if what := find(job); what != "" {
			return what
		}
	}
	return ""
}

// foreignRuns looks for what would have the build run twice, or by somebody else.
func foreignRuns(job *batchv1.Job) string {
	spec := &job.Spec
	switch {
	case ptr.Deref(spec.Completions, 1) != 1 || ptr.Deref(spec.Parallelism, 1) != 1:
		return "spec.completions and spec.parallelism are not 1"
	case ptr.Deref(spec.ManagedBy, batchv1.JobControllerName) != batchv1.JobControllerName:
		return fmt.Sprintf("spec.managedBy is %.200q", *spec.ManagedBy)
	case ptr.Deref(spec.ManualSelector, false):
		return "spec.manualSelector is set"
	case spec.Template.Spec.ServiceAccountName != constants.BuilderServiceAccount:
		return fmt.Sprintf(inTemplate+"serviceAccountName is %.200q", spec.Template.Spec.ServiceAccountName)
	}
	return ""
}

func foreignContainer(job *batchv1.Job) string {
	spec := &job.Spec.Template.Spec
	if len(spec.Containers) != 1 || len(spec.InitContainers) > 0 {
		return inTemplate + "containers and initContainers are not the builder alone"
	}
	container, wanted := &spec.Containers[0], &newPodSpec(imagebuilder.Request{}, 0).Containers[0]
	switch {
	case container.Name != wanted.Name:
		return fmt.Sprintf(inTemplate+"containers has %.200q", container.Name)
	case !slices.Equal(container.Command, wanted.Command) || len(container.Args) > 0:
		return inTemplate + "containers[0] runs another command than the script among the inputs"
	case container.WorkingDir != "":
		return inTemplate + "containers[0].workingDir is set"
	case len(container.EnvFrom) > 0:
		return inTemplate + "containers[0].envFrom is set"
	}
	return ""
}

func foreignEnvironment(job *batchv1.Job) string {
	known := []string{envOutput, envContainerfile, envImages, envVolumes}
	for _, variable := range job.Spec.Template.Spec.Containers[0].Env {
		if !slices.Contains(known, variable.Name) || variable.ValueFrom != nil {
			return fmt.Sprintf(inTemplate+"containers[0].env has %.200q", variable.Name)
		}
	}
	if environmentOf(job, envOutput) == "" || environmentOf(job, envContainerfile) == "" {
		return inTemplate + "containers[0].env does not say what is built, and for where"
	}
	entitled := (inputs.Entitled{Entitlement: true, Repositories: true, SigningKeys: true}).Volumes()
	for _, word := range strings.Fields(environmentOf(job, envVolumes)) {
		if !slices.ContainsFunc(entitled, func(v inputs.Volume) bool { return word == v.Name+":"+v.Path }) {
			return fmt.Sprintf(inTemplate+"containers[0].env shows %.200q to the steps of the build", word)
		}
	}
	return ""
}

// foreignVolumes looks for inputs that are not the build's own, and for mounts over anything
// else.
func foreignVolumes(job *batchv1.Job) string {
	spec := &job.Spec.Template.Spec
	for _, mount := range spec.Containers[0].VolumeMounts {
		if !strings.HasPrefix(mount.MountPath, mountRoot+"/") || mount.SubPath != "" || mount.SubPathExpr != "" {
			return fmt.Sprintf(inTemplate+"containers[0].volumeMounts has %.200q", mount.MountPath)
		}
	}
	at := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == volumeInputs && v.Projected != nil })
	if at < 0 {
		return inTemplate + "volumes has no inputs"
	}
	for i, source := range spec.Volumes[at].Projected.Sources {
		if source.Secret == nil || source.Secret.Name != owned.InputName(job.Name, i) || len(source.Secret.Items) > 0 {
			return inTemplate + "volumes has inputs that are not the build's own"
		}
	}
	for i := range spec.Volumes {
		if v := &spec.Volumes[i]; v.HostPath != nil {
			return fmt.Sprintf(inTemplate+"volumes has the directory %.200q of the node", v.HostPath.Path)
		}
	}
	return ""
}

// differs says what of an existing Job is another than in the one that is to be made; empty
// for nothing.
func differs(existing, wanted *batchv1.Job) string {
	if what := foreignIn(existing); what != "" {
		return what
	}
	for _, name := range []string{envOutput, envContainerfile} {
		if is, want := environmentOf(existing, name), environmentOf(wanted, name); is != want {
			return fmt.Sprintf(inTemplate+"containers[0].env has %s=%.200s, and not %s", name, is, want)
		}
	}
	if is, want := numberOfInputs(existing), numberOfInputs(wanted); is != want {
		return fmt.Sprintf(inTemplate+"volumes has %d inputs, and not %d", is, want)
	}
	return ""
}

func numberOfInputs(job *batchv1.Job) int {
	for _, v := range job.Spec.Template.Spec.Volumes {
		if v.Name == volumeInputs && v.Projected != nil {
			return len(v.Projected.Sources)
		}
	}
	return 0
}
