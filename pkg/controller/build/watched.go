package build

import (
	"fmt"
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// watched is one object, or all of a kind, that decisions depend on. The table of them is
// the only place that says whom a change concerns and what a pool at rest depends on;
// handlers and evidence are derived from it. What the builder made is not in it: the
// builder tells of that itself.
type watched struct {
	kind kind
	// name is that of the one object; empty if names tells of which ones it is, by what
	// the settings say when it is asked, or, without that, for any.
	name  string
	names func() []string
	// concerns are the pools to look at when the object of that name has changed.
	concerns func(name string) []string
	// rests tells that a pool that has what it wants depends on the object, which is
	// the one of that key.
	rests func(pool *mcfgv1.MachineConfigPool) (key string)
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
func (ctrl *Controller) watchedObjects() []watched {
	itself := func(name string) []string { return []string{name} }
	all := func(string) []string { return ctrl.layeredPools() }
	return []watched{
		{kind: watchedPools, concerns: itself, rests: func(pool *mcfgv1.MachineConfigPool) string { return pool.Name }},
		{kind: watchedConfigs, concerns: ctrl.poolsThatWant, rests: func(pool *mcfgv1.MachineConfigPool) string { return pool.Spec.Configuration.Name }},
		{kind: watchedControllerConfigs, name: ctrlcommon.ControllerConfigName, concerns: all, rests: always(ctrlcommon.ControllerConfigName)},
		{kind: watchedConfigMaps, name: constants.ConfigMapName, concerns: all, rests: inNamespace(constants.ConfigMapName)},
		{kind: watchedConfigMaps, name: inputs.CustomConfigMapName, concerns: all, rests: inNamespace(inputs.CustomConfigMapName)},
		{kind: watchedConfigMaps, name: inputs.RepositoriesConfigName, concerns: all, rests: inNamespace(inputs.RepositoriesConfigName)},
		{kind: watchedSecrets, name: inputs.EntitlementSecretName, concerns: all, rests: inNamespace(inputs.EntitlementSecretName)},
		{kind: watchedSecrets, name: inputs.SigningKeysSecretName, concerns: all, rests: inNamespace(inputs.SigningKeysSecretName)},
		{kind: watchedSecrets, names: ctrl.observer.credentialSecrets, concerns: all},
	}
}

func always(key string) func(*mcfgv1.MachineConfigPool) string {
	return func(*mcfgv1.MachineConfigPool) string { return key }
}

func inNamespace(name string) func(*mcfgv1.MachineConfigPool) string {
	return always(cache.NewObjectName(ctrlcommon.MCONamespace, name).String())
}

// concerns are the pools that it matters to when an object of the kind has changed.
func (ctrl *Controller) concerns(k kind, name string) []string {
	for i := range ctrl.watched {
		w := &ctrl.watched[i]
		if w.kind != k || w.name != "" && w.name != name || w.names != nil && !slices.Contains(w.names(), name) {
			continue
		}
		return w.concerns(name)
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
	for i := range ctrl.watched {
		if w := &ctrl.watched[i]; w.rests != nil {
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

// watch derives the handlers from the table.
func (ctrl *Controller) watch(informers [kindCount]cache.SharedIndexInformer) error {
	ctrl.watched = ctrl.watchedObjects()
	for k, informer := range informers {
		registration, err := informer.AddEventHandler(ctrl.handle(kind(k)))
		if err != nil {
			return fmt.Errorf("could not watch %s: %w", kindNames[k], err)
		}
		ctrl.synced = append(ctrl.synced, registration.HasSynced)
	}
	return nil
}
