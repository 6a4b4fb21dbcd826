package build

import (
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestReportsAreNotForcedThrough: whoever takes a report back, such as a second
// controller with older caches, is not fought over it as fast as both can.
func TestReportsAreNotForcedThrough(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	wait := firstRestraint
	for range 3 {
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = nil })
		p := h.settle(worker)
		require.Empty(t, h.api.Pool(worker).Status.Conditions, "it was reported a moment ago")
		require.InDelta(t, wait, p.RequeueAfter, float64(time.Second), "it is reported later, and the later the more often that was")
		h.pass(p.RequeueAfter, worker)
		h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
		wait *= 2
	}

	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = nil })
	h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning)
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
}

// TestMendedReportIsNoNews: putting conditions right that someone spoiled announces
// nothing a second time.
func TestMendedReportIsNoNews(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
	h.settle(worker)
	announced := len(h.events)
	require.NotZero(t, announced)

	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		for i := range p.Status.Conditions {
			if c := &p.Status.Conditions[i]; c.Type == mcfgv1.MachineConfigPoolBuildPending {
				c.Message = "spoiled"
			}
		}
	})
	h.pass(firstRestraint, worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
	require.NotContains(t, h.api.Pool(worker).Status.Conditions[0].Message, "spoiled")
	require.Len(t, h.events, announced)
}
