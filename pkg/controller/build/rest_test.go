package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

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
	require.Empty(t, h.ctrl.rest.pools, "nothing is remembered of a pool that is gone")
	require.Empty(t, h.ctrl.rest.news)
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
