package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestH40BadInputs: whatever is missing or malformed, the pool says which object
// and key, nothing spins, and mending it starts the build.
func TestH40BadInputs(t *testing.T) {
	edit := func(changes map[string]string) *corev1.ConfigMap {
		configMap := buildtest.SettingsConfigMap()
		for key, value := range changes {
			configMap.Data[key] = value
		}
		return configMap
	}
	broken := buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)
	broken.Data[corev1.DockerConfigJsonKey] = []byte(buildtest.Canary)
	noImage, empty, badImage := buildtest.RenderedConfig("rendered-worker-1"), buildtest.RenderedConfig("rendered-worker-1"), buildtest.RenderedConfig("rendered-worker-1")
	noImage.Spec.OSImageURL = ""
	empty.Spec.Config.Raw = nil
	badImage.Spec.OSImageURL = "short:name"

	for name, test := range map[string]struct {
		reason string
		breaks func(h *harness)
		why    string
		// names are texts that the message has to contain.
		names []string
	}{
		"ConfigMap missing": {
			reason: "a first-time user has not created it", why: ledger.ReasonConfigMapMissing, names: []string{"ConfigMap machine-os-builder-config", "finalImagePullspec"},
			breaks: func(h *harness) { h.api.Remove("configmaps", ctrlcommon.MCONamespace, constants.ConfigMapName) },
		},
		"key empty": {
			reason: "a key was forgotten", why: ledger.ReasonConfigMapInvalid, names: []string{"machine-os-builder-config", "finalImagePushSecretName"},
			breaks: func(h *harness) { h.api.Put(edit(map[string]string{constants.FinalImagePushSecretKey: ""})) },
		},
		"bad pullspec": {
			reason: "a typing error", why: ledger.ReasonConfigMapInvalid, names: []string{"machine-os-builder-config", "finalImagePullspec", `"https://x"`},
			breaks: func(h *harness) { h.api.Put(edit(map[string]string{constants.FinalImagePullspecKey: "https://x"})) },
		},
		"pull secret missing": {
			reason: "it was deleted", why: ledger.ReasonSecretMissing, names: []string{"Secret pull-secret", "baseImagePullSecretName"},
			breaks: func(h *harness) { h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PullSecret) },
		},
		"push secret malformed": {
			reason: "it was made by hand", why: ledger.ReasonSecretInvalid, names: []string{"Secret push-secret", ".dockerconfigjson"},
			breaks: func(h *harness) { h.api.Put(broken) },
		},
		"push secret for another registry": {
			reason: "the wrong one was copied", why: ledger.ReasonSecretInvalid, names: []string{"Secret push-secret", buildtest.Repository},
			breaks: func(h *harness) { h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, "quay.io")) },
		},
		"rendered config missing": {
			reason: "it was deleted, or comes later", why: ledger.ReasonRenderedConfigMissing, names: []string{"MachineConfig rendered-worker-1"},
			breaks: func(h *harness) { h.api.Remove("machineconfigs", "", "rendered-worker-1") },
		},
		"rendered config empty": {
			reason: "it has no content", why: ledger.ReasonRenderedConfigInvalid, names: []string{"MachineConfig rendered-worker-1", "spec.config"},
			breaks: func(h *harness) { h.api.Put(empty) },
		},
		"base image malformed": {
			reason: "a short name", why: ledger.ReasonBaseImageInvalid, names: []string{"MachineConfig rendered-worker-1", "spec.osImageURL", "short:name"},
			breaks: func(h *harness) { h.api.Put(badImage) },
		},
		"ControllerConfig missing": {
			reason: "the config names no image", why: ledger.ReasonControllerConfigMissing, names: []string{"ControllerConfig machine-config-controller"},
			breaks: func(h *harness) {
				h.api.Put(noImage)
				h.api.Remove("controllerconfigs", "", ctrlcommon.ControllerConfigName)
			},
		},
		"ControllerConfig without image": {
			reason: "neither names an image", why: ledger.ReasonBaseImageUnknown, names: []string{"spec.osImageURL", "spec.baseOSContainerImage"},
			breaks: func(h *harness) {
				h.api.Put(noImage)
				h.api.Put(buildtest.ControllerConfig(""))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			test.breaks(h)
			h.settle(worker)
			h.pass(2*time.Second, worker)
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, test.why)
			for _, text := range test.names {
				require.Contains(t, message, text, test.reason)
			}
			require.NotContains(t, message, buildtest.Canary, "content of secrets is in no message")
			require.Len(t, h.events, 1, "one event: %v", h.events)
			require.Contains(t, h.events[0], "Warning "+test.why)
			require.Empty(t, h.api.Builds())

			h.api.ResetCalls()
			for range 10 {
				p, err := h.sync(worker)
				require.NoError(t, err)
				require.Zero(t, p.RequeueAfter, "a held pool waits for an event")
			}
			require.Empty(t, h.api.Calls(), "and costs nothing while it waits")

			for _, object := range goodInputs("rendered-worker-1") {
				h.api.Put(object)
			}
			h.settle(worker)
			require.Len(t, h.api.Builds(), 1, "mending it starts the build")
		})
	}
}
