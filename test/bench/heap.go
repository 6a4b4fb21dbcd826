package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"

	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/caches"
	ctrlclients "github.com/openshift/machine-config-operator/pkg/controller/build/clients"
)

// cachedPool is a pool as an API server stores it, with who wrote which field.
//
//go:embed testdata/pool.json
var cachedPool string

// library serves lists and watches of one pool or config in many copies. It keeps none
// of them, so that all that a client's cache holds is its own.
type library struct {
	item   string
	copies int
}

// placeholder is what differs from copy to copy.
const placeholder = "NUMBER"

func (l library) copy(i int) string {
	return strings.ReplaceAll(l.item, placeholder, fmt.Sprintf("%06d", i))
}

// ServeHTTP implements http.Handler.
func (l library) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if request.URL.Query().Get("watch") == "" {
		_, _ = fmt.Fprint(w, `{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"1"},"items":[`)
		for i := range l.copies {
			if i > 0 {
				_, _ = fmt.Fprint(w, ",")
			}
			_, _ = fmt.Fprint(w, l.copy(i))
		}
		_, _ = fmt.Fprint(w, `]}`)
		return
	}
	if request.URL.Query().Get("sendInitialEvents") == "true" {
		for i := range l.copies {
			_, _ = fmt.Fprintf(w, `{"type":"ADDED","object":%s}`+"\n", l.copy(i))
		}
		var kind struct{ APIVersion, Kind string }
		_ = json.Unmarshal([]byte(l.copy(0)), &kind)
		_, _ = fmt.Fprintf(w, `{"type":"BOOKMARK","object":{"apiVersion":%q,"kind":%q,"metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}}}}`+"\n",
			kind.APIVersion, kind.Kind)
	}
	_ = http.NewResponseController(w).Flush()
	<-request.Context().Done()
}

// informers starts a factory's informer of the kind.
type informers func(config *rest.Config) (start func(stop <-chan struct{}), informer cache.SharedIndexInformer, err error)

// shipped are the informers as the controller uses them, and plain those that keep
// everything.
func shipped(pools bool) informers {
	return func(config *rest.Config) (func(<-chan struct{}), cache.SharedIndexInformer, error) {
		factory := caches.New(ctrlclients.BuilderFromConfig(config)).MachineConfiguration
		return factory.Start, informerOf(factory, pools), nil
	}
}

func plain(pools bool) informers {
	return func(config *rest.Config) (func(<-chan struct{}), cache.SharedIndexInformer, error) {
		client, err := mcfgclientset.NewForConfig(config)
		if err != nil {
			return nil, nil, fmt.Errorf("could not make client: %w", err)
		}
		factory := mcfginformers.NewSharedInformerFactory(client, 0)
		return factory.Start, informerOf(factory, pools), nil
	}
}

func informerOf(factory mcfginformers.SharedInformerFactory, pools bool) cache.SharedIndexInformer {
	if pools {
		return factory.Machineconfiguration().V1().MachineConfigPools().Informer()
	}
	return factory.Machineconfiguration().V1().MachineConfigs().Informer()
}

// heapPairs is how often each side is measured, in turns.
const heapPairs = 5

// heapRatio compares what an object takes in the shipped cache with what it takes in a
// plain one.
func heapRatio(ctx context.Context, item string, copies int, pools bool) (ratio estimate, perObject, perPlain float64, err error) {
	var subject, yardstick []float64
	for range heapPairs {
		s, err := heapPerObject(ctx, item, shipped(pools), copies)
		if err != nil {
			return ratio, 0, 0, err
		}
		y, err := heapPerObject(ctx, item, plain(pools), copies)
		if err != nil {
			return ratio, 0, 0, err
		}
		subject, yardstick = append(subject, s), append(yardstick, y)
	}
	return medianOf(ratiosOf(subject, yardstick)), median(subject), median(yardstick), nil
}

// heapPerObject is what each of so many objects adds to the heap. What an informer takes
// for itself is that of one with a single object.
func heapPerObject(ctx context.Context, item string, make informers, copies int) (float64, error) {
	single, err := heapOf(ctx, library{item, 1}, make)
	if err != nil {
		return 0, err
	}
	all, err := heapOf(ctx, library{item, copies}, make)
	if err != nil {
		return 0, err
	}
	return (all - single) / float64(copies-1), nil
}

func heapOf(ctx context.Context, l library, make informers) (float64, error) {
	server := httptest.NewServer(l)
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before := heapInUse()
	start, informer, err := make(&rest.Config{Host: server.URL})
	if err != nil {
		return 0, err
	}
	start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return 0, fmt.Errorf("could not fill the cache: %w", context.Cause(ctx))
	}
	after := heapInUse()
	if held := len(informer.GetStore().ListKeys()); held != l.copies {
		return 0, fmt.Errorf("the cache has %d objects, not %d", held, l.copies)
	}
	return after - before, nil
}

func heapInUse() float64 {
	// What the first collection finalizes goes with the second one.
	runtime.GC()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return float64(memory.HeapAlloc)
}

// sampleConfig is a rendered config of the size, as an API server stores it.
func sampleConfig(size int) (string, error) {
	config := renderedConfig("rendered-worker-"+placeholder, size)
	config.Kind, config.APIVersion = "MachineConfig", "machineconfiguration.openshift.io/v1"
	config.UID = "00000000-0000-4000-8000-000000" + placeholder
	config.ResourceVersion = "1" + placeholder
	text, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("could not encode a config: %w", err)
	}
	return string(bytes.TrimSpace(text)), nil
}

// measureHeap is P5.
func measureHeap(ctx context.Context, t *table, pools, configs, configSize int) error {
	pool, poolBytes, poolPlain, err := heapRatio(ctx, cachedPool, pools, true)
	if err != nil {
		return err
	}
	item, err := sampleConfig(configSize)
	if err != nil {
		return err
	}
	config, configBytes, configPlain, err := heapRatio(ctx, item, configs, false)
	if err != nil {
		return err
	}
	t.set("P5", pool.Value <= 0.82 && config.Value <= 0.02,
		map[string]estimate{"pool": pool, "config": config, "poolBytes": exactly(poolBytes), "configBytes": exactly(configBytes)}, "%s; %s", pool, config)
	t.note("P5", "a pool takes %.1f of %.1f KB, a config with %d KB of content %.1f of %.1f KB", poolBytes/1000, poolPlain/1000, configSize/1000, configBytes/1000, configPlain/1000)
	return nil
}
