package build

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// handle turns events of a kind into keys. What an object means for a pool is decided
// when the pool is synced, on the state of that moment.
func (ctrl *Controller) handle(k kind) cache.ResourceEventHandler {
	enqueue := func(object any, isInInitialList bool) {
		var pools []string
		name := nameOf(object)
		if row := ctrl.rowOf(k, name); row != nil && name != "" {
			pools = row.concerns(ctrl, name)
		}
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
			if versionOf(old) == versionOf(object) {
				return
			}
			row := ctrl.rowOf(k, nameOf(object))
			if row == nil || row.unchanged == nil || !row.unchanged(old, object) {
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

// poolsThatWant are the pools that want the MachineConfig of that name.
func (ctrl *Controller) poolsThatWant(config string) []string {
	keys, err := ctrl.mcpIndexer.IndexKeys(poolsByWantedConfig, config)
	if err != nil {
		return nil
	}
	return keys
}

func (ctrl *Controller) layeredPools() []string {
	pools, err := ctrl.mcpLister.List(labels.Everything())
	if err != nil {
		return nil
	}
	var keys []string
	for _, pool := range pools {
		if ledger.IsLayered(pool) || ctrl.machineOS != nil && len(ctrl.machineOS.Configs(pool.Name)) > 0 {
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
	ctrl.memory.disturb(pool)
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
