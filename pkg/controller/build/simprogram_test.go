package build

import (
	"context"
	"reflect"
	"slices"
	"time"

	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// program is one process: the real controller and the real OpenShift adapter,
// with caches that show what was delivered to them.
type program struct {
	sim      *simulation
	clients  buildtest.Clients
	ctrl     *Controller
	queue    *buildtest.Queue
	recorder *record.FakeRecorder
	caches   map[string]cache.Indexer
	handlers map[string]cache.ResourceEventHandler
	// originals are copies of what is in the caches.
	originals map[string]map[string]any
	// frozen counts the rounds for which a kind delivers nothing, and thaw is when
	// one that is frozen for longer delivers again.
	frozen map[string]int
	thaw   map[string]time.Time
	// dead programs get no reply to anything any more.
	dead bool
}

// newProgram starts a program with the given clients, one set for each program
// that runs at the same time: the fakes serve one call at a time.
func newProgram(sim *simulation, clients buildtest.Clients) *program {
	mcfg := mcfginformers.NewSharedInformerFactory(clients.Mcfg, 0).Machineconfiguration().V1()
	configMaps := informers.NewSharedInformerFactory(clients.Kube, 0).Core().V1().ConfigMaps()
	builds := buildinformers.NewSharedInformerFactory(clients.Build, 0).Build().V1().Builds().Informer()
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	p := &program{sim: sim, clients: clients, recorder: record.NewFakeRecorder(10000), frozen: map[string]int{}, thaw: map[string]time.Time{}, originals: map[string]map[string]any{}}
	for _, kind := range buildtest.Kinds {
		p.originals[kind] = map[string]any{}
	}

	builder, err := openshift.New(ctrlcommon.MCONamespace, clients.Build, clients.Kube, builds, secrets)
	if err != nil {
		panic(err)
	}
	config := DefaultConfig()
	config.Clock = sim.clock
	config.NewQueue = func(limiter workqueue.TypedRateLimiter[string]) workqueue.TypedRateLimitingInterface[string] {
		p.queue = buildtest.NewQueue(sim.clock, limiter)
		return p.queue
	}
	p.ctrl, err = New(config, mcfg.MachineConfigPools(), mcfg.MachineConfigs(), mcfg.ControllerConfigs(), configMaps, secrets,
		builder, clients.Kube, clients.Mcfg, p.recorder)
	if err != nil {
		panic(err)
	}

	p.caches = map[string]cache.Indexer{
		"machineconfigpools": mcfg.MachineConfigPools().Informer().GetIndexer(),
		"machineconfigs":     mcfg.MachineConfigs().Informer().GetIndexer(),
		"controllerconfigs":  mcfg.ControllerConfigs().Informer().GetIndexer(),
		"configmaps":         configMaps.Informer().GetIndexer(),
		"builds":             builds.GetIndexer(),
		"secrets":            secrets.GetIndexer(),
	}
	p.handlers = map[string]cache.ResourceEventHandler{
		"machineconfigpools": p.ctrl.handle(p.ctrl.poolItself),
		"machineconfigs":     p.ctrl.handle(p.ctrl.poolsThatWant),
		"controllerconfigs":  p.ctrl.handle(p.ctrl.poolsOfControllerConfig),
		"configmaps":         p.ctrl.handle(p.ctrl.poolsOfConfigMap),
		"builds":             p.ctrl.handle(p.notified),
		"secrets":            p.ctrl.handle(func(o any) []string { return append(p.ctrl.poolsOfSecret(o), p.notified(o)...) }),
	}
	return p
}

// notified stands in for the adapter's own notification, which hangs on running
// informers.
func (p *program) notified(object any) []string {
	accessor, err := meta.Accessor(object)
	if err == nil && accessor.GetAnnotations()[constants.PoolAnnotation] != "" {
		p.ctrl.enqueueFromBuilder(accessor.GetAnnotations()[constants.PoolAnnotation])
	}
	return nil
}

// deliver brings the caches up to date, kind by kind, and calls the handlers, as
// informers do. It tells whether there was any news.
func (p *program) deliver() (news bool) {
	for _, kind := range buildtest.Kinds {
		if p.frozen[kind] > 0 {
			p.frozen[kind]--
			news = true
			continue
		}
		if p.sim.clock.Now().Before(p.thaw[kind]) {
			continue
		}
		if p.deliverKind(kind, p.sim.api.Stored(kind)) {
			news = true
		}
	}
	return news
}

func (p *program) deliverKind(kind string, objects []runtime.Object) (news bool) {
	indexer, handler := p.caches[kind], p.handlers[kind]
	gone := indexer.ListKeys()
	for _, object := range objects {
		key, err := cache.MetaNamespaceKeyFunc(object)
		if err != nil {
			panic(err)
		}
		gone = slices.DeleteFunc(gone, func(k string) bool { return k == key })
		old, exists, _ := indexer.GetByKey(key)
		if exists && versionOf(old) == versionOf(object) {
			continue
		}
		cached := buildtest.AsCached(object)
		switch p.sim.faultAtNews(p, kind) {
		case faultLate:
			p.frozen[kind] = 3
			return true
		case faultDouble:
			if err := indexer.Add(cached); err != nil {
				panic(err)
			}
			handler.OnAdd(cached, false)
		}
		news = true
		if err := indexer.Add(cached); err != nil {
			panic(err)
		}
		p.originals[kind][key] = buildtest.AsCached(object)
		// A watch that missed a deletion shows the replacement as an update, too.
		if exists {
			handler.OnUpdate(old, cached)
		} else {
			handler.OnAdd(cached, false)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		old, _, _ := indexer.GetByKey(key)
		fault := p.sim.faultAtNews(p, kind)
		if fault == faultLate {
			p.frozen[kind] = 3
			return true
		}
		news = true
		if err := indexer.Delete(old); err != nil {
			panic(err)
		}
		delete(p.originals[kind], key)
		if fault == faultTombstone {
			handler.OnDelete(cache.DeletedFinalStateUnknown{Key: key, Obj: old})
		} else {
			handler.OnDelete(old)
		}
	}
	return news
}

// mutated returns the first cached object of the kinds that someone changed.
func (p *program) mutated(kinds ...string) string {
	for _, kind := range kinds {
		for key, original := range p.originals[kind] {
			if cached, _, _ := p.caches[kind].GetByKey(key); !reflect.DeepEqual(cached, original) {
				return kind + " " + key
			}
		}
	}
	return ""
}

// work syncs what is queued, once each, and tells whether there was anything.
func (p *program) work() (worked bool) {
	p.queue.Fire()
	p.sim.working = p
	for range p.queue.Len() {
		if p.dead {
			return true
		}
		p.ctrl.ProcessNext(context.Background())
		worked = true
		p.sim.check("a sync")
		// A pool in the cache is soon replaced, and with it the trace of a change.
		if object := p.mutated("machineconfigpools"); object != "" {
			p.sim.problem("6: the cached object %s was changed by a sync", object)
		}
	}
	return worked
}
