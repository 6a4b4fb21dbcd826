package build

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// live is the controller with running informers, which watch the in-memory API. What
// is queued is worked on by the test itself.
type live struct {
	api     *buildtest.API
	clock   *clocktesting.FakeClock
	ctrl    *Controller
	record  *record.FakeRecorder
	watches map[string]*pump
	stop    func()
}

// pump is the watch of one kind: it tells of what was stored since it was asked last.
type pump struct {
	api     *buildtest.API
	kind    string
	shown   map[string]k8sruntime.Object
	watcher *watch.RaceFreeFakeWatcher
	indexer cache.Indexer
}

// IsWatchListSemanticsUnSupported has the reflectors list, and then watch.
func (p *pump) IsWatchListSemanticsUnSupported() bool { return true }

func (p *pump) List(metav1.ListOptions) (k8sruntime.Object, error) {
	p.watcher = watch.NewRaceFreeFake()
	p.shown = map[string]k8sruntime.Object{}
	list := &metav1.List{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	return list, nil
}

func (p *pump) Watch(metav1.ListOptions) (watch.Interface, error) { return p.watcher, nil }

// tell sends what is new, and tells whether the cache has all of it.
func (p *pump) tell() (caughtUp bool) {
	gone := map[string]bool{}
	for key := range p.shown {
		gone[key] = true
	}
	caughtUp = true
	for _, object := range p.api.Stored(p.kind) {
		key, _ := cache.MetaNamespaceKeyFunc(object)
		delete(gone, key)
		old, known := p.shown[key]
		switch {
		case !known:
			p.watcher.Add(buildtest.AsCached(object, Strip))
		case versionOf(old) != versionOf(object):
			p.watcher.Modify(buildtest.AsCached(object, Strip))
		}
		p.shown[key] = object
		if cached, ok, _ := p.indexer.GetByKey(key); !ok || versionOf(cached) != versionOf(object) {
			caughtUp = false
		}
	}
	for key := range gone {
		p.watcher.Delete(buildtest.AsCached(p.shown[key], Strip))
		delete(p.shown, key)
	}
	return caughtUp && len(p.indexer.ListKeys()) == len(p.shown)
}

func newLive(t testing.TB, objects ...k8sruntime.Object) *live {
	t.Helper()
	silent(t)
	clock := clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	l := &live{api: buildtest.NewAPI(clock, objects...), clock: clock, record: record.NewFakeRecorder(100), watches: map[string]*pump{}}

	mcfgFactory := mcfginformers.NewSharedInformerFactory(l.api.Mcfg, 0)
	kubeFactory := informers.NewSharedInformerFactory(l.api.Kube, 0)
	buildFactory := buildinformers.NewSharedInformerFactory(l.api.Build, 0)
	secrets := l.informer("secrets", &metav1.PartialObjectMetadata{})
	// The first one who asks a factory for an informer decides what it is.
	for kind, object := range map[string]k8sruntime.Object{
		"machineconfigpools": &mcfgv1.MachineConfigPool{}, "machineconfigs": &mcfgv1.MachineConfig{}, "controllerconfigs": &mcfgv1.ControllerConfig{},
	} {
		mcfgFactory.InformerFor(object, func(mcfgclientset.Interface, time.Duration) cache.SharedIndexInformer {
			return l.informer(kind, object)
		})
	}
	kubeFactory.InformerFor(&corev1.ConfigMap{}, func(kubernetes.Interface, time.Duration) cache.SharedIndexInformer {
		return l.informer("configmaps", &corev1.ConfigMap{})
	})
	builds := buildFactory.InformerFor(&buildv1.Build{}, func(buildclientset.Interface, time.Duration) cache.SharedIndexInformer {
		return l.informer("builds", &buildv1.Build{})
	})

	builder, err := openshift.New(ctrlcommon.MCONamespace, l.api.Build, l.api.Kube, builds, secrets)
	require.NoError(t, err)
	config := DefaultConfig()
	config.Clock = clock
	mcfg := mcfgFactory.Machineconfiguration().V1()
	l.ctrl, err = New(config, mcfg.MachineConfigPools(), mcfg.MachineConfigs(), mcfg.ControllerConfigs(), kubeFactory.Core().V1().ConfigMaps(), secrets,
		builder, l.api.Kube, l.api.Mcfg, l.record)
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	mcfgFactory.Start(ctx.Done())
	kubeFactory.Start(ctx.Done())
	buildFactory.Start(ctx.Done())
	go secrets.RunWithContext(ctx)
	cache.WaitForCacheSync(ctx.Done(), l.ctrl.synced...)
	l.stop = func() {
		cancel()
		l.ctrl.queue.ShutDown()
		mcfgFactory.Shutdown()
		kubeFactory.Shutdown()
		buildFactory.Shutdown()
	}
	return l
}

func (l *live) informer(kind string, object k8sruntime.Object) cache.SharedIndexInformer {
	p := &pump{api: l.api, kind: kind}
	informer := cache.NewSharedIndexInformer(listWatch{p}, object, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	p.indexer = informer.GetIndexer()
	l.watches[kind] = p
	return informer
}

// listWatch has the methods of a ListerWatcher alone.
type listWatch struct{ *pump }

// until lets the controller and the build system work until it is so.
func (l *live) until(t testing.TB, what string, so func() bool) {
	t.Helper()
	for range 1000000 {
		caughtUp := true
		for _, kind := range buildtest.Kinds {
			caughtUp = l.watches[kind].tell() && caughtUp
		}
		if l.ctrl.queue.Len() > 0 {
			l.ctrl.ProcessNext(context.Background())
			continue
		}
		if !caughtUp {
			runtime.Gosched()
			continue
		}
		if so() {
			return
		}
		l.build()
		runtime.Gosched()
	}
	require.FailNow(t, "it does not come about: "+what)
}

// build completes every Build.
func (l *live) build() {
	for _, object := range l.api.Stored("builds") {
		if b := object.(*buildv1.Build); !buildtest.Ended(b) {
			l.api.CompleteBuild(b.Name, buildtest.DigestOf(b.Name))
		}
	}
}

// cycle takes a pool, which may be new, to its next config and drops the one before.
func (l *live) cycle(t testing.TB, pool string, number int) {
	t.Helper()
	config, before := fmt.Sprintf("rendered-%s-%d", pool, number), ""
	l.api.Put(buildtest.RenderedConfig(config))
	if !l.has(pool) {
		l.api.Put(buildtest.Pool(pool).Layered().Wants(config).Object())
	} else {
		before = l.api.Pool(pool).Spec.Configuration.Name
		l.api.EditPool(pool, func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = config })
	}
	l.until(t, "an image of "+config, func() bool {
		return l.api.Pool(pool).Annotations[constants.DesiredOSImageConfigAnnotation] == config && len(l.api.InputSecrets()) == 0
	})
	l.api.Remove("machineconfigs", "", before)
	l.clock.Step(time.Second)
	l.api.ResetCalls()
	l.api.Kube.ClearActions()
	l.api.Mcfg.ClearActions()
	l.api.Build.ClearActions()
	for len(l.record.Events) > 0 {
		<-l.record.Events
	}
}

func (l *live) has(pool string) bool {
	for _, object := range l.api.Stored("machineconfigpools") {
		if object.(*mcfgv1.MachineConfigPool).Name == pool {
			return true
		}
	}
	return false
}

// TestBudgetSlope is P15: what is left of many cycles of builds, pools that come and go
// included. The heap is taken at points in time from a fifth of the cycles on, and a line
// laid through them.
func TestBudgetSlope(t *testing.T) {
	if on, _ := strconv.ParseBool(os.Getenv("KUBE_CACHE_MUTATION_DETECTOR")); on {
		t.Skip("client-go's detector of mutated cache entries keeps what it has seen; `make budget` turns it off")
	}
	const points, poolsAtOnce, cyclesOfPool = 20, 4, 5
	l := newLive(t, goodInputs()...)
	defer l.stop()

	var at, heap, goroutines []float64
	every := max(*cycleCount*4/5/points, 1)
	for i := range *cycleCount {
		slot, life := i%poolsAtOnce, i/poolsAtOnce/cyclesOfPool
		pool := fmt.Sprintf("pool-%d-%d", slot, life)
		if before := fmt.Sprintf("pool-%d-%d", slot, life-1); l.has(before) {
			config := l.api.Pool(before).Spec.Configuration.Name
			l.api.Remove("machineconfigpools", "", before)
			l.api.Remove("machineconfigs", "", config)
		}
		l.cycle(t, pool, i)
		if i >= *cycleCount/5 && i%every == 0 {
			heapInUse, running := resources()
			at, heap, goroutines = append(at, float64(i)), append(heap, heapInUse), append(goroutines, running)
		}
	}
	slope, margin := slopeOf(at, heap)
	measured(t, "P15.bytes", slope)
	measured(t, "P15.bytes.margin", margin)
	leaked, _ := slopeOf(at, goroutines)
	measured(t, "P15.goroutines", leaked)
	measured(t, "P15.cycles", float64(*cycleCount))
	t.Logf("heap at %.0f: %.0f", at, heap)
	require.InDelta(t, goroutines[0], goroutines[len(goroutines)-1], 2, "goroutines are left behind: %v", goroutines)
	require.LessOrEqual(t, (slope-margin)*float64(*cycleCount), float64(leftBudget), "%.0f bytes per cycle are left behind: %v", slope, heap)
}

// leftBudget is how many bytes all cycles together may leave behind, at the lower end of
// the interval: caches of the runtime and the libraries that fill up. One entry of a map
// for each config or pool exceeds it.
const leftBudget = 60000

func resources() (heap, goroutines float64) {
	// What the first collection finalizes goes with the second one.
	runtime.GC()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return float64(memory.HeapAlloc), float64(runtime.NumGoroutine())
}

// slopeOf is that of the line of least squares, with half of its 95 % interval.
func slopeOf(x, y []float64) (slope, margin float64) {
	n := float64(len(x))
	var sumX, sumY float64
	for i := range x {
		sumX, sumY = sumX+x[i], sumY+y[i]
	}
	var xx, xy, rest float64
	for i := range x {
		dx := x[i] - sumX/n
		xx, xy = xx+dx*dx, xy+dx*(y[i]-sumY/n)
	}
	slope = xy / xx
	for i := range x {
		off := y[i] - sumY/n - slope*(x[i]-sumX/n)
		rest += off * off
	}
	return slope, 2.1 * math.Sqrt(rest/(n-2)/xx)
}

func TestSlopeOf(t *testing.T) {
	slope, margin := slopeOf([]float64{1, 2, 3, 4}, []float64{10, 13, 16, 19})
	require.InDelta(t, 3, slope, 1e-9)
	require.InDelta(t, 0, margin, 1e-9)
	_, margin = slopeOf([]float64{1, 2, 3, 4}, []float64{10, 13, 10, 13})
	require.Greater(t, margin, 1.0, "what does not lie on a line is not known well")
}
