package build

import (
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

// Lessons about objects that vanish, or seem to.

// TestL07BuildDeletedByHand: the pool stayed Building for ever.
func TestL07BuildDeletedByHand(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.RunBuild(first, buildv1.BuildPhaseRunning)
	h.settle(worker)
	h.api.Remove("builds", ctrlcommon.MCONamespace, first)
	h.clock.Step(time.Minute)
	h.settle(worker)
	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker), "the next attempt has a fresh name")
	require.Len(t, h.api.Builds(), 1)
	require.Equal(t, []string{h.newestBuild(worker)}, h.api.InputSecrets(), "the inputs of the deleted Build are gone")
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
}

// TestL07CacheLagIsNoDeletion: that the cache does not show a Build (yet) proves
// nothing.
func TestL07CacheLagIsNoDeletion(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.clock.Step(time.Minute)
	h.deliver()
	require.NoError(t, h.caches["builds"].Replace(nil, ""))
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale)
	require.Len(t, h.api.Builds(), 1)
	require.Equal(t, 1, h.record(worker).Attempt)
}

// TestH05ObjectsVanish: whatever vanishes, at whatever moment, nothing panics and
// the pool's state stays honest.
func TestH05ObjectsVanish(t *testing.T) {
	vanish := map[string]func(h *harness){
		"ConfigMap":        func(h *harness) { h.api.Remove("configmaps", ctrlcommon.MCONamespace, constants.ConfigMapName) },
		"push secret":      func(h *harness) { h.api.Remove("secrets", ctrlcommon.MCONamespace, buildtest.PushSecret) },
		"MachineConfig":    func(h *harness) { h.api.Remove("machineconfigs", "", "rendered-worker-1") },
		"ControllerConfig": func(h *harness) { h.api.Remove("controllerconfigs", "", ctrlcommon.ControllerConfigName) },
		"pool":             func(h *harness) { h.api.Remove("machineconfigpools", "", worker) },
		"Build": func(h *harness) {
			for _, b := range h.api.Builds() {
				h.api.Remove("builds", b.Namespace, b.Name)
			}
		},
		"input secret": func(h *harness) {
			for _, name := range h.api.InputSecrets() {
				h.api.Remove("secrets", ctrlcommon.MCONamespace, name)
			}
		},
	}
	steps := []func(h *harness){
		func(*harness) {},
		func(h *harness) { h.settle(worker) },
		func(h *harness) { h.api.RunBuild(h.newestBuild(worker), buildv1.BuildPhaseRunning) },
		func(h *harness) { h.settle(worker) },
		func(h *harness) { h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1)) },
		func(h *harness) { h.settle(worker) },
	}
	for what, remove := range vanish {
		for after := range steps {
			for _, unseen := range []bool{false, true} {
				h := layeredHarness(t, "rendered-worker-1")
				for _, step := range steps[:after+1] {
					step(h)
				}
				h.deliver()
				remove(h)
				require.NotPanics(t, func() {
					if unseen {
						_, _ = h.syncStale(worker)
					}
					h.settle(worker)
				}, "%s vanishes after step %d", what, after)
				if what == "pool" {
					require.Empty(t, h.api.Builds(), "the garbage collector took what the pool owned")
				}
			}
		}
	}
}

// TestH28DanglingRecord: a record of a build that vanished froze the pool.
func TestH28DanglingRecord(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	dangling := ledger.Record{Build: "machine-os-worker-gone-1", Fingerprint: "of other inputs", Config: "rendered-worker-0", Attempt: 1, ClaimedAt: h.clock.Now().Add(-time.Hour)}
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		p.Annotations = map[string]string{constants.BuildRecordAnnotation: dangling.String()}
	})
	_, err := h.sync(worker)
	require.NoError(t, err)
	require.Len(t, h.api.Builds(), 1, "one sync heals it")
	require.Equal(t, "rendered-worker-1", h.record(worker).Config)
}
