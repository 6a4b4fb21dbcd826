package build

import (
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// handle turns events into keys. What an object means for a pool is decided
// when the pool is synced, on the state of that moment.
func (ctrl *Controller) handle(keys func(object any) []string) cache.ResourceEventHandler {
	enqueue := func(object any, isInInitialList bool) {
		pools := keys(object)
		// Caches list in any order. A queue that is always filled in the same one makes
		// a run repeatable.
		slices.Sort(pools)
		for _, key := range pools {
			if len(pools) == 1 && !isInInitialList {
				ctrl.lanes.hurry(key)
			}
			ctrl.queue.Add(key)
		}
	}
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: enqueue,
		UpdateFunc: func(old, object any) {
			if versionOf(old) != versionOf(object) {
				enqueue(object, false)
			}
		},
		DeleteFunc: func(object any) {
			// A deletion that was missed while the watch was down comes as a
			// tombstone around the last known state.
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			enqueue(object, false)
		},
	}
}

func versionOf(object any) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetResourceVersion()
}

func nameOf(object any) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetName()
}

func (ctrl *Controller) poolItself(object any) []string {
	if pool, ok := object.(*mcfgv1.MachineConfigPool); ok {
		return []string{pool.Name}
	}
	return nil
}

func (ctrl *Controller) poolsThatWant(object any) []string {
	return ctrl.poolsThatWantConfig(nameOf(object))
}

func (ctrl *Controller) poolsThatWantConfig(name string) []string {
	keys, err := ctrl.mcpIndexer.IndexKeys(poolsByWantedConfig, name)
	if err != nil {
		return nil
	}
	return keys
}

func (ctrl *Controller) poolsOfControllerConfig(object any) []string {
	if nameOf(object) != ctrlcommon.ControllerConfigName {
		return nil
	}
	return ctrl.layeredPools()
}

func (ctrl *Controller) poolsOfConfigMap(object any) []string {
	switch nameOf(object) {
	case constants.ConfigMapName, inputs.CustomConfigMapName, inputs.RepositoriesConfigName:
		return ctrl.layeredPools()
	}
	return nil
}

// poolsOfSecret leaves out the namespace's many Secrets that no build uses.
// Those that are ours concern the builder.
func (ctrl *Controller) poolsOfSecret(object any) []string {
	secret, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil
	}
	if secret.Name == inputs.EntitlementSecretName || secret.Name == inputs.SigningKeysSecretName {
		return ctrl.layeredPools()
	}
	configMap, err := ctrl.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(constants.ConfigMapName)
	if err != nil {
		return nil
	}
	for _, key := range []string{constants.BaseImagePullSecretKey, constants.FinalImagePushSecretKey} {
		if configMap.Data[key] == secret.Name {
			return ctrl.layeredPools()
		}
	}
	return nil
}

func (ctrl *Controller) layeredPools() []string {
	pools, err := ctrl.mcpLister.List(labels.Everything())
	if err != nil {
		return nil
	}
	var keys []string
	for _, pool := range pools {
		if ledger.IsLayered(pool) {
			keys = append(keys, pool.Name)
		}
	}
	return keys
}

// enqueueWaiting has the pools looked at that wait for a build to end.
func (ctrl *Controller) enqueueWaiting() {
	for _, pool := range ctrl.slots.next() {
		ctrl.queue.Add(pool)
	}
}

// enqueueFromBuilder takes what the builder notifies of. A pool that opted out
// may still have builds to remove, so AllPools means all.
func (ctrl *Controller) enqueueFromBuilder(pool string) {
	ctrl.rest.disturb(pool)
	if pool != imagebuilder.AllPools {
		ctrl.lanes.hurry(pool)
		ctrl.queue.Add(pool)
		ctrl.enqueueWaiting()
		return
	}
	for _, key := range slices.Sorted(slices.Values(ctrl.mcpIndexer.ListKeys())) {
		ctrl.queue.Add(key)
	}
}
