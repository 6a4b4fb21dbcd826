package build

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestCustomContent: a change of the text builds anew, after a moment in which it may
// change again; a mistake is told with its line, and holds the build only.
func TestCustomContent(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	h.complete(worker)

	h.api.Put(buildtest.CustomContent("FROM configs AS final\nRUN <<EOF\ntrue\nEOF\n"))
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1, "it may change again")
	h.pass(5*time.Second, worker)
	build := h.build(h.newestBuild(worker))
	require.NotContains(t, *build.Spec.Source.Dockerfile, "RUN", "inline, the builder would lose the body of the heredoc")
	require.Len(t, build.Spec.Source.Secrets, 2)
	h.complete(worker)

	h.api.Put(buildtest.CustomContent("FROM configs AS final\nRNU true\n"))
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonCustomContentInvalid)
	require.Contains(t, message, "ConfigMap machine-os-builder-custom-containerfile, key worker: line 2: there is no instruction")
	h.api.Put(buildtest.CustomContent("FROM configs AS final\nRUN true\n"))
	h.settle(worker)
	require.Contains(t, *h.build(h.newestBuild(worker)).Spec.Source.Dockerfile, "\nRUN true\n", "what was mended is built at once")

	h.complete(worker)
	h.api.Remove("configmaps", ctrlcommon.MCONamespace, inputs.CustomConfigMapName)
	h.settle(worker)
	h.pass(5*time.Second, worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished)
	require.Equal(t, 1, h.record(worker).Attempt)
	require.Len(t, h.record(worker).History, 2, "the first image is published again without a build")
}

// TestTrustBundleBuildsAnew: certificates that the nodes are to trust have to reach them.
func TestTrustBundleBuildsAnew(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	h.complete(worker)
	config := buildtest.ControllerConfig(buildtest.BaseImage)
	config.Spec.AdditionalTrustBundle = []byte("no certificate")
	h.api.Put(config)
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonTrustBundleInvalid)
	require.Contains(t, message, "ControllerConfig machine-config-controller, key spec.additionalTrustBundle")
}

// credentials is a config with a private key in a file of the image.
func credentials() *mcfgv1.MachineConfig {
	config := buildtest.RenderedConfig("rendered-worker-key")
	config.Spec.Config.Raw = []byte(`{"ignition":{"version":"3.4.0"},"storage":{"files":[{"path":"/etc/key.pem","contents":{"source":"data:,-----BEGIN%20PRIVATE%20KEY-----%0A` +
		buildtest.Canary + `%0A-----END%20PRIVATE%20KEY-----%0A"}}]}}`)
	return config
}

// TestCredentialsAreWarnedOf: whoever may pull the image can read what is in it.
func TestCredentialsAreWarnedOf(t *testing.T) {
	h := layeredHarness(t, configA)
	h.api.Put(credentials())
	h.want("rendered-worker-key")
	h.settle(worker)
	h.complete(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished)
	require.Contains(t, message, "Warning: MachineConfig rendered-worker-key puts into the image what looks like a credential: /etc/key.pem (private key)")
	require.NotContains(t, fmt.Sprint(message, h.events), buildtest.Canary, "path and kind, never content")

	h.restart()
	h.api.ResetCalls()
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Empty(t, h.api.Calls(), "the warning outlives the controller")
}

// TestFindingsOfPastConfigsAreForgotten: configs come and go for as long as the controller
// runs.
func TestFindingsOfPastConfigsAreForgotten(t *testing.T) {
	h := layeredHarness(t, configA)
	for i := range 5 {
		config := credentials()
		config.Name = fmt.Sprintf("rendered-worker-key-%d", i)
		h.api.Put(config)
		h.want(config.Name)
		h.settle(worker)
	}
	require.Len(t, h.ctrl.observer.knowledge.configs.facts, 1)
}

// TestCredentialsAreRefused: with the setting, no build is spent on them.
func TestCredentialsAreRefused(t *testing.T) {
	h := layeredHarness(t, configA)
	h.editSettings(map[string]string{constants.RejectCredentialsKey: "true"})
	h.api.Put(credentials())
	h.want("rendered-worker-key")
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonCredentialsInConfig)
	require.Contains(t, message, "MachineConfig rendered-worker-key, key spec.config: puts into the image what looks like a credential: /etc/key.pem (private key)")
	require.Empty(t, h.api.Builds())
	require.Empty(t, h.api.InputSecrets())

	h.editSettings(map[string]string{constants.RejectCredentialsKey: "false"})
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1)
}

// TestLargeConfig: inputs that are larger than a Secret are spread over several, and
// all of them go with the end of the build; beyond a limit they are refused.
func TestLargeConfig(t *testing.T) {
	random := make([]byte, 3<<20)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(random)
	raw := fmt.Appendf(nil, `{"ignition":{"version":"3.4.0"},"storage":{"files":[{"path":"/etc/large","contents":{"source":"data:,%x"}}]}}`, random[:2<<20])
	h := layeredHarness(t, configA)
	large := buildtest.RenderedConfig("rendered-worker-large")
	large.Spec.Config.Raw = raw
	h.api.Put(large)
	h.want(large.Name)
	h.settle(worker)
	name := h.newestBuild(worker)
	require.Equal(t, []string{name, name + "-in-1", name + "-in-2"}, h.api.InputSecrets(), "two MiB of noise, in hexadecimal digits")
	require.Len(t, h.build(name).Spec.Source.Secrets, 3)
	h.complete(worker)
	require.Empty(t, h.api.InputSecrets())

	tooLarge := buildtest.RenderedConfig("rendered-worker-too-large")
	tooLarge.Spec.Config.Raw = fmt.Appendf(nil, `{"ignition":{"version":"3.4.0"},"storage":{"files":[{"path":"/etc/large","contents":{"source":"data:,%s"}}]}}`, strings.Repeat("x", 17<<20))
	h.api.Put(tooLarge)
	h.want(tooLarge.Name)
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRenderedConfigInvalid)
	require.Contains(t, message, "is 17.0 MiB; at most 16.0 MiB can be built from")
}

// TestEntitledContent: what exists is given to the build, and its renewal builds
// nothing.
func TestEntitledContent(t *testing.T) {
	h := layeredHarness(t, configA)
	entitlement := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.EntitlementSecretName}}
	h.api.Put(entitlement)
	h.api.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.RepositoriesConfigName}})
	h.settle(worker)
	var paths []string
	for _, volume := range h.build(h.newestBuild(worker)).Spec.Strategy.DockerStrategy.Volumes {
		paths = append(paths, string(volume.Source.Type)+" "+volume.Mounts[0].DestinationPath)
	}
	slices.Sort(paths)
	require.Equal(t, []string{"ConfigMap /etc/yum.repos.d", "Secret /etc/pki/entitlement"}, paths)
	h.complete(worker)
	h.api.Put(entitlement)
	h.pass(time.Hour, worker)
	require.Len(t, h.api.Builds(), 1)
}

// TestRenewedEntitlementTriesAgain: a build that failed for want of an entitlement is
// tried again when there is one.
func TestRenewedEntitlementTriesAgain(t *testing.T) {
	h := layeredHarness(t, configA)
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "dnf failed")
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
	h.api.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.EntitlementSecretName}})
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
}
