package build

import (
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestR05TheLogDecides: a Build turned Failed, and its log, which said that the push was
// refused, came in a later write: another attempt was made for nothing.
func TestR05TheLogDecides(t *testing.T) {
	failed := func(h *harness) {
		h.settle(worker)
		h.api.EditBuild(h.newestBuild(worker), func(b *buildv1.Build) {
			b.Status.Phase, b.Status.Reason, b.Status.Message = buildv1.BuildPhaseFailed, buildv1.StatusReasonPushImageToRegistryFailed, "Failed to push the image to the registry."
		})
		h.deliver()
		h.settle(worker)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
		require.Len(t, h.api.Builds(), 1)
	}
	t.Run("the rest comes", func(t *testing.T) {
		h := layeredHarness(t, configA)
		failed(h)
		h.pass(5*time.Second, worker)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
		h.api.EditBuild(h.newestBuild(worker), func(b *buildv1.Build) {
			b.Status.LogSnippet = "unauthorized: access to the requested resource is not authorized"
			b.Status.CompletionTimestamp = &metav1.Time{Time: h.clock.Now()}
		})
		h.deliver()
		h.settle(worker)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
		h.pass(time.Hour, worker)
		require.Len(t, h.api.Builds(), 1, "one attempt")
	})
	t.Run("the rest never comes", func(t *testing.T) {
		h := layeredHarness(t, configA)
		failed(h)
		h.pass(29*time.Second, worker)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
		h.pass(2*time.Second, worker)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled)
	})
}
