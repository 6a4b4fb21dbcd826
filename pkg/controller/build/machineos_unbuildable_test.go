package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestMachineOSUnbuildable: what people wrote and nobody can build is a failure where they
// look for one. It ends by itself when that is mended.
func TestMachineOSUnbuildable(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) {
		c.Spec.Containerfile = []mcfgv1.MachineOSContainerfile{{Content: "INSTALL tree\n"}}
	}))
	h.settle(worker)
	failed := h.machineOSBuild()
	require.Contains(t, h.requireProgress(failed, mcfgv1.MachineOSBuildFailed, ledger.ReasonCustomContentInvalid), "spec.containerFile[NoArch].content: line 1: ")
	require.Empty(t, h.api.Builds(), "without any build")
	require.Contains(t, h.requireDegraded(corev1.ConditionTrue, ledger.DegradedBuildFailed), "Failed to build OS image for pool worker (MachineOSBuild: "+failed.Name+"): ")
	h.api.EditMachineOSConfig(worker, func(c *mcfgv1.MachineOSConfig) { c.Spec.Containerfile = nil })
	h.settle(worker)
	h.pass(time.Minute, worker)
	h.requireDegraded(corev1.ConditionFalse, ledger.DegradedBuilding)
	require.Len(t, h.api.MachineOSBuilds(), 1, "the failed one is gone")
	h.succeed()
	h.requireDegraded(corev1.ConditionFalse, ledger.DegradedBuildSuccess)
}

// TestMachineOSSecretMissing: a Secret that is missing for some seconds, as when people opt in
// or out, fails nothing.
func TestMachineOSSecretMissing(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	namespace := buildtest.SettingsConfigMap().Namespace
	h.api.Remove("secrets", namespace, buildtest.PushSecret)
	h.settle(worker)
	h.pass(50*time.Second, worker)
	h.requireProgress(h.machineOSBuild(), mcfgv1.MachineOSBuildPrepared, ledger.ReasonSecretMissing)
	p := h.pass(10*time.Second, worker)
	require.Zero(t, p.RequeueAfter)
	failed := h.machineOSBuild()
	h.requireProgress(failed, mcfgv1.MachineOSBuildFailed, ledger.ReasonSecretMissing)
	h.requireDegraded(corev1.ConditionTrue, ledger.DegradedBuildFailed)
	h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
	h.settle(worker)
	h.pass(time.Minute, worker)
	require.Equal(t, failed.Name, h.machineOSBuild().Name)
	require.NotEqual(t, failed.UID, h.machineOSBuild().UID, "its last word was another one")
	h.succeed()
	h.requireConfig(worker, ledger.ConfigReady, ledger.ReasonImagePublished)

	// Opting out deletes the Secrets first.
	h.want(configB)
	h.pass(time.Minute, worker)
	h.api.Remove("secrets", namespace, buildtest.PushSecret)
	h.settle(worker)
	h.requireDegraded(corev1.ConditionFalse, ledger.DegradedBuildSuccess)
}
