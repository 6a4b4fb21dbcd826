package simulator

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// contexts of all simulations: their configs are the same few.
var contexts build.Contexts

// program is one process: the real controller and the real OpenShift adapter,
// with informers that know what was delivered to them.
type program struct {
	sim      *simulation
	clients  buildtest.Clients
	ctrl     *build.Controller
	queue    *buildtest.Queue
	recorder *recorder
	// builder is the adapter of the controller.
	builder   *told
	informers map[string]*informer
	// machineOS is nil where pools opt in by their label.
	machineOS *machineos.Ledger
	// originals are copies of what is in the caches.
	originals map[string]map[string]any
	// frozen counts the rounds for which a kind delivers nothing, and thaw is when
	// one that is frozen for longer delivers again.
	frozen map[string]int
	thaw   map[string]time.Time
	// skew is by how much the program's clock is ahead of the API server's.
	skew time.Duration
	// dead programs get no reply to anything any more.
	dead bool
}

// newProgram starts a program with the given clients, one set for each program
// that runs at the same time: the fakes serve one call at a time.
func newProgram(sim *simulation, clients buildtest.Clients) *program {
	p := &program{
		sim: sim, clients: clients, recorder: &recorder{}, frozen: map[string]int{}, thaw: map[string]time.Time{},
		informers: map[string]*informer{}, originals: map[string]map[string]any{},
	}
	mcfg := mcfginformers.NewSharedInformerFactory(clients.Mcfg, 0)
	// The first one who asks a factory for an informer decides what it is.
	for kind, object := range map[string]runtime.Object{
		"machineconfigpools": &mcfgv1.MachineConfigPool{}, "machineconfigs": &mcfgv1.MachineConfig{}, "controllerconfigs": &mcfgv1.ControllerConfig{},
	} {
		mcfg.InformerFor(object, func(mcfgclientset.Interface, time.Duration) cache.SharedIndexInformer {
			return p.informer(kind, object)
		})
	}
	kube := informers.NewSharedInformerFactory(clients.Kube, 0)
	kube.InformerFor(&corev1.ConfigMap{}, func(kubernetes.Interface, time.Duration) cache.SharedIndexInformer {
		return p.informer("configmaps", &corev1.ConfigMap{})
	})
	builds, secrets := p.informer("builds", &buildv1.Build{}), p.informer("secrets", &metav1.PartialObjectMetadata{})

	adapter, err := openshift.New(ctrlcommon.MCONamespace, clients.Build, clients.Kube, builds, secrets)
	if err != nil {
		panic(err)
	}
	p.builder = &told{ImageBuilder: adapter}
	if sim.jobs {
		p.builder.ImageBuilder = p.jobsBeside(adapter, secrets)
	}
	config := build.DefaultConfig()
	config.Clock = ownClock{sim.clock, &p.skew}
	config.Contexts = &contexts
	if sim.machineOS {
		p.machineOS, err = machineos.New(clients.Mcfg, p.informer("machineosconfigs", &mcfgv1.MachineOSConfig{}), p.informer("machineosbuilds", &mcfgv1.MachineOSBuild{}), sim.notBuilder)
		if err != nil {
			panic(err)
		}
		config.MachineOS, config.SharesPools = p.machineOS, true
	}
	config.NewQueue = func(limiter workqueue.TypedRateLimiter[string]) workqueue.TypedRateLimitingInterface[string] {
		p.queue = buildtest.NewQueue(sim.clock, limiter)
		return p.queue
	}
	known := mcfg.Machineconfiguration().V1()
	p.ctrl, err = build.New(config, known.MachineConfigPools(), known.MachineConfigs(), known.ControllerConfigs(), kube.Core().V1().ConfigMaps(), secrets,
		p.builder, clients.Kube, clients.Mcfg, p.recorder)
	if err != nil {
		panic(err)
	}
	return p
}

// jobsBeside are both backends, as a program has them, of which Jobs take the place of
// the one that settings mean which name none.
func (p *program) jobsBeside(builds imagebuilder.ImageBuilder, secrets cache.SharedIndexInformer) imagebuilder.ImageBuilder {
	jobs, err := job.New(ctrlcommon.MCONamespace, p.clients.Kube, job.Informers{
		Jobs: p.informer("jobs", &batchv1.Job{}), Pods: p.informer("pods", &corev1.Pod{}), Warnings: p.informer("events", &corev1.Event{}),
	}, secrets)
	if err != nil {
		panic(err)
	}
	return imagebuilder.NewSet(imagebuilder.Member{Name: openshift.Name, ImageBuilder: jobs}, imagebuilder.Member{Name: "Builds", ImageBuilder: builds})
}

// strip is what informers keep of an object.
func strip(object any) (any, error) {
	if object, err := job.Strip(object); err != nil {
		return object, err
	}
	if config, ok := object.(*mcfgv1.MachineOSConfig); ok {
		ledger.StripMachineOSConfig(config)
	}
	return build.Strip(object)
}

// informer makes the program's informer of a kind.
func (p *program) informer(kind string, object runtime.Object) *informer {
	p.informers[kind] = newInformer(object)
	p.originals[kind] = map[string]any{}
	return p.informers[kind]
}

