package build

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestNewConfigIsNotReadAgain: what the informer brought moments ago is not asked for,
// and makes the same inputs.
func TestNewConfigIsNotReadAgain(t *testing.T) {
	inputsWith := func(atHand bool) any {
		h := newHarness(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
		if atHand {
			h.ctrl.executor.source.(*liveSource).takeContent = func(config *mcfgv1.MachineConfig) []byte {
				require.Equal(t, "rendered-worker-1", config.Name)
				return buildtest.RenderedConfig(config.Name).Spec.Config.Raw
			}
		}
		read := false
		for range 3 {
			_, err := h.sync(worker)
			require.NoError(t, err)
		}
		for _, call := range h.api.Calls() {
			read = read || call.String() == "get machineconfigs"
		}
		require.Equal(t, !atHand, read)
		for _, object := range h.api.All("secrets") {
			if secret := object.(*corev1.Secret); secret.Name == h.newestBuild(worker) {
				return secret.Data
			}
		}
		return nil
	}
	read := inputsWith(false)
	require.NotNil(t, read)
	require.Equal(t, read, inputsWith(true))
}

// TestHappyCycle follows one image from opt-in to published, and counts what it
// costs: nine calls, one of them a read, and one more for the build of the image
// before, which is removed; and after it nothing.
func TestHappyCycle(t *testing.T) {
	objects := append(goodInputs("rendered-worker-1", "rendered-worker-2"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())
	h := newHarness(t, objects...)
	cycle := func(config string, digest string) {
		h.api.ResetCalls()
		_, err := h.sync(worker)
		require.NoError(t, err)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
		name := h.newestBuild(worker)

		for _, phase := range []buildv1.BuildPhase{buildv1.BuildPhasePending, buildv1.BuildPhaseRunning} {
			h.api.RunBuild(name, phase)
			_, err = h.sync(worker)
			require.NoError(t, err)
		}
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)

		h.api.CompleteBuild(name, digest)
		_, err = h.sync(worker)
		require.NoError(t, err)
		h.requirePublished(worker, config, digest)
		require.Contains(t, h.api.InputSecrets(), name, "inputs stay until the published record has been seen")

		_, err = h.sync(worker)
		require.NoError(t, err)
		require.NotContains(t, h.api.InputSecrets(), name, "inputs of a finished build are removed")
	}

	cycle("rendered-worker-1", buildtest.Digest(1))

	// The first cycle read both secrets; they have not changed since.
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = "rendered-worker-2" })
	h.api.ResetCalls()
	cycle("rendered-worker-2", buildtest.Digest(2))
	var calls []string
	for _, call := range h.api.Calls() {
		calls = append(calls, call.String())
	}
	require.Equal(t, []string{
		"get machineconfigs",
		"patch machineconfigpools",
		"create secrets",
		"create builds",
		"patch machineconfigpools/status",
		"patch machineconfigpools/status",
		"patch machineconfigpools",
		"patch machineconfigpools/status",
		"delete secrets",
		"delete builds",
	}, calls, "the order of effects in doc.go")

	h.settle(worker)
	require.Len(t, h.events, 4, "one event per start and per success: %v", h.events)
}
