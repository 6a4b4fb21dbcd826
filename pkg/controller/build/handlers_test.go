package build

import (
	"sort"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// queued empties the queue and returns what was in it, sorted.
func (h *harness) queued() []string {
	var names []string
	for h.ctrl.queue.Len() > 0 {
		name, _ := h.ctrl.queue.Get()
		names = append(names, name)
		h.ctrl.queue.Done(name)
	}
	sort.Strings(names)
	return names
}

func metadataOf(name string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: name}}
}

func handlersHarness(t *testing.T) *harness {
	return newHarness(t, append(goodInputs("rendered-worker-1"),
		buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object(),
		buildtest.Pool("infra").Layered().Wants("rendered-infra-1").Object(),
		buildtest.Pool("master").Wants("rendered-worker-1").Object(),
	)...)
}

// TestHandlersMapObjectsToPools: which pool a change concerns, and nothing else.
func TestHandlersMapObjectsToPools(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		kind   kind
		object any
		want   []string
	}{
		"pool": {
			reason: "opting out has to be noticed, so pools are synced whether or not they are opted in",
			kind:   watchedPools, object: buildtest.Pool("master").Object(), want: []string{"master"},
		},
		"rendered config": {
			reason: "its creation may come after the pool's change",
			kind:   watchedConfigs, object: buildtest.RenderedConfig("rendered-worker-1"), want: []string{"master", worker},
		},
		"config of no pool": {
			reason: "a cluster has many MachineConfigs that are not rendered, or not wanted",
			kind:   watchedConfigs, object: buildtest.RenderedConfig("99-worker-ssh"),
		},
		"ConfigMap": {
			reason: "the settings are everyone's",
			kind:   watchedConfigMaps, object: buildtest.SettingsConfigMap(), want: []string{"infra", worker},
		},
		"custom content": {
			reason: "it may be any pool's that changed",
			kind:   watchedConfigMaps, object: buildtest.CustomContent(""), want: []string{"infra", worker},
		},
		"repositories": {
			reason: "packages may come from them",
			kind:   watchedConfigMaps, want: []string{"infra", worker},
			object: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: inputs.RepositoriesConfigName}},
		},
		"another ConfigMap": {
			reason: "an informer may hold more than ours",
			kind:   watchedConfigMaps, object: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other"}},
		},
		"ControllerConfig": {
			reason: "it may name the base image",
			kind:   watchedControllerConfigs, object: buildtest.ControllerConfig(""), want: []string{"infra", worker},
		},
		"another ControllerConfig": {
			reason: "only one counts",
			kind:   watchedControllerConfigs, object: &mcfgv1.ControllerConfig{ObjectMeta: metav1.ObjectMeta{Name: "other"}},
		},
		"push secret": {
			reason: "a build may wait for it",
			kind:   watchedSecrets, object: metadataOf(buildtest.PushSecret), want: []string{"infra", worker},
		},
		"pull secret": {
			reason: "a build may wait for it",
			kind:   watchedSecrets, object: metadataOf(buildtest.PullSecret), want: []string{"infra", worker},
		},
		"entitlement": {
			reason: "a build may have failed for want of it",
			kind:   watchedSecrets, object: metadataOf(inputs.EntitlementSecretName), want: []string{"infra", worker},
		},
		"signing keys": {
			reason: "a build may have failed for want of them",
			kind:   watchedSecrets, object: metadataOf(inputs.SigningKeysSecretName), want: []string{"infra", worker},
		},
		"another secret": {
			reason: "the namespace has many",
			kind:   watchedSecrets, object: metadataOf("other"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := handlersHarness(t)
			handler := h.ctrl.handle(test.kind)

			handler.OnAdd(test.object, false)
			require.Equal(t, test.want, h.queued(), "add: %s", test.reason)
			handler.OnUpdate(otherThan(test.object), test.object)
			require.Equal(t, test.want, h.queued(), "update: %s", test.reason)
			handler.OnUpdate(test.object, test.object)
			require.Empty(t, h.queued(), "a resync brings no news")
			handler.OnDelete(test.object)
			require.Equal(t, test.want, h.queued(), "delete: %s", test.reason)
			require.Empty(t, h.api.Calls(), "handlers call no API")
		})
	}
}

