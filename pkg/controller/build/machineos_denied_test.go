package build

import (
	"errors"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// deniable is an informer whose list may be refused.
type deniable struct {
	cache.SharedIndexInformer
	failed cache.WatchErrorHandlerWithContext
	denied bool
}

// HasSynced is so once the cache has been filled.
func (d *deniable) HasSynced() bool { return !d.denied }

func (d *deniable) SetWatchErrorHandlerWithContext(handler cache.WatchErrorHandlerWithContext) error {
	d.failed = handler
	return nil
}

func (d *deniable) deny(t testing.TB, resource string) {
	d.denied = true
	d.failed(t.Context(), cache.NewReflector(nil, nil, nil, 0), apierrors.NewForbidden(mcfgv1.Resource(resource), "", errors.New("the role lacks it")))
}

// TestMachineOSDenied: while MachineOSConfigs or MachineOSBuilds may not be listed, the pools
// wait that are known to be a MachineOSConfig's, as they are, and an event says so; all others
// are served.
func TestMachineOSDenied(t *testing.T) {
	const infra = "infra"
	labelled := func(h *harness) {
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
			p.Labels = map[string]string{ctrlcommon.LayeringEnabledPoolLabel: ""}
		})
	}
	for name, test := range map[string]struct {
		reason string
		denied []string
		change func(*harness)
		says   string
	}{
		"neither may be":                 {reason: "the record is of a MachineOSConfig", denied: []string{"machineosconfigs", "machineosbuilds"}, says: "MachineOSConfigs cannot be watched"},
		"the pool has the label as well": {reason: "by it alone the pool would be built anew with other settings", denied: []string{"machineosconfigs"}, change: labelled, says: "MachineOSConfigs cannot be watched"},
		"MachineOSBuilds may not be":     {reason: "the MachineOSConfig says whose it is", denied: []string{"machineosbuilds"}, says: "MachineOSBuilds cannot be watched"},
		"so, and there is no record of it": {reason: "the MachineOSConfig says whose it is", denied: []string{"machineosbuilds"}, says: "MachineOSBuilds cannot be watched",
			change: func(h *harness) {
				labelled(h)
				h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations = nil })
			}},
	} {
		t.Run(name, func(t *testing.T) {
			h := machineOSHarness(t, everyConfig(), buildtest.MachineOSConfig(worker))
			h.settle(worker)
			h.succeed()
			h.want(configB)
			if test.change != nil {
				test.change(h)
			}
			before, config := h.api.Pool(worker), h.api.MachineOSConfig(worker)
			h.denied, h.events = test.denied, nil
			h.restart()
			h.api.ResetCalls()
			h.settle(worker)
			h.pass(time.Hour, worker)
			require.Empty(t, h.api.Calls(), test.reason)
			require.Equal(t, before, h.api.Pool(worker))
			require.Equal(t, config, h.api.MachineOSConfig(worker))
			require.Len(t, h.events, 1, "it is said once")
			require.Contains(t, h.events[0], "Warning "+ledger.ReasonRequestRefused+" "+test.says)
			require.Contains(t, h.events[0], "oc apply -f hack/deploy/machine-os-configs/rbac.yaml")

			h.api.Put(goodInputs()[0])
			h.api.Put(buildtest.Pool(infra).Layered().Wants(configB).Object())
			h.settle(infra)
			h.pass(time.Minute, infra)
			require.Len(t, h.activeBuilds(), 1, "a pool that only ever had the label is served")

			h.denied = nil
			h.restart()
			h.settle(worker)
			h.pass(time.Minute, worker)
			require.Equal(t, configB, h.record(worker).Config, "and it goes on when they may be listed")
			require.True(t, h.record(worker).IsOfMachineOS())
		})
	}
}

// TestMachineOSDeniedInMidBuild: a build that runs is followed to its end, and published on the
// pool, also while nobody can tell what the MachineOSConfig says.
func TestMachineOSDeniedInMidBuild(t *testing.T) {
	h := machineOSHarness(t, buildtest.MachineOSConfig(worker))
	h.settle(worker)
	running := h.newestBuild(worker)
	h.denied = []string{"machineosconfigs"}
	h.restart()
	h.settle(worker)
	require.Equal(t, []string{running}, h.activeBuilds())
	h.api.CompleteBuild(running, buildtest.DigestOf(running))
	h.settle(worker)
	require.Equal(t, h.image(running), h.record(worker).Image)
	require.Empty(t, h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec)
	h.denied = nil
	h.restart()
	h.settle(worker)
	require.Equal(t, h.image(running), string(h.api.MachineOSConfig(worker).Status.CurrentImagePullSpec))
}
