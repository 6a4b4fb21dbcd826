package build

import (
	"context"
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// restTime is for how long nothing may happen.
const restTime = 10 * time.Minute

// drain syncs what is queued, and what becomes due within the time, on the virtual clock.
func (h *harness) drain(q *buildtest.Queue, within time.Duration) (syncs int) {
	h.t.Helper()
	end := h.clock.Now().Add(within)
	for {
		q.Fire()
		for q.Len() > 0 {
			h.ctrl.ProcessNext(context.Background())
			syncs++
		}
		next, ok := q.Next()
		if !ok || next.After(end) {
			h.clock.SetTime(end)
			return syncs
		}
		h.clock.SetTime(next)
	}
}

// simulateQueue puts a queue on the virtual clock in place of the real one.
func (h *harness) simulateQueue() *buildtest.Queue {
	h.ctrl.queue.ShutDown()
	q := buildtest.NewQueue(h.clock, newBackOff(h.ctrl.config))
	h.ctrl.queue = q
	return q
}

// TestBudgetNothingToDo is P2: what a sync, an event and a restart cost that change
// nothing for the image.
func TestBudgetNothingToDo(t *testing.T) {
	unrelated := metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: "unrelated", ResourceVersion: "1000000"}
	for name, test := range map[string]struct {
		reason, key string
		happens     func(h *harness)
	}{
		"no-op sync": {
			reason: "all is as it should be", key: "P2.sync",
			happens: func(h *harness) { h.ctrl.queue.Add(worker) },
		},
		"restart": {
			reason: "the memory of a controller is not needed to see that", key: "P2.restart",
			happens: func(h *harness) { h.restart(); h.simulateQueue().Add(worker) },
		},
		"pool": {
			reason: "labels and conditions of others do not matter", key: "P2.event.pool",
			happens: func(h *harness) {
				old := h.api.Pool(worker)
				h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
					metav1.SetMetaDataLabel(&p.ObjectMeta, "unrelated", "yes")
					p.Status.Conditions = append(p.Status.Conditions, mcfgv1.MachineConfigPoolCondition{Type: mcfgv1.MachineConfigPoolUpdating, Status: corev1.ConditionTrue})
				})
				h.deliver()
				h.ctrl.handle(watchedPools).OnUpdate(old, h.api.Pool(worker))
			},
		},
		"Build": {
			reason: "what happens to a Build that has ended is over", key: "P2.event.build",
			happens: func(h *harness) {
				h.api.EditBuild(h.newestBuild(worker), func(b *buildv1.Build) { metav1.SetMetaDataLabel(&b.ObjectMeta, "unrelated", "yes") })
				h.deliver()
				h.ctrl.enqueueFromBuilder(worker)
			},
		},
		"Secret": {
			reason: "no build uses it", key: "P2.event.secret",
			happens: func(h *harness) {
				h.ctrl.handle(watchedSecrets).OnAdd(&metav1.PartialObjectMetadata{ObjectMeta: unrelated}, false)
			},
		},
		"rotated credentials": {
			reason: "they do not decide what the image is", key: "P2.event.rotation",
			happens: func(h *harness) {
				h.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry))
				h.deliver()
				object, _, _ := h.metadata.GetByKey(ctrlcommon.MCONamespace + "/" + buildtest.PushSecret)
				h.ctrl.handle(watchedSecrets).OnAdd(object, false)
			},
		},
		"settings": {
			reason: "the key does not decide what the image is", key: "P2.event.settings",
			happens: func(h *harness) {
				h.editSettings(map[string]string{constants.MaxAttemptsKey: "7"})
				h.ctrl.handle(watchedConfigMaps).OnAdd(buildtest.SettingsConfigMap(), false)
			},
		},
		"MachineConfig": {
			reason: "no pool wants it", key: "P2.event.config",
			happens: func(h *harness) {
				h.ctrl.handle(watchedConfigs).OnAdd(buildtest.RenderedConfig("rendered-other-1"), false)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newSettled(t)
			h.simulateQueue()
			test.happens(h)
			syncs := h.drain(h.ctrl.queue.(*buildtest.Queue), restTime)
			calls := h.api.Calls()
			measured(t, test.key, float64(len(calls)))
			require.Empty(t, calls, test.reason)
			require.LessOrEqual(t, syncs, 2, "and it is found out once")
		})
	}
}

// newCrowd is a harness with so many pools whose images are published.
func newCrowd(t testing.TB, size int) (h *harness, pools []string) {
	t.Helper()
	silent(t)
	objects := goodInputs()
	for i := range size {
		pool, config := fmt.Sprintf("pool-%d", i), fmt.Sprintf("rendered-pool-%d-1", i)
		pools = append(pools, pool)
		objects = append(objects, buildtest.RenderedConfig(config), buildtest.Pool(pool).Layered().Wants(config).Object())
	}
	h = newHarness(t, objects...)
	for active := true; active; {
		h.deliver()
		h.api.ResetCalls()
		for _, pool := range pools {
			_, err := h.syncStale(pool)
			require.NoError(t, err)
		}
		active = len(h.api.Calls()) > 0
		for i, object := range h.api.Stored("builds") {
			if b := object.(*buildv1.Build); !buildtest.Ended(b) {
				h.api.CompleteBuild(b.Name, buildtest.Digest(i))
			}
		}
		h.api.Kube.ClearActions()
		h.api.Mcfg.ClearActions()
		h.api.Build.ClearActions()
		h.events = nil
	}
	for _, pool := range h.api.Stored("machineconfigpools") {
		require.NotEmpty(t, pool.(*mcfgv1.MachineConfigPool).Annotations[constants.DesiredOSImageAnnotation])
	}
	return h, pools
}

// TestBudgetAtRest is P3, and the restart of P2 with many pools.
func TestBudgetAtRest(t *testing.T) {
	h, pools := newCrowd(t, *crowdSize)
	h.restart()
	q := h.simulateQueue()
	for _, pool := range pools {
		q.Add(pool)
	}
	require.Equal(t, len(pools), h.drain(q, 0))
	measured(t, "P2.restarts", float64(len(h.api.Calls())))
	require.Empty(t, h.api.Calls(), "a restart finds everything as it should be")

	syncs := h.drain(q, restTime)
	measured(t, "P3.calls", float64(len(h.api.Calls())))
	measured(t, "P3.syncs", float64(syncs))
	measured(t, "P3.pools", float64(len(pools)))
	require.Empty(t, h.api.Calls(), "pools at rest cost nothing")
}