// TestTouchedObjectsWakeNobody: ten thousand pools at rest are not looked at because of what
// nobody reads.
func TestTouchedObjectsWakeNobody(t *testing.T) {
	custom := buildtest.CustomContent("RUN true")
	custom.BinaryData = map[string][]byte{"infra": {0xff}}
	changed := custom.DeepCopy()
	changed.BinaryData["infra"] = []byte{0xfe}
	busy := buildtest.ControllerConfig("")
	busy.Status.ObservedGeneration++
	everyone := []string{"infra", worker}
	for name, test := range map[string]struct {
		reason      string
		kind        kind
		old, object any
		want        []string
	}{
		"settings":                    {reason: "tools label and annotate them", kind: watchedConfigMaps, old: buildtest.SettingsConfigMap(), object: touched(buildtest.SettingsConfigMap())},
		"custom content":              {reason: "likewise", kind: watchedConfigMaps, old: custom, object: touched(custom)},
		"binary data":                 {reason: "what arrives there is announced", kind: watchedConfigMaps, old: custom, object: touched(changed), want: everyone},
		"status of ControllerConfig":  {reason: "its controllers write it at every turn", kind: watchedControllerConfigs, old: buildtest.ControllerConfig(""), object: touched(busy)},
		"certificates":                {reason: "they are built into images", kind: watchedControllerConfigs, old: buildtest.ControllerConfig(""), object: touched(otherThan(buildtest.ControllerConfig(""))), want: everyone},
		"repositories":                {reason: "the cache has no values of theirs to compare", kind: watchedConfigMaps, want: everyone, old: repositories(map[string]string{"a.repo": ""}, nil), object: touched(repositories(map[string]string{"a.repo": ""}, nil))},
		"credentials":                 {reason: "the cache has metadata alone", kind: watchedSecrets, old: metadataOf(buildtest.PushSecret), object: touched(metadataOf(buildtest.PushSecret)), want: everyone},
		"an object of another kind":   {reason: "what cannot be compared has changed", kind: watchedConfigMaps, old: metadataOf("x"), object: touched(buildtest.SettingsConfigMap()), want: everyone},
		"settings that were replaced": {reason: "the same data under another UID says the same", kind: watchedConfigMaps, old: buildtest.SettingsConfigMap(), object: replaced(buildtest.SettingsConfigMap())},
	} {
		t.Run(name, func(t *testing.T) {
			h := handlersHarness(t)
			h.ctrl.handle(test.kind).OnUpdate(test.old, test.object)
			require.Equal(t, test.want, h.queued(), test.reason)
		})
	}
}

// touched returns a copy of the object at another version.
func touched(object any) any {
	object = object.(runtime.Object).DeepCopyObject()
	meta := object.(metav1.Object)
	meta.SetResourceVersion("other")
	meta.SetAnnotations(map[string]string{"touched": "yes"})
	return object
}

func replaced(object any) any {
	object = touched(object)
	object.(metav1.Object).SetUID("other")
	return object
}

// otherThan returns a copy of the object that is of another version and has other content,
// where the controller reads any.
func otherThan(object any) any {
	object = touched(object)
	switch o := object.(type) {
	case *mcfgv1.ControllerConfig:
		o.Spec.AdditionalTrustBundle = []byte("other")
	case *corev1.ConfigMap:
		o.Data = map[string]string{"other": "other"}
	}
	return object
}

// TestL13Tombstones: a deletion that the watch missed arrives wrapped, and the
// first BuildController panicked over it.
func TestL13Tombstones(t *testing.T) {
	h := handlersHarness(t)
	for k := range kindCount {
		handler := h.ctrl.handle(k)
		for _, object := range []any{
			buildtest.Pool(worker).Object(), buildtest.RenderedConfig("rendered-worker-1"), buildtest.SettingsConfigMap(),
			buildtest.ControllerConfig(""), metadataOf(buildtest.PushSecret), nil, "not an object",
		} {
			require.NotPanics(t, func() { handler.OnDelete(cache.DeletedFinalStateUnknown{Key: "key", Obj: object}) })
		}
	}
	require.Contains(t, h.queued(), worker, "the object in the tombstone is looked at")
	require.Empty(t, h.api.Calls())
}