// told is the adapter, and remembers whom it tells of its builds.
type told struct {
	imagebuilder.ImageBuilder
	enqueue func(pool string)
}

// Notify implements ImageBuilder.
func (b *told) Notify(enqueue func(pool string)) (synced func() bool) {
	b.enqueue = enqueue
	return b.ImageBuilder.Notify(enqueue)
}

// recorder keeps the texts of events. client-go's waits when it is full, and makes room for all
// that may come for each of the many programs.
type recorder struct{ events []string }

// Event implements EventRecorder.
func (r *recorder) Event(_ runtime.Object, kind, reason, message string) {
	r.events = append(r.events, kind+" "+reason+" "+message)
}

// Eventf implements EventRecorder.
func (r *recorder) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	r.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

// AnnotatedEventf implements EventRecorder.
func (r *recorder) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	r.Eventf(object, kind, reason, format, args...)
}

// deliver brings the caches up to date, kind by kind, and calls the handlers, as
// informers do. It tells whether there was any news.
func (p *program) deliver() (news bool) {
	for _, kind := range p.sim.kinds() {
		if p.frozen[kind] > 0 {
			p.frozen[kind]--
			news = true
			continue
		}
		if p.sim.clock.Now().Before(p.thaw[kind]) {
			continue
		}
		if p.hasAll(kind) {
			p.informers[kind].version = p.sim.api.Version()
			continue
		}
		if p.deliverKind(kind, p.sim.api.Stored(kind)) {
			news = true
		}
	}
	return news
}

// hasAll tells whether nothing happened to a kind since it was delivered as a whole.
func (p *program) hasAll(kind string) bool {
	informer := p.informers[kind]
	return informer.version != "" && informer.changes == p.sim.api.Changes(kind)
}

func (p *program) deliverKind(kind string, objects []runtime.Object) (news bool) {
	informer, changes := p.informers[kind], p.sim.api.Changes(kind)
	indexer := informer.GetIndexer()
	gone := indexer.ListKeys()
	for _, object := range objects {
		key, err := cache.MetaNamespaceKeyFunc(object)
		if err != nil {
			panic(err)
		}
		gone = slices.DeleteFunc(gone, func(k string) bool { return k == key })
		old, exists, _ := indexer.GetByKey(key)
		if exists && buildtest.VersionOf(old) == buildtest.VersionOf(object) {
			continue
		}
		cached := buildtest.AsCached(object, strip)
		// It does not begin before it has what it awaits.
		fault := p.sim.faultAtNews(kind)
		if fault == faultLate && !p.awaits(kind) {
			p.frozen[kind] = 3
			return true
		}
		if fault == faultDouble {
			if err := indexer.Add(cached); err != nil {
				panic(err)
			}
			informer.added(cached)
		}
		news = true
		if err := indexer.Add(cached); err != nil {
			panic(err)
		}
		p.originals[kind][key] = buildtest.AsCached(object, strip)
		// A watch that missed a deletion shows the replacement as an update, too.
		if exists {
			informer.updated(old, cached)
		} else {
			informer.added(cached)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		old, _, _ := indexer.GetByKey(key)
		fault := p.sim.faultAtNews(kind)
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
			informer.deleted(cache.DeletedFinalStateUnknown{Key: key, Obj: old})
		} else {
			informer.deleted(old)
		}
	}
	informer.version, informer.changes = p.sim.api.Version(), changes
	return news
}

// awaits tells whether the program has just begun and is to have all of the kind before it
// does anything: what is missing would mean something else than it does.
func (p *program) awaits(kind string) bool {
	return p.sim.machineOS && kind == "configmaps" && p.informers[kind].version == ""
}

// sync works on the next item in the queue.
func (p *program) sync() {
	p.ctrl.ProcessNext(context.Background()) //nolint:forbidigo // a program starts its context
}

// mutated returns the first cached object of the kinds that someone changed.
func (p *program) mutated(kinds ...string) string {
	for _, kind := range kinds {
		for key, original := range p.originals[kind] {
			if cached, _, _ := p.informers[kind].GetIndexer().GetByKey(key); !reflect.DeepEqual(cached, original) {
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
		p.sync()
		worked = true
		p.sim.check("a sync")
		// A pool in the cache is soon replaced, and with it the trace of a change.
		if object := p.mutated("machineconfigpools"); object != "" {
			p.sim.problem("6: the cached object %s was changed by a sync", object)
		}
	}
	return worked
}

// isIdle tells whether the first program has nothing to do at this instant.
func (sim *simulation) isIdle() bool {
	p := sim.programs[0]
	due, ok := p.queue.Next()
	return p.queue.Len() == 0 && (!ok || due.After(sim.clock.Now())) && !p.deliverable()
}

// deliverable tells whether there is news that the program has not got.
func (p *program) deliverable() bool {
	for _, kind := range p.sim.kinds() {
		if p.hasAll(kind) {
			continue
		}
		stored, indexer := p.sim.api.Stored(kind), p.informers[kind].GetIndexer()
		if len(stored) != len(indexer.ListKeys()) {
			return true
		}
		for _, object := range stored {
			cached, exists, _ := indexer.Get(object)
			if !exists || buildtest.VersionOf(cached) != buildtest.VersionOf(object) {
				return true
			}
		}
	}
	return false
}
