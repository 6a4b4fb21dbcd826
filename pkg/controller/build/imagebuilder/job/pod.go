package job

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

const (
	containerName = "build"

	// mountRoot is where all mounts are, see README.md.
	mountRoot = "/run/machine-os"

	// Names of the pod's volumes, and of the directories that they are mounted at.
	volumeInputs    = "inputs"
	volumeMemory    = "memory"
	volumeStorage   = "storage"
	volumeServiceCA = "service-ca"
	// volumeOf comes before the name of an object that steps of the build see.
	volumeOf = "volume-"

	serviceCAConfigMap = "openshift-service-ca.crt"

	// memorySize bounds the credentials.
	memorySize = "16Mi"

	envOutput        = "OUTPUT"
	envContainerfile = "CONTAINERFILE_SHA256"
	envImages        = "IMAGES"
	envVolumes       = "VOLUMES"
)

// credentialVolumes are where the script looks for credentials.
var credentialVolumes = []struct{ volume, directory string }{
	{"push", "credentials/push"}, {"pull", "credentials/pull"}, {"cluster", "credentials/cluster"},
}

// newPodSpec makes a pod that is as weak as the build of an operating system allows.
func newPodSpec(r imagebuilder.Request, inputs int) corev1.PodSpec {
	volumes, mounts := newVolumes(r, inputs)
	spec := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		ActiveDeadlineSeconds:         ptr.To(int64(r.Deadline.Seconds())),
		TerminationGracePeriodSeconds: ptr.To[int64](10),
		ServiceAccountName:            constants.BuilderServiceAccount,
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		PriorityClassName:             r.Workload.PriorityClass,
		NodeSelector:                  map[string]string{corev1.LabelOSStable: "linux"},
		Tolerations:                   tolerations(r.Workload.Tolerations),
		Volumes:                       volumes,
		Containers: []corev1.Container{{
			Name:    containerName,
			Image:   r.Workload.Image,
			Command: []string{"/bin/sh", mountRoot + "/" + volumeInputs + "/" + scriptKey},
			Env: []corev1.EnvVar{
				{Name: envOutput, Value: r.Output},
				{Name: envContainerfile, Value: imagebuilder.ContainerfileHash(r.Containerfile)},
				{Name: envImages, Value: imagesOf(r.Containerfile)},
				{Name: envVolumes, Value: volumesText(r.Volumes)},
			},
			ImagePullPolicy:          corev1.PullIfNotPresent,
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			Resources:                corev1.ResourceRequirements{Requests: quantities(r.Workload.Requests), Limits: quantities(r.Workload.Limits)},
			VolumeMounts:             mounts,
		}},
	}
	for key, value := range r.Workload.NodeSelector {
		spec.NodeSelector[key] = value
	}
	secure(&spec, r.Workload)
	return spec
}

// needed are the capabilities without which root cannot make the files of an image.
var needed = []corev1.Capability{"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETFCAP", "SETGID", "SETUID"}

// secure takes from the pod what the level allows to take.
func secure(spec *corev1.PodSpec, w imagebuilder.Workload) {
	pod, container := &corev1.PodSecurityContext{}, &corev1.SecurityContext{Privileged: ptr.To(false)}
	switch w.SecurityLevel {
	case constants.LevelUser:
		// The programs that map its subordinate IDs have capabilities, which nothing gets
		// that may not have more than its parent.
		pod.RunAsUser, pod.RunAsGroup, pod.FSGroup, pod.RunAsNonRoot = ptr.To[int64](1000), ptr.To[int64](1000), ptr.To[int64](1000), ptr.To(true)
	case constants.LevelRoot:
		container.RunAsUser = ptr.To[int64](0)
	default:
		container.RunAsUser = ptr.To[int64](0)
		container.AllowPrivilegeEscalation = ptr.To(false)
		container.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: needed}
	}
	switch w.Seccomp {
	case constants.SeccompNode:
	case constants.SeccompUnconfined:
		pod.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	default:
		pod.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
	}
	spec.SecurityContext, spec.Containers[0].SecurityContext = pod, container
}

// quantities are of settings that were checked.
func quantities(texts map[string]string) corev1.ResourceList {
	if len(texts) == 0 {
		return nil
	}
	list := corev1.ResourceList{}
	for name, text := range texts {
		if quantity, err := resource.ParseQuantity(text); err == nil {
			list[corev1.ResourceName(name)] = quantity
		}
	}
	return list
}

func tolerations(taints []string) []corev1.Toleration {
	var list []corev1.Toleration
	for _, taint := range taints {
		rest, effect, _ := strings.Cut(taint, ":")
		key, value, equal := strings.Cut(rest, "=")
		t := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffect(effect)}
		if equal {
			t.Operator, t.Value = corev1.TolerationOpEqual, value
		}
		list = append(list, t)
	}
	return list
}

// volumesText is what the script mounts into steps of the build.
func volumesText(volumes []imagebuilder.Volume) string {
	var words []string
	for _, v := range volumes {
		words = append(words, v.Name+":"+v.Path)
	}
	return strings.Join(words, " ")
}

// newVolumes makes the pod's volumes, and their mounts in the same order.
func newVolumes(r imagebuilder.Request, inputs int) (volumes []corev1.Volume, mounts []corev1.VolumeMount) {
	add := func(name, directory string, source corev1.VolumeSource, readOnly bool) {
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: source})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: mountRoot + "/" + directory, ReadOnly: readOnly})
	}
	var sources []corev1.VolumeProjection
	for i := range inputs {
		sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: owned.InputName(r.Name, i)}}})
	}
	add(volumeInputs, volumeInputs, corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources}}, true)
	secrets := map[string]corev1.SecretVolumeSource{
		"push": {SecretName: r.PushSecret}, "pull": {SecretName: r.PullSecret},
		"cluster": {SecretName: constants.GlobalPullSecretCopy, Optional: ptr.To(true)},
	}
	for _, c := range credentialVolumes {
		// A reference with an empty name is refused, so there must be none.
		if secret := secrets[c.volume]; secret.SecretName != "" {
			add(c.volume, c.directory, corev1.VolumeSource{Secret: &secret}, true)
		}
	}
	add(volumeServiceCA, volumeServiceCA, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: serviceCAConfigMap}, Optional: ptr.To(true),
	}}, true)
	for _, v := range r.Volumes {
		source := corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: v.Name}}
		if v.ConfigMap {
			source = corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: v.Name}}}
		}
		add(volumeOf+v.Name, "volumes/"+v.Name, source, true)
	}
	add(volumeMemory, volumeMemory, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: ptr.To(resource.MustParse(memorySize))}}, false)
	add(volumeStorage, volumeStorage, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, false)
	return volumes, mounts
}