// TestSecretBeforeConfigMap: without settings no Secret concerns anyone.
func TestSecretBeforeConfigMap(t *testing.T) {
	h := newHarness(t, buildtest.Pool(worker).Layered().Object())
	require.Nil(t, h.ctrl.rowOf(watchedSecrets, buildtest.PushSecret))
}

// TestR20SettingsAreReadInOneWay: what decides whom a Secret concerns is what decides
// which Secret a build uses, whichever way it is written.
func TestR20SettingsAreReadInOneWay(t *testing.T) {
	for name, test := range map[string]struct {
		reason, before, after string
	}{
		"as it is":          {reason: "the usual case"},
		"a line break":      {reason: "$'push\\n' in a shell, or a file with a last line", after: "\n"},
		"as Windows writes": {reason: "a file of another system", after: "\r\n"},
		"several":           {reason: "a block scalar of YAML that keeps them", after: "\n\n\n"},
		"blanks":            {reason: "YAML that was indented by hand", before: "  ", after: "\t"},
		"a line before":     {reason: "a block scalar that begins late", before: "\n"},
		"no-break space":    {reason: "copied from a page", after: "\u00a0"},
		"a mark":            {reason: "some editors begin files with one", before: "\ufeff", after: "\n"},
	} {
		for key, secret := range map[string]string{constants.FinalImagePushSecretKey: "push", constants.BaseImagePullSecretKey: "pull"} {
			t.Run(name+" "+secret, func(t *testing.T) {
				h := layeredHarness(t, "rendered-worker-1")
				h.editSettings(map[string]string{key: test.before + secret + test.after})
				h.settle(worker)
				require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonSecretMissing), "Secret "+secret+", which")
				h.queued()

				h.ctrl.handle(watchedSecrets).OnAdd(metadataOf(secret), false)
				require.Equal(t, []string{worker}, h.queued(), test.reason)
				h.api.Put(buildtest.RegistrySecret(secret, buildtest.Registry))
				h.settle(worker)
				h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
				h.ctrl.handle(watchedSecrets).OnDelete(metadataOf(secret))
				require.Equal(t, []string{worker}, h.queued(), test.reason)
			})
		}
	}
}

// TestEveryWatchedObjectIsInTheTable: whatever a pool at rest depends on also wakes it.
func TestEveryWatchedObjectIsInTheTable(t *testing.T) {
	kinds, evidence := map[kind]bool{}, 0
	for _, w := range watchedObjects {
		kinds[w.kind] = true
		require.NotNil(t, w.concerns, kindNames[w.kind])
		require.False(t, w.name != "" && w.names != nil, "its name is fixed, or others tell")
		if w.rests != nil {
			evidence++
		}
	}
	require.Len(t, kinds, int(kindCount))
	require.Equal(t, mostEvidence, evidence, "there is a place for each, and none is empty")
}

func TestEnqueueFromBuilder(t *testing.T) {
	h := handlersHarness(t)
	h.ctrl.enqueueFromBuilder("infra")
	require.Equal(t, []string{"infra"}, h.queued())
	h.ctrl.enqueueFromBuilder(imagebuilder.AllPools)
	require.Equal(t, []string{"infra", "master", worker}, h.queued(), "a pool that opted out may have builds to remove")
}

func TestIndexByWantedConfig(t *testing.T) {
	keys, err := indexByWantedConfig(buildtest.Pool(worker).Object())
	require.NoError(t, err)
	require.Empty(t, keys, "a pool that wants nothing is in no index")
	_, err = indexByWantedConfig("not a pool")
	require.NoError(t, err)
	require.Equal(t, "machine-os-builder-config", constants.ConfigMapName, "users depend on the name")
}
