package openshift

import (
	"slices"
	"strconv"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// objectMeta is common to the Build and its inputs. Names that may be long go
// into annotations; labels are for selecting.
func objectMeta(namespace string, r imagebuilder.Request) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      r.Name,
		Namespace: namespace,
		Labels: map[string]string{
			constants.OwnedLabel: constants.OwnedLabelValue,
			constants.PoolLabel:  inputs.LabelValue(r.Pool),
		},
		Annotations: map[string]string{
			constants.PoolAnnotation:           r.Pool,
			constants.RenderedConfigAnnotation: r.RenderedConfig,
			constants.FingerprintAnnotation:    r.Fingerprint,
			constants.AttemptAnnotation:        strconv.Itoa(r.Attempt),
			constants.BuildNameAnnotation:      r.Name,
		},
		// Blocking the owner's deletion would need a permission on its
		// finalizers, for nothing.
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion:         mcfgv1.GroupVersion.String(),
			Kind:               "MachineConfigPool",
			Name:               r.Pool,
			UID:                r.PoolUID,
			Controller:         ptr.To(true),
			BlockOwnerDeletion: ptr.To(false),
		}},
	}
}

// newObjects makes the Build and its inputs.
func newObjects(namespace string, r imagebuilder.Request) (*buildv1.Build, []*corev1.Secret) {
	inline, containerfile := inputs.Deliver(r.Containerfile)
	files := r.Context
	if containerfile != nil {
		files = append(slices.Clone(files), imagebuilder.File{Name: inputs.ContainerfileKey, Data: containerfile})
	}
	secrets := newInputs(namespace, r, files)
	return newBuild(namespace, r, inline, secrets), secrets
}

// newInputs makes the Secrets with the build context, one for each file. They are
// Secrets because a rendered config holds credentials, and immutable because the
// build reads them when its pod starts, not when the Build is created. The first
// one bears the name of the Build.
func newInputs(namespace string, r imagebuilder.Request, files []imagebuilder.File) []*corev1.Secret {
	secrets := make([]*corev1.Secret, 0, len(files))
	for i, file := range files {
		meta := objectMeta(namespace, r)
		if i > 0 {
			meta.Name += inputsInfix + strconv.Itoa(i)
		}
		secrets = append(secrets, &corev1.Secret{
			ObjectMeta: meta, Immutable: ptr.To(true), Type: corev1.SecretTypeOpaque,
			Data: map[string][]byte{file.Name: file.Data},
		})
	}
	return secrets
}

// inputsInfix comes between the name of a Build and the number of its second and
// further inputs.
const inputsInfix = "-in-"

// newBuild makes the Build.
func newBuild(namespace string, r imagebuilder.Request, inline string, secrets []*corev1.Secret) *buildv1.Build {
	var sources []buildv1.SecretBuildSource
	for _, secret := range secrets {
		sources = append(sources, buildv1.SecretBuildSource{Secret: corev1.LocalObjectReference{Name: secret.Name}})
	}
	build := &buildv1.Build{
		ObjectMeta: objectMeta(namespace, r),
		Spec: buildv1.BuildSpec{CommonSpec: buildv1.CommonSpec{
			Source: buildv1.BuildSource{
				Type:       buildv1.BuildSourceDockerfile,
				Dockerfile: ptr.To(inline),
				Secrets:    sources,
			},
			Strategy: buildv1.BuildStrategy{
				Type: buildv1.DockerBuildStrategyType,
				DockerStrategy: &buildv1.DockerBuildStrategy{
					// One layer on top of the base instead of one an instruction.
					ImageOptimizationPolicy: ptr.To(buildv1.ImageOptimizationSkipLayers),
					Volumes:                 buildVolumes(r.Volumes),
				},
			},
			Output: buildv1.BuildOutput{
				To:         &corev1.ObjectReference{Kind: "DockerImage", Name: r.Output},
				PushSecret: &corev1.LocalObjectReference{Name: r.PushSecret},
			},
			CompletionDeadlineSeconds: ptr.To(int64(r.Deadline.Seconds())),
		}},
	}
	// A reference with an empty name is refused, so there must be none.
	if r.PullSecret != "" {
		build.Spec.Strategy.DockerStrategy.PullSecret = &corev1.LocalObjectReference{Name: r.PullSecret}
	}
	return build
}

// buildVolumes are named after their objects, whose names are DNS labels.
func buildVolumes(volumes []imagebuilder.Volume) []buildv1.BuildVolume {
	result := make([]buildv1.BuildVolume, 0, len(volumes))
	for _, v := range volumes {
		volume := buildv1.BuildVolume{Name: v.Name, Mounts: []buildv1.BuildVolumeMount{{DestinationPath: v.Path}}}
		if v.ConfigMap {
			volume.Source = buildv1.BuildVolumeSource{
				Type:      buildv1.BuildVolumeSourceTypeConfigMap,
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: v.Name}},
			}
		} else {
			volume.Source = buildv1.BuildVolumeSource{
				Type:   buildv1.BuildVolumeSourceTypeSecret,
				Secret: &corev1.SecretVolumeSource{SecretName: v.Name},
			}
		}
		result = append(result, volume)
	}
	return result
}
