package build

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// watched is one object, or all of a kind, that decisions depend on. The table of them is
// the only place that says whom a change concerns, what a pool at rest depends on, and what
// of an object the caches keep; handlers, evidence and transforms are derived from it. What
// the builder made is not in it: the builder tells of that itself.
type watched struct {
	kind kind
	// name is that of the one object; empty if names tells of which ones it is, by what
	// the settings say when it is asked, or, without that, for any.
	name  string
	names func(*Controller) []string
	// concerns are the pools to look at when the object of that name has changed.
	concerns func(ctrl *Controller, name string) []string
	// rests tells that a pool that has what it wants depends on the object, which is
	// the one of that key.
	rests func(pool *mcfgv1.MachineConfigPool) (key string)
	// values tells of a ConfigMap that its values are read. Of others it matters which keys
	// there are.
	values bool
	// unchanged tells that two versions of an object do not differ in what is read of it,
	// so that a change concerns nobody. Without it any change does.
	unchanged func(old, object any) bool
}

// kind is one of the kinds that the controller watches itself.
type kind int

const (
	watchedPools kind = iota
	watchedConfigs
	watchedControllerConfigs
	watchedConfigMaps
	watchedSecrets
	kindCount
)

var kindNames = [kindCount]string{"MachineConfigPools", "MachineConfigs", "ControllerConfigs", "ConfigMaps", "Secrets"}

// watchedObjects is the table. The Secrets with credentials matter for building, which a
// pool at rest does not need.
var watchedObjects = []watched{
	{kind: watchedPools, concerns: itself, rests: func(pool *mcfgv1.MachineConfigPool) string { return pool.Name }},
	{kind: watchedConfigs, concerns: (*Controller).poolsThatWant, rests: func(pool *mcfgv1.MachineConfigPool) string { return pool.Spec.Configuration.Name }},
	{kind: watchedControllerConfigs, name: ctrlcommon.ControllerConfigName, concerns: all, rests: always(ctrlcommon.ControllerConfigName), unchanged: sameSpec},
	{kind: watchedConfigMaps, name: constants.ConfigMapName, concerns: all, rests: inNamespace(constants.ConfigMapName), values: true, unchanged: sameData},
	{kind: watchedConfigMaps, name: inputs.CustomConfigMapName, concerns: all, rests: inNamespace(inputs.CustomConfigMapName), values: true, unchanged: sameData},
	// A pool that has what it wants needs no image to build with.
	{kind: watchedConfigMaps, name: constants.OperatorImagesConfigMap, concerns: all, values: true, unchanged: sameData},
	{kind: watchedConfigMaps, name: inputs.RepositoriesConfigName, concerns: all, rests: inNamespace(inputs.RepositoriesConfigName)},
	{kind: watchedSecrets, name: inputs.EntitlementSecretName, concerns: all, rests: inNamespace(inputs.EntitlementSecretName)},
	{kind: watchedSecrets, name: inputs.SigningKeysSecretName, concerns: all, rests: inNamespace(inputs.SigningKeysSecretName)},
	{kind: watchedSecrets, names: func(ctrl *Controller) []string { return ctrl.observer.credentialSecrets() }, concerns: all},
}

func itself(_ *Controller, name string) []string { return []string{name} }

func all(ctrl *Controller, _ string) []string { return ctrl.layeredPools() }

func always(key string) func(*mcfgv1.MachineConfigPool) string {
	return func(*mcfgv1.MachineConfigPool) string { return key }
}

func inNamespace(name string) func(*mcfgv1.MachineConfigPool) string {
	return always(cache.NewObjectName(ctrlcommon.MCONamespace, name).String())
}

// sameSpec tells of a ControllerConfig that only what its controllers say of themselves
// changed, which they do often.
func sameSpec(old, object any) bool {
	x, ok := old.(*mcfgv1.ControllerConfig)
	y, too := object.(*mcfgv1.ControllerConfig)
	return ok && too && apiequality.Semantic.DeepEqual(x.Spec, y.Spec)
}

