package build

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Lessons about controllers that start beside what others did before.

// TestH15BuildEndedWhileDown: the controller starts beside a finished Build.
func TestH15BuildEndedWhileDown(t *testing.T) {
	for phase, want := range map[buildv1.BuildPhase]mcfgv1.MachineConfigPoolConditionType{
		buildv1.BuildPhaseComplete:  mcfgv1.MachineConfigPoolBuildSuccess,
		buildv1.BuildPhaseFailed:    mcfgv1.MachineConfigPoolBuildFailed,
		buildv1.BuildPhaseError:     mcfgv1.MachineConfigPoolBuildFailed,
		buildv1.BuildPhaseCancelled: mcfgv1.MachineConfigPoolBuildInterrupted,
	} {
		t.Run(string(phase), func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			h.settle(worker)
			h.api.FailBuild(h.newestBuild(worker), phase, buildv1.StatusReasonOutOfMemoryKilled, "ended")
			if phase == buildv1.BuildPhaseComplete {
				h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
			}
			h.restart()
			p := h.settle(worker)
			h.requireCondition(worker, want, p.Reason)
			require.Len(t, h.api.Builds(), 1, "no second Build")
		})
	}
}

// TestH16ConfigChangedWhileDown: the controller starts with another config wanted
// than the recorded one.
func TestH16ConfigChangedWhileDown(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.want("rendered-worker-2")
	h.restart()
	h.settle(worker)
	require.Equal(t, "rendered-worker-2", h.record(worker).Config)
	require.Len(t, h.api.Builds(), 2)
	require.Equal(t, "rendered-worker-1", h.api.Pool(worker).Annotations[constants.DesiredOSImageConfigAnnotation], "the old image stays published until the new one is there")
}

// TestH32RebuildIsActedOnOnce: a request for a rebuild was lost on restart.
func TestH32RebuildIsActedOnOnce(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.RebuildRequestedAnnotation] = "please" })
	h.restart()
	h.settle(worker)
	require.Len(t, h.api.Builds(), 2)
	require.Equal(t, "please", h.api.Pool(worker).Annotations[constants.RebuildObservedAnnotation])
	require.Equal(t, buildtest.Repository+"@"+buildtest.Digest(1), h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation], "the old image stays until the new one is there")
	h.restart()
	h.settle(worker)
	require.Len(t, h.api.Builds(), 2, "once")
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestH35RestartChangesNothing: output that differed from run to run made
// objects churn.
func TestH35RestartChangesNothing(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	for range 100 {
		h.restart()
		h.api.ResetCalls()
		_, err := h.sync(worker)
		require.NoError(t, err)
		require.Empty(t, h.api.Calls())
	}
}
