package build

import (
	"errors"
	"slices"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestNewerBuildIsNotStopped: the cached pool tells of one build, while another
// controller has claimed the next one since.
func TestNewerBuildIsNotStopped(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	newer := h.api.Builds()[0].DeepCopy()
	newer.Name, newer.UID = "machine-os-worker-newer-1", "uid-of-newer"
	newer.Annotations[constants.BuildNameAnnotation] = newer.Name
	h.api.Put(newer)
	record := *h.record(worker)
	record.Build = newer.Name
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.BuildRecordAnnotation] = record.String() })

	h.deliver("builds", "secrets")
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale)
	for _, b := range h.api.Builds() {
		require.False(t, b.Status.Cancelled, "%s is stopped on a state that has passed", b.Name)
	}
}

// TestAbsentBuildIsNotAdopted: the cache shows a build that was removed a moment
// ago, and the pool's record of it is lost.
func TestAbsentBuildIsNotAdopted(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.Remove("builds", ctrlcommon.MCONamespace, h.newestBuild(worker))
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.BuildRecordAnnotation) })

	h.deliver("machineconfigpools")
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale)
	require.NotContains(t, h.api.Pool(worker).Annotations, constants.BuildRecordAnnotation)
}

// TestNothingIsBuiltForAPoolThatIsGone: the cache shows a claim whose build could
// not be created, of a pool that does not exist any more.
func TestNothingIsBuiltForAPoolThatIsGone(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Fault = func(c buildtest.Call) error {
		if c.Verb == "create" && c.Resource == "builds" {
			return errors.New("not now")
		}
		return nil
	}
	_, err := h.sync(worker)
	require.Error(t, err)
	h.deliver()
	require.NotNil(t, h.record(worker))
	h.api.Fault = nil
	h.api.Remove("machineconfigpools", "", worker)
	h.clock.Step(time.Minute)
	_, err = h.syncStale(worker)
	require.Error(t, err)
	require.Empty(t, h.api.Builds())
}

// TestConfigOfAnotherVersionIsNotBuilt: the config was edited by hand, and the cache
// does not show it yet. Its image would pass for that of the config before.
func TestConfigOfAnotherVersionIsNotBuilt(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	edited := buildtest.RenderedConfig("rendered-worker-1")
	edited.Generation = 2
	h.api.Put(edited)
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale)
	require.NotContains(t, h.api.Pool(worker).Annotations, constants.BuildRecordAnnotation)
}

// TestNamesakeIsNotDeleted: a build is deleted by its UID, not by its name alone.
func TestNamesakeIsNotDeleted(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	// Whether that is an error is the adapter's to say.
	_ = h.ctrl.builder.Delete(t.Context(), h.newestBuild(worker), "uid-of-a-predecessor")
	require.Len(t, h.api.Builds(), 1)
}

// TestUnansweredConfirmationKeepsWhatIsTold: the cache lacks a build, and the cluster does
// not answer whether it exists. What the pool tells of the build stays; otherwise the build
// would be made once more, which tells the same again, and so on without a pause.
func TestUnansweredConfirmationKeepsWhatIsTold(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	name := h.newestBuild(worker)
	h.api.RunBuild(name, buildv1.BuildPhaseRunning)
	h.settle(worker)
	running := h.build(name)
	before := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
	h.api.Remove("builds", ctrlcommon.MCONamespace, name)
	h.deliver("builds")
	h.api.Put(running)
	h.clock.Step(time.Minute)
	allow := h.refuse("get", "builds", "", forbidden("builds"))
	h.api.ResetCalls()
	for range 5 {
		h.deliver("machineconfigpools")
		_, err := h.syncStale(worker)
		require.Error(t, err)
		told := ledger.ReadConditions(h.api.Pool(worker).Status.Conditions)
		require.Equal(t, []any{ledger.StateBuilding, before}, []any{told.State, told.Message})
		require.Contains(t, told.Refusal, "could not get Build "+name)
	}
	calls := h.api.Calls()
	require.Len(t, slices.DeleteFunc(calls, func(c buildtest.Call) bool { return c.Verb == "get" }), 1, "it is said once")

	allow()
	h.settle(worker)
	require.Empty(t, h.refusal())
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning)
}
