package openshift

import (
	"sort"
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

// newInputs makes the Secret with the build context. It is a Secret because a
// rendered config holds credentials, and immutable because the build reads it
// when its pod starts, not when the Build is created.
func newInputs(namespace string, r imagebuilder.Request) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: objectMeta(namespace, r),
		Immutable:  ptr.To(true),
		Type:       corev1.SecretTypeOpaque,
		Data:       r.Context,
	}
}

// newBuild makes the Build.
func newBuild(namespace string, r imagebuilder.Request) *buildv1.Build {
	build := &buildv1.Build{
		ObjectMeta: objectMeta(namespace, r),
		Spec: buildv1.BuildSpec{CommonSpec: buildv1.CommonSpec{
			Source: buildv1.BuildSource{
				Type:       buildv1.BuildSourceDockerfile,
				Dockerfile: ptr.To(r.Containerfile),
				Secrets:    []buildv1.SecretBuildSource{{Secret: corev1.LocalObjectReference{Name: r.Name}}},
			},
			Strategy: buildv1.BuildStrategy{
				Type: buildv1.DockerBuildStrategyType,
				DockerStrategy: &buildv1.DockerBuildStrategy{
					// One layer on top of the base instead of one an instruction.
					ImageOptimizationPolicy: ptr.To(buildv1.ImageOptimizationSkipLayers),
				},
			},
			Output: buildv1.BuildOutput{
				To:          &corev1.ObjectReference{Kind: "DockerImage", Name: r.Output},
				PushSecret:  &corev1.LocalObjectReference{Name: r.PushSecret},
				ImageLabels: imageLabels(r.Labels),
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

// imageLabels is sorted, so that equal requests make equal objects.
func imageLabels(labels map[string]string) []buildv1.ImageLabel {
	result := make([]buildv1.ImageLabel, 0, len(labels))
	for name, value := range labels {
		result = append(result, buildv1.ImageLabel{Name: name, Value: value})
	}
	sort.Slice(result, func(i, j int) bool { return result[i].Name < result[j].Name })
	return result
}
