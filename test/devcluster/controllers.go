package devcluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

const (
	controllerWorkers = 4
	// discoveryPeriod is how soon the garbage collector minds a CRD that a test adds; kube-controller-manager takes 30 s.
	discoveryPeriod = 2 * time.Second
	// initialSyncTimeout never decides anything: start waits for the sync itself, bounded by its context.
	initialSyncTimeout = time.Minute
)

// controllers are those of kube-controller-manager that clients of this cluster can notice.
type controllers struct {
	collector *garbagecollector.GarbageCollector
	cancel    context.CancelFunc
	running   sync.WaitGroup
}

// startControllers starts those for workloads only on demand, since they cost every start of a cluster.
func startControllers(ctx context.Context, config *rest.Config, workloads bool, caFile string) (*controllers, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("could not create client: %w", err)
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("could not create metadata client: %w", err)
	}
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	shared := informers.NewSharedInformerFactory(client, 0)
	sharedMetadata := metadatainformer.NewSharedInformerFactory(metadataClient, 0)
	started := make(chan struct{})
	collector, err := garbagecollector.NewGarbageCollector(runCtx, client, metadataClient, mapper,
		garbagecollector.DefaultIgnoredResources(), informerfactory.NewInformerFactory(shared, sharedMetadata), started)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("could not create garbage collector: %w", err)
	}
	namespaces := namespace.NewNamespaceController(runCtx, client, metadataClient, client.Discovery().ServerPreferredNamespacedResources,
		shared.Core().V1().Namespaces(), 0, corev1.FinalizerKubernetes)

	c := &controllers{collector: collector, cancel: cancel}
	shared.Start(runCtx.Done())
	close(started)
	c.running.Go(func() { collector.Run(runCtx, controllerWorkers, initialSyncTimeout) })
	// A discovery client of its own, as Sync asks for: the mapper's would be reset under it.
	c.running.Go(func() { collector.Sync(runCtx, kubernetes.NewForConfigOrDie(config).Discovery(), discoveryPeriod) })
	c.running.Go(func() { namespaces.Run(runCtx, controllerWorkers) })
	if workloads {
		if err := c.startWorkloads(runCtx, config, caFile); err != nil {
			c.stop()
			return nil, err
		}
	}
	return c, nil
}

func (c *controllers) waitForSync(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(context.Context) (bool, error) {
		return c.collector.IsSynced(klog.Background()), nil
	})
	if err != nil {
		return fmt.Errorf("could not wait for garbage collector: %w", err)
	}
	return nil
}

func (c *controllers) stop() {
	c.cancel()
	c.running.Wait()
}
