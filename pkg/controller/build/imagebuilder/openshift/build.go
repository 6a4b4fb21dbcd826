package openshift

import (
	"slices"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// Name is what settings and the label of its objects call the backend.
const Name = constants.BackendOpenShiftBuild

// outputKind is that of a pullspec that a Build pushes to.
const outputKind = "DockerImage"

// mark tells its objects from those of other backends. It was the only backend when
// objects had no mark.
var mark = owned.Mark{Backend: Name, Unmarked: true}

// newObjects makes the Build and its inputs.
func newObjects(namespace string, r imagebuilder.Request) (*buildv1.Build, []*corev1.Secret) {
	inline, containerfile := deliver(r.Containerfile)
	files := r.Context
	if containerfile != nil {
		files = append(slices.Clone(files), imagebuilder.File{Name: containerfileKey, Data: containerfile})
	}
	secrets := mark.NewSecrets(namespace, r, owned.Apart(files))
	return newBuild(namespace, r, inline, secrets), secrets
}

// newBuild makes the Build.
func newBuild(namespace string, r imagebuilder.Request, inline string, secrets []*corev1.Secret) *buildv1.Build {
	var sources []buildv1.SecretBuildSource
	for _, secret := range secrets {
		sources = append(sources, buildv1.SecretBuildSource{Secret: corev1.LocalObjectReference{Name: secret.Name}})
	}
	build := &buildv1.Build{
		ObjectMeta: mark.BuildMetadata(namespace, r),
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
				To:         &corev1.ObjectReference{Kind: outputKind, Name: r.Output},
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