// sameData tells of a ConfigMap that only its metadata changed.
func sameData(old, object any) bool {
	x, ok := old.(*corev1.ConfigMap)
	y, too := object.(*corev1.ConfigMap)
	return ok && too && maps.Equal(x.Data, y.Data) && maps.EqualFunc(x.BinaryData, y.BinaryData, bytes.Equal)
}

// rowOf is the row of the table that an object belongs to, nil for none.
func (ctrl *Controller) rowOf(k kind, name string) *watched {
	for i := range watchedObjects {
		w := &watchedObjects[i]
		if w.kind == k && (w.name == "" || w.name == name) && (w.names == nil || slices.Contains(w.names(ctrl), name)) {
			return w
		}
	}
	return nil
}

// evidence is everything that the decision about a pool at rest depends on: the objects
// as the caches hold them, nil for one that does not exist, in the order of the table, and
// how often the builder had news. It is compared by identity.
type evidence struct {
	objects [mostEvidence]any
	news    [2]uint64
}

// mostEvidence is how many objects a pool at rest can depend on.
const mostEvidence = 8

// evidenceOf gathers what a sync of the pool is going to see. It has to be gathered before
// the snapshot: what changes in between then makes it differ the next time.
func (ctrl *Controller) evidenceOf(pool *mcfgv1.MachineConfigPool, news [2]uint64) evidence {
	e := evidence{news: news}
	n := 0
	for i := range watchedObjects {
		if w := &watchedObjects[i]; w.rests != nil {
			if w.kind == watchedPools {
				e.objects[n] = pool
			} else {
				// Looking up a key does not fail.
				e.objects[n], _, _ = ctrl.indexers[w.kind].GetByKey(w.rests(pool))
			}
			n++
		}
	}
	return e
}

// watch keeps the caches at hand, and derives the handlers from the table.
func (ctrl *Controller) watch(informers [kindCount]cache.SharedIndexInformer) error {
	for k, informer := range informers {
		ctrl.indexers[k] = informer.GetIndexer()
		registration, err := informer.AddEventHandler(ctrl.handle(kind(k)))
		if err != nil {
			return fmt.Errorf("could not watch %s: %w", kindNames[k], err)
		}
		ctrl.synced = append(ctrl.synced, registration.HasSynced)
	}
	return nil
}

// Strip drops, before an object enters a cache, what the controller never reads from one:
// who wrote which field, the names of the MachineConfigs that a pool's config was rendered
// from (dozens, twice), the content of MachineConfigs (they are large, and the one that is
// built is read in full then), the values of ConfigMaps that are only counted on to exist,
// and the annotations of Secrets that are not ours (what was last applied to them,
// credentials included, is one).
func Strip(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	switch o := object.(type) {
	case *mcfgv1.MachineConfigPool:
		o.Spec.Configuration.Source, o.Status.Configuration.Source = nil, nil
		delete(o.Annotations, corev1.LastAppliedConfigAnnotation)
	case *mcfgv1.MachineConfig:
		o.Spec.Config = runtime.RawExtension{}
	case *corev1.ConfigMap:
		stripConfigMap(o)
	case *metav1.PartialObjectMetadata:
		if o.Labels[constants.OwnedLabel] != constants.OwnedLabelValue {
			o.Annotations = nil
		}
	}
	return object, nil
}

// stripConfigMap leaves those whole that are read, binary data included: what arrives
// there is not to be ignored without a word. Of the other ones in the table only the keys
// count, and of the rest not even all of these.
func stripConfigMap(configMap *corev1.ConfigMap) {
	known := slices.IndexFunc(watchedObjects, func(w watched) bool { return w.kind == watchedConfigMaps && w.name == configMap.Name })
	if known >= 0 && watchedObjects[known].values {
		return
	}
	for key := range configMap.Data {
		configMap.Data[key] = ""
	}
	if known < 0 {
		configMap.BinaryData = nil
	}
	for key := range configMap.BinaryData {
		configMap.BinaryData[key] = nil
	}
}
