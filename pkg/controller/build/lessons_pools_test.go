package build

import (
	"fmt"
	"strings"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Lessons about pools: how many there are, what they are called, who else writes them,
// and how they come and go.

// TestL09H09OptOut: the Build kept running, the conditions stayed.
func TestL09H09OptOut(t *testing.T) {
	for _, phase := range []buildv1.BuildPhase{buildv1.BuildPhaseNew, buildv1.BuildPhaseRunning, buildv1.BuildPhaseComplete, buildv1.BuildPhaseFailed} {
		t.Run(string(phase), func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			before := h.api.Pool(worker)
			h.settle(worker)
			h.api.RunBuild(h.newestBuild(worker), phase)
			h.settle(worker)

			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Labels, ctrlcommon.LayeringEnabledPoolLabel) })
			h.restart()
			h.settle(worker)
			require.Empty(t, h.api.Builds())
			require.Empty(t, h.api.InputSecrets())
			after := h.api.Pool(worker)
			require.Empty(t, after.Annotations)
			require.Empty(t, after.Status.Conditions)
			require.Equal(t, before.Spec, after.Spec)
		})
	}
}

// TestOptOutAndInAgain: within the cache's lag the pool looks opted out.
func TestOptOutAndInAgain(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = "false" })
	h.deliver()
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = "" })
	_, err := h.syncStale(worker)
	require.ErrorIs(t, err, errStale, "one live look keeps the Build from being deleted")
	require.Len(t, h.api.Builds(), 1)
}

// TestL12AnyPoolName: a pool name of 22 or more characters made objects that the
// API rejects.
func TestL12AnyPoolName(t *testing.T) {
	for length := 1; length <= 253; length++ {
		name := strings.Repeat("p", length)
		h := newHarness(t, append(goodInputs("rendered-1"), buildtest.Pool(name).Layered().Wants("rendered-1").Object())...)
		h.settle(name)
		h.api.CompleteBuild(h.newestBuild(name), buildtest.Digest(1))
		h.settle(name)
		h.requirePublished(name, "rendered-1", buildtest.Digest(1))
	}
}

// TestH02ManyPoolsAtOnce: pools that built at once, with the same settings and
// secrets, failed.
func TestH02ManyPoolsAtOnce(t *testing.T) {
	objects := goodInputs()
	var names []string
	for i := range 20 {
		name := fmt.Sprintf("pool-%d", i)
		names = append(names, name)
		objects = append(objects, buildtest.RenderedConfig("rendered-"+name), buildtest.Pool(name).Layered().Wants("rendered-"+name).Object())
	}
	h := newHarness(t, objects...)
	shared := h.api.All("configmaps")
	for _, name := range names {
		h.settle(name)
	}
	require.Len(t, h.api.Builds(), 20)
	for i, name := range names {
		h.api.CompleteBuild(h.newestBuild(name), buildtest.Digest(i))
	}
	for i, name := range names {
		h.settle(name)
		h.requirePublished(name, "rendered-"+name, buildtest.Digest(i))
	}
	require.Equal(t, shared, h.api.All("configmaps"), "no shared object is written")
}

// TestH29RecreatedPool: Builds of a deleted pool of the same name are none of the
// new one's.
func TestH29RecreatedPool(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	old := h.newestBuild(worker)
	stale := h.api.Builds()[0]

	h.api.Remove("machineconfigpools", "", worker)
	recreated := buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object()
	recreated.UID = "another-uid"
	h.api.Put(recreated)
	h.api.Put(stale) // as if the garbage collector had not come to it yet
	events := len(h.events)
	h.settle(worker)
	require.NotEqual(t, old, h.newestBuild(worker))
	for _, event := range h.events[events:] {
		require.NotContains(t, event, old, "nobody is told of what the garbage collector is about to remove")
	}
	h.api.CompleteBuild(old, buildtest.Digest(1))
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestH31UnrelatedUpdates: pool updates that do not concern the image cost nothing.
func TestH31UnrelatedUpdates(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.api.ResetCalls()
	events := len(h.events)
	for i := range 1000 {
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
			p.Labels["unrelated"] = fmt.Sprint(i)
			p.Status.ReadyMachineCount = int32(i)
		})
		_, err := h.sync(worker)
		require.NoError(t, err)
	}
	require.Empty(t, h.api.Calls(), "no read, no write")
	require.Len(t, h.events, events)
}

// TestNodeControllerBesideUs: on clusters from 4.18 on it takes back that ImageBuildDegraded is
// True of a pool with the label. Known of or not, the two of them come to rest.
func TestNodeControllerBesideUs(t *testing.T) {
	for name, shares := range map[string]bool{"the cluster is known to serve MachineOSConfigs": true, "it serves them since": false} {
		t.Run(name, func(t *testing.T) { nodeControllerBesideUs(t, shares) })
	}
}

func nodeControllerBesideUs(t *testing.T, shares bool) {
	t.Helper()
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2", "rendered-worker-3")
	h.sharesPools = shares
	h.restart()
	writes := 0
	nodeController := func() (wrote bool) {
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
			for i := range p.Status.Conditions {
				if c := &p.Status.Conditions[i]; c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded && c.Status == corev1.ConditionTrue {
					c.Status, c.Reason, c.Message, wrote = corev1.ConditionFalse, "NoLayeredObjects", "No layered pool objects.", true
					writes++
				}
			}
		})
		return wrote
	}
	rest := func() {
		for range 3 {
			h.settle(worker)
			if !nodeController() {
				return
			}
		}
		require.FailNow(t, "each takes back what the other one writes")
	}
	told := func() ledger.Reported { return ledger.ReadConditions(h.api.Pool(worker).Status.Conditions) }
	failed := func() {
		h.settle(worker)
		h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
		rest()
		require.Equal(t, ledger.StateFailed, told().State)
	}

	rest()
	failed()
	h.want("rendered-worker-2")
	failed()
	h.want("rendered-worker-3")
	rest()
	h.stopped(h.newestBuild(worker))
	rest()
	require.Equal(t, ledger.StateInterrupted, told().State)
	require.Equal(t, ledger.ReasonBuildCancelled, told().Reason)
	for _, c := range h.api.Pool(worker).Status.Conditions {
		require.False(t, c.Type == mcfgv1.MachineConfigPoolBuildInterrupted && c.Status == corev1.ConditionTrue, "it blocks upgrades")
		require.False(t, shares && c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded, "it is none of ours")
	}
	require.Len(t, h.eventsWith(ledger.ReasonBuildCancelled), 1)
	if shares {
		require.Zero(t, writes)
		return
	}
	require.Equal(t, 1, writes)
	require.Len(t, h.eventsWith(ledger.NoticeLabelAlone), 1, "people learn, once, what the label does there")
}
