package buildtest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Values that the objects of this package have unless told otherwise.
const (
	BaseImage  = "quay.example.com/openshift/rhel-coreos@sha256:1111111111111111111111111111111111111111111111111111111111111111"
	Registry   = "registry.example.com"
	Repository = Registry + "/ocp/os"
	PushSecret = "push-secret"
	PullSecret = "pull-secret"
	// Canary is a credential that occurs in every secret place of a test, and
	// must not be found in any other.
	Canary = "canary-credential-5c1b2e"
)

// Names of the pool and the configs that most tests are about.
const (
	Worker  = "worker"
	ConfigA = "rendered-worker-a"
	ConfigB = "rendered-worker-b"
)

// PoolBuilder makes a MachineConfigPool.
type PoolBuilder struct{ pool mcfgv1.MachineConfigPool }

// Pool begins a pool that did not opt in.
func Pool(name string) *PoolBuilder {
	return &PoolBuilder{pool: mcfgv1.MachineConfigPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-of-" + name)},
	}}
}

// Layered opts the pool in.
func (b *PoolBuilder) Layered() *PoolBuilder {
	return b.Label(ctrlcommon.LayeringEnabledPoolLabel, "")
}

// Label sets a label.
func (b *PoolBuilder) Label(key, value string) *PoolBuilder {
	metav1.SetMetaDataLabel(&b.pool.ObjectMeta, key, value)
	return b
}

// Annotation sets an annotation.
func (b *PoolBuilder) Annotation(key, value string) *PoolBuilder {
	metav1.SetMetaDataAnnotation(&b.pool.ObjectMeta, key, value)
	return b
}

// Wants sets the wanted rendered config.
func (b *PoolBuilder) Wants(config string) *PoolBuilder {
	b.pool.Spec.Configuration.Name = config
	return b
}

// Paused pauses the pool.
func (b *PoolBuilder) Paused() *PoolBuilder {
	b.pool.Spec.Paused = true
	return b
}

// Condition adds a condition.
func (b *PoolBuilder) Condition(t mcfgv1.MachineConfigPoolConditionType, status corev1.ConditionStatus, reason string) *PoolBuilder {
	b.pool.Status.Conditions = append(b.pool.Status.Conditions, mcfgv1.MachineConfigPoolCondition{
		Type: t, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(time.Unix(1700000000, 0)),
	})
	return b
}

// Object returns the pool.
func (b *PoolBuilder) Object() *mcfgv1.MachineConfigPool { return b.pool.DeepCopy() }

// RenderedConfig makes a rendered MachineConfig with one file in it, whose
// content is the canary, on the default base image.
func RenderedConfig(name string) *mcfgv1.MachineConfig {
	return &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-of-" + name), Generation: 1},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL: BaseImage,
			Config:     rawIgnition(name),
		},
	}
}

// ControllerConfig makes the ControllerConfig with a base image.
func ControllerConfig(baseImage string) *mcfgv1.ControllerConfig {
	return &mcfgv1.ControllerConfig{
		ObjectMeta: metav1.ObjectMeta{Name: ctrlcommon.ControllerConfigName},
		Spec:       mcfgv1.ControllerConfigSpec{BaseOSContainerImage: baseImage},
	}
}

// SettingsConfigMap makes a complete and valid ConfigMap.
func SettingsConfigMap() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.ConfigMapName},
		Data: map[string]string{
			constants.BaseImagePullSecretKey:  PullSecret,
			constants.FinalImagePushSecretKey: PushSecret,
			constants.FinalImagePullspecKey:   Repository + ":ignored",
		},
	}
}

// OperatorImages names the image that Jobs build with.
func OperatorImages() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: constants.OperatorImagesConfigMap},
		Data:       map[string]string{constants.OperatorImagesKey: `{"machineConfigOperator":"quay.example.com/openshift/operator@sha256:` + strings.Repeat("2", 64) + `"}`},
	}
}

// CustomContent makes the ConfigMap with Containerfile text for the pool Worker.
func CustomContent(text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.CustomConfigMapName},
		Data:       map[string]string{Worker: text},
	}
}

// GoodInputs are all that builds of the configs need beside the pool.
func GoodInputs(configs ...string) []runtime.Object {
	objects := []runtime.Object{
		SettingsConfigMap(),
		RegistrySecret(PushSecret, Registry),
		RegistrySecret(PullSecret, "quay.example.com"),
		ControllerConfig(BaseImage),
	}
	for _, config := range configs {
		objects = append(objects, RenderedConfig(config))
	}
	return objects
}

// RegistrySecret makes a credential Secret for a registry.
func RegistrySecret(name, registry string) *corev1.Secret {
	auth := base64.StdEncoding.EncodeToString([]byte("user:" + Canary))
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: name},
		Type:       corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{
			corev1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, registry, auth),
		},
	}
}
