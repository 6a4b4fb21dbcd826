package devcluster

import (
	"context"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
)

var (
	getOptions    = metav1.GetOptions{}
	listOptions   = metav1.ListOptions{}
	createOptions = metav1.CreateOptions{}
	updateOptions = metav1.UpdateOptions{}
	patchOptions  = metav1.PatchOptions{}
	deleteOptions = metav1.DeleteOptions{}
)

// eventually polls until done says yes.
func eventually(t *testing.T, what string, done func(ctx context.Context) (bool, error)) {
	t.Helper()
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), pollInterval, 30*time.Second, true, done), what)
}

func pool(name string) *mcfgv1.MachineConfigPool {
	return &mcfgv1.MachineConfigPool{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: mcfgv1.MachineConfigPoolSpec{
			Configuration: mcfgv1.MachineConfigPoolStatusConfiguration{ObjectReference: corev1.ObjectReference{Name: "rendered-" + name + "-1"}},
		},
	}
}

func ownedBy(pool *mcfgv1.MachineConfigPool) []metav1.OwnerReference {
	return []metav1.OwnerReference{{
		APIVersion:         mcfgv1.GroupVersion.String(),
		Kind:               "MachineConfigPool",
		Name:               pool.Name,
		UID:                pool.UID,
		Controller:         ptr.To(true),
		BlockOwnerDeletion: ptr.To(false),
	}}
}

// dockerBuild sets every field that a controller making OS images would set.
func dockerBuild(name string) *buildv1.Build {
	return &buildv1.Build{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: Namespace, Labels: map[string]string{"pool": "worker"}, Annotations: map[string]string{"config": "rendered"}},
		Spec: buildv1.BuildSpec{
			CommonSpec: buildv1.CommonSpec{
				ServiceAccount: "builder",
				Source: buildv1.BuildSource{
					Type:       buildv1.BuildSourceDockerfile,
					Dockerfile: ptr.To("FROM scratch\n"),
					Secrets:    []buildv1.SecretBuildSource{{Secret: corev1.LocalObjectReference{Name: "config"}, DestinationDir: "machineconfig"}},
					ConfigMaps: []buildv1.ConfigMapBuildSource{{ConfigMap: corev1.LocalObjectReference{Name: "certs"}, DestinationDir: "certs"}},
				},
				Strategy: buildv1.BuildStrategy{
					Type: buildv1.DockerBuildStrategyType,
					DockerStrategy: &buildv1.DockerBuildStrategy{
						From:                    &corev1.ObjectReference{Kind: "DockerImage", Name: "localhost:5000/os/base@sha256:" + digits64},
						PullSecret:              &corev1.LocalObjectReference{Name: "pull"},
						NoCache:                 true,
						Env:                     []corev1.EnvVar{{Name: "HTTP_PROXY", Value: "http://proxy"}},
						ForcePull:               true,
						BuildArgs:               []corev1.EnvVar{{Name: "ARG", Value: "value"}},
						ImageOptimizationPolicy: ptr.To(buildv1.ImageOptimizationSkipLayers),
					},
				},
				Output: buildv1.BuildOutput{
					To:          &corev1.ObjectReference{Kind: "DockerImage", Name: "localhost:5000/os/layered:worker-1"},
					PushSecret:  &corev1.LocalObjectReference{Name: "push"},
					ImageLabels: []buildv1.ImageLabel{{Name: "machineconfiguration.openshift.io/pool", Value: "worker"}},
				},
				CompletionDeadlineSeconds: ptr.To[int64](3600),
				NodeSelector:              buildv1.OptionalNodeSelector{"kubernetes.io/arch": "amd64"},
				MountTrustedCA:            ptr.To(true),
			},
			TriggeredBy: []buildv1.BuildTriggerCause{{Message: "rendered-worker-1"}},
		},
	}
}

const digits64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
