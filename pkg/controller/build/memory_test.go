package build

import (
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// firstRestraint is for how long a controller refrains from writing the same once more.
const firstRestraint = 10 * time.Second

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

func TestWritesPending(t *testing.T) {
	at := time.Unix(1700000000, 0)
	version := func(v string) *mcfgv1.MachineConfigPool {
		pool := buildtest.Pool(worker).Object()
		pool.ResourceVersion = v
		return pool
	}
	for name, test := range map[string]struct {
		reason, written, cached string
		after                   time.Duration
		want                    bool
	}{
		"older":               {reason: "the write has not arrived", written: "10", cached: "9", want: true},
		"same":                {reason: "it has", written: "10", cached: "10"},
		"newer":               {reason: "and more with it", written: "9", cached: "10"},
		"older for long":      {reason: "versions ran backwards; waiting for ever would wedge the pool", written: "10", cached: "9", after: writeGrace},
		"not to be compared":  {reason: "a version of another form proves nothing", written: "abc", cached: "9"},
		"other pool's writes": {reason: "nothing was written", cached: "9"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			if test.written != "" {
				m.wrote(version(test.written), at)
			}
			require.Equal(t, test.want, m.isWritePending(version(test.cached), at.Add(test.after)), test.reason)
			if !test.want {
				require.Zero(t, m.pools[worker].written, "what is settled is not kept")
			}
		})
	}
	m := newMemory()
	m.wrote(version("10"), at)
	m.forget(worker)
	require.Empty(t, m.pools)
}

// TestOwnWritesCauseNoConflict: a sync that runs before the cache shows the
// previous one's write waits for it, instead of writing on an old version.
func TestOwnWritesCauseNoConflict(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	_, err := h.sync(worker)
	require.NoError(t, err)
	h.deliver("builds", "secrets")
	h.api.ResetCalls()
	p, err := h.syncStale(worker)
	require.NoError(t, err)
	require.Equal(t, ledger.StateUnsettled, p.State)
	require.Empty(t, h.api.Calls())
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1)
}

// restingPool is a harness whose pool has its image, and was found at rest.
func restingPool(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t, append(goodInputs("rendered-worker-1"), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	h.settle(worker)
	h.api.CompleteBuild(h.api.Builds()[0].Name, buildtest.Digest(1))
	require.Equal(t, ledger.StatePublished, h.settle(worker).State)
	require.True(t, h.restsOn(worker), "nothing has changed since")
	return h
}

func (h *harness) restsOn(name string) bool {
	h.t.Helper()
	pool, err := h.ctrl.mcpLister.Get(name)
	require.NoError(h.t, err)
	_, ok, _ := h.ctrl.isAtRest(pool)
	return ok
}

// TestRestEndsWithAnyChange: a pool at rest is looked at anew when anything that it
// depends on is another object than it was.
func TestRestEndsWithAnyChange(t *testing.T) {
	inNamespace := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: name}
	}
	for name, test := range map[string]struct {
		reason string
		change func(h *harness)
		kind   string
	}{
		"pool": {reason: "annotations can be spoiled", kind: "machineconfigpools", change: func(h *harness) {
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations["x"] = "y" })
		}},
		"config":     {reason: "it can be edited by hand", kind: "machineconfigs", change: func(h *harness) { h.api.Put(buildtest.RenderedConfig("rendered-worker-1")) }},
		"base image": {reason: "it decides the image", kind: "controllerconfigs", change: func(h *harness) { h.api.Put(buildtest.ControllerConfig(buildtest.BaseImage)) }},
		"settings":   {reason: "the repository is among them", kind: "configmaps", change: func(h *harness) { h.api.Put(buildtest.SettingsConfigMap()) }},
		"settings gone": {reason: "that is a change, too", kind: "configmaps", change: func(h *harness) {
			h.api.Remove("configmaps", ctrlcommon.MCONamespace, buildtest.SettingsConfigMap().Name)
		}},
		"custom":       {reason: "custom content appears", kind: "configmaps", change: func(h *harness) { h.api.Put(&corev1.ConfigMap{ObjectMeta: inNamespace(inputs.CustomConfigMapName)}) }},
		"repositories": {reason: "repositories appear", kind: "configmaps", change: func(h *harness) { h.api.Put(&corev1.ConfigMap{ObjectMeta: inNamespace(inputs.RepositoriesConfigName)}) }},
	} {
		t.Run(name, func(t *testing.T) {
			h := restingPool(t)
			test.change(h)
			require.True(t, h.restsOn(worker), "the caches do not have it yet")
			h.api.Fill(h.caches[test.kind], test.kind)
			require.False(t, h.restsOn(worker), test.reason)
		})
	}
	for name, key := range map[string]string{"entitlement": inputs.EntitlementSecretName, "signing keys": inputs.SigningKeysSecretName} {
		t.Run(name, func(t *testing.T) {
			h := restingPool(t)
			h.api.Put(&corev1.Secret{ObjectMeta: inNamespace(key)})
			h.api.FillMetadata(h.metadata, "secrets")
			require.False(t, h.restsOn(worker), "entitled content appears")
		})
	}
}

