package build

import (
	"errors"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
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
