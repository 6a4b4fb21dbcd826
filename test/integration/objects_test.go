package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/program"
)

const (
	repository   = "registry.example.com/org/os"
	layeredLabel = "machineconfiguration.openshift.io/layering-enabled"
	imageKey     = "machineconfiguration.openshift.io/desired-os-image"
	configKey    = "machineconfiguration.openshift.io/desired-os-image-config"
	// What Builds say of their origin.
	poolKey           = "machineconfiguration.openshift.io/pool"
	renderedConfigKey = "machineconfiguration.openshift.io/rendered-config"
	ownedSelector     = "app.kubernetes.io/managed-by=machine-os-build-controller"
	controllerUser    = "system:serviceaccount:" + devcluster.Namespace + ":" + program.ServiceAccount
	soon              = 30 * time.Second
)

var configs atomic.Int32

// useSettings creates the ConfigMap and the push Secret; they go with the test.
func useSettings(t *testing.T) {
	t.Helper()
	createSettings(t)
	createSecret(t, "push")
}

func createSettings(t *testing.T) {
	t.Helper()
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "machine-os-builder-config"},
		Data: map[string]string{
			"baseImagePullSecretName": "", "finalImagePushSecretName": "push", "finalImagePullspec": repository,
			// Tests create configs and have them built at once.
			"quietPeriodSeconds": "0",
		},
	}
	configMaps := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace)
	_, err := configMaps.Create(t.Context(), configMap, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = configMaps.Delete(context.Background(), configMap.Name, metav1.DeleteOptions{}) })
}

func createSecret(t *testing.T, name string) {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Type:       corev1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{"registry.example.com":{"auth":"dXNlcjpwYXNz"}}}`)},
	}
	secrets := shared.kube.CoreV1().Secrets(devcluster.Namespace)
	_, err := secrets.Create(t.Context(), secret, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = secrets.Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

// createConfig creates a rendered MachineConfig with a name of its own.
func createConfig(t *testing.T, edits ...func(*mcfgv1.MachineConfigSpec)) string {
	t.Helper()
	name := fmt.Sprintf("rendered-%d-%s", configs.Add(1), strings.Repeat("0", 32))
	config := &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL: "quay.example.com/os@sha256:" + strings.Repeat("1", 64),
			Config:     runtime.RawExtension{Raw: []byte(`{"ignition":{"version":"3.4.0"}}`)},
		},
	}
	for _, edit := range edits {
		edit(&config.Spec)
	}
	_, err := shared.mcfg.MachineconfigurationV1().MachineConfigs().Create(t.Context(), config, metav1.CreateOptions{})
	require.NoError(t, err)
	return name
}

// createPool creates an opted-in pool that wants the config; it goes with the test.
func createPool(t *testing.T, name, config string) {
	t.Helper()
	createPoolWith(t, name, config, map[string]string{layeredLabel: ""})
}

// unlabelled creates a pool whose label does not opt it in.
func unlabelled(t *testing.T, name, config string) {
	t.Helper()
	createPoolWith(t, name, config, nil)
}

func createPoolWith(t *testing.T, name, config string, labels map[string]string) {
	t.Helper()
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	pool.Spec.Configuration.Name = config
	_, err := shared.mcfg.MachineconfigurationV1().MachineConfigPools().Create(t.Context(), pool, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = shared.mcfg.MachineconfigurationV1().MachineConfigPools().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

func getPool(t *testing.T, name string) *mcfgv1.MachineConfigPool {
	t.Helper()
	pool, err := shared.mcfg.MachineconfigurationV1().MachineConfigPools().Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return pool
}

func patchPool(t *testing.T, name, patch string) {
	t.Helper()
	_, err := shared.mcfg.MachineconfigurationV1().MachineConfigPools().Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
}

func wantConfig(t *testing.T, pool, config string) {
	t.Helper()
	patchPool(t, pool, fmt.Sprintf(`{"spec":{"configuration":{"name":%q}}}`, config))
}

// condition returns the reason and message of the pool's build condition that
// is True; the test fails if there is more than one.
func condition(t *testing.T, pool *mcfgv1.MachineConfigPool) (reason, message string) {
	t.Helper()
	found := 0
	for _, c := range pool.Status.Conditions {
		if strings.HasPrefix(string(c.Type), "Build") && c.Status == corev1.ConditionTrue {
			reason, message = c.Reason, c.Message
			found++
		}
	}
	require.LessOrEqual(t, found, 1, "more than one build condition is True")
	return reason, message
}

// awaitReason waits until the pool's build condition has the reason, and returns
// its message.
func awaitReason(t *testing.T, pool, reason string) string {
	t.Helper()
	var got, message string
	require.Eventually(t, func() bool {
		got, message = condition(t, getPool(t, pool))
		return got == reason
	}, soon, 10*time.Millisecond, "pool %s does not come to say %s", pool, reason)
	return message
}

// awaitImage waits until the pool has an image of the config.
func awaitImage(t *testing.T, pool, config string) string {
	t.Helper()
	require.Eventually(t, func() bool { return getPool(t, pool).Annotations[configKey] == config }, soon, 10*time.Millisecond, "pool %s gets no image of %s", pool, config)
	awaitReason(t, pool, "ImagePublished")
	image := getPool(t, pool).Annotations[imageKey]
	require.Regexp(t, `^`+repository+`@sha256:[0-9a-f]{64}$`, image)
	return image
}

// ourBuilds returns the Builds of the pool.
func ourBuilds(t *testing.T, pool string) []buildv1.Build {
	t.Helper()
	list, err := shared.builds.BuildV1().Builds(devcluster.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: ownedSelector})
	require.NoError(t, err)
	var builds []buildv1.Build
	for _, b := range list.Items {
		if b.Annotations[poolKey] == pool {
			builds = append(builds, b)
		}
	}
	return builds
}

// inputSecrets counts the build inputs in the namespace.
func inputSecrets(t *testing.T) int {
	t.Helper()
	list, err := shared.kube.CoreV1().Secrets(devcluster.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: ownedSelector})
	require.NoError(t, err)
	return len(list.Items)
}

func awaitNoInputs(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return inputSecrets(t) == 0 }, soon, 10*time.Millisecond, "build inputs are left behind")
}

// awaitGone waits for the garbage collector.
func awaitGone(t *testing.T, get func() error, what string) {
	t.Helper()
	require.Eventually(t, func() bool { return apierrors.IsNotFound(get()) }, soon, 20*time.Millisecond, "%s is left behind", what)
}

// describeAudit renders an audit event of the controller as "verb resource";
// empty for other users, watches, and leases.
func describeAudit(t *testing.T, line []byte) string {
	t.Helper()
	var event auditv1.Event
	require.NoError(t, json.Unmarshal(line, &event))
	if event.User.Username != controllerUser || event.Stage != auditv1.StageResponseComplete || event.ObjectRef == nil {
		return ""
	}
	if event.Verb == "watch" || event.Verb == "list" || event.ObjectRef.Resource == "leases" {
		return ""
	}
	request := event.Verb + " " + event.ObjectRef.Resource
	if event.ObjectRef.Subresource != "" {
		request += "/" + event.ObjectRef.Subresource
	}
	if event.ResponseStatus != nil && event.ResponseStatus.Code >= 400 {
		request += fmt.Sprintf(" %d", event.ResponseStatus.Code)
	}
	return request
}