// TestBuilderNewsEndsRest: also news that comes while the pool is looked at, for what was
// observed may be from before it.
func TestBuilderNewsEndsRest(t *testing.T) {
	h := restingPool(t)
	h.ctrl.enqueueFromBuilder(worker)
	require.False(t, h.restsOn(worker))

	h = restingPool(t)
	h.ctrl.enqueueFromBuilder("")
	require.False(t, h.restsOn(worker), "news of every pool is news of this one")

	h = restingPool(t)
	pool, err := h.ctrl.mcpLister.Get(worker)
	require.NoError(t, err)
	p, _, found := h.ctrl.isAtRest(pool)
	h.ctrl.enqueueFromBuilder(worker)
	h.ctrl.noteRest(worker, p, found)
	require.False(t, h.restsOn(worker))
}

// TestOnlyTheSatisfiedRest: every other state depends on more than on what is compared.
func TestOnlyTheSatisfiedRest(t *testing.T) {
	h := newHarness(t, append(goodInputs(), buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())...)
	h.settle(worker)
	require.Equal(t, ledger.StateHeld, h.pass(time.Minute, worker).State)
	require.False(t, h.restsOn(worker), "a hold may have to do with the time, the backend or a Secret")

	h = newHarness(t, buildtest.Pool(worker).Object())
	require.Equal(t, ledger.StateNotOptedIn, h.settle(worker).State)
	require.True(t, h.restsOn(worker), "a pool that did not opt in has nothing to wait for")
	h.api.Remove("machineconfigpools", "", worker)
	h.settle(worker)
	require.Empty(t, h.ctrl.memory.pools, "nothing is remembered of a pool that is gone")
}

// TestRestraintIsNoRest: a report that is put off is due later, though nothing changes.
func TestRestraintIsNoRest(t *testing.T) {
	h := restingPool(t)
	spoil := func() {
		h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = p.Status.Conditions[1:] })
	}
	spoil()
	_, err := h.sync(worker)
	require.NoError(t, err)
	spoil()
	p, err := h.sync(worker)
	require.NoError(t, err)
	require.Positive(t, p.RequeueAfter)
	require.False(t, h.restsOn(worker))
}

// TestAskingForAnotherImage: how long a registry has not answered for one build says nothing
// of the next one.
func TestAskingForAnotherImage(t *testing.T) {
	m, now := newMemory(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	silence := plan.FoundImage{Why: "connection refused"}
	require.False(t, m.noteFound(worker, "first", silence, false, now))
	now = now.Add(time.Hour)
	require.False(t, m.noteFound(worker, "second", silence, false, now), "it was asked for the first time")
	require.Empty(t, m.foundOf(worker))
	require.True(t, m.noteFound(worker, "second", silence, false, now.Add(lastingAfter)))
	require.Equal(t, map[string]plan.FoundImage{"second": silence}, m.foundOf(worker))
	require.True(t, m.noteFound(worker, "third", silence, true, now), "a final answer is not waited for")
}
