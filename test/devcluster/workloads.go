package devcluster

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/nodelifecycle"
	"k8s.io/kubernetes/pkg/controller/podgc"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/tainteviction"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

const (
	nodeMonitorPeriod = time.Second
	// NodeGracePeriod is after how long of silence a node is not ready any more; kube-controller-manager takes 50 s.
	NodeGracePeriod = 20 * time.Second
	// nodeStartupGracePeriod is kube-controller-manager's.
	nodeStartupGracePeriod = time.Minute
	// terminatedPods is how many of them may lie about; kube-controller-manager keeps 12,500.
	terminatedPods = 1000
)

// runnable is what the controllers of workloads have in common.
type runnable func(ctx context.Context)

// startWorkloads adds the controllers that make pods of Jobs, mind them, and give them nodes.
func (c *controllers) startWorkloads(ctx context.Context, config *rest.Config, caFile string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("could not create client: %w", err)
	}
	shared := informers.NewSharedInformerFactory(client, 0)
	var all []runnable
	for _, add := range []func() ([]runnable, error){
		func() ([]runnable, error) { return jobControllers(ctx, client, shared) },
		func() ([]runnable, error) { return accountControllers(client, shared, caFile) },
		func() ([]runnable, error) { return nodeControllers(ctx, client, shared) },
		func() ([]runnable, error) { return disruptionController(ctx, client, config, shared) },
	} {
		some, err := add()
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	shared.Start(ctx.Done())
	for _, run := range all {
		c.running.Go(func() { run(ctx) })
	}
	return c.startScheduler(ctx, client, config)
}

func jobControllers(ctx context.Context, client kubernetes.Interface, shared informers.SharedInformerFactory) ([]runnable, error) {
	// The last two are for workloads of several pods, a feature that is off.
	jobs, err := job.NewController(ctx, client, shared.Core().V1().Pods(), shared.Batch().V1().Jobs(), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("could not create Job controller: %w", err)
	}
	garbage := podgc.NewPodGC(ctx, client, shared.Core().V1().Pods(), shared.Core().V1().Nodes(), terminatedPods)
	return []runnable{func(ctx context.Context) { jobs.Run(ctx, controllerWorkers) }, garbage.Run}, nil
}

func accountControllers(client kubernetes.Interface, shared informers.SharedInformerFactory, caFile string) ([]runnable, error) {
	accounts, err := serviceaccount.NewServiceAccountsController(klog.Background(), shared.Core().V1().ServiceAccounts(),
		shared.Core().V1().Namespaces(), client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return nil, fmt.Errorf("could not create service-account controller: %w", err)
	}
	authority, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("could not read CA certificate: %w", err)
	}
	publisher, err := rootcacertpublisher.NewPublisher(shared.Core().V1().ConfigMaps(), shared.Core().V1().Namespaces(), client, authority)
	if err != nil {
		return nil, fmt.Errorf("could not create publisher of the CA certificate: %w", err)
	}
	return []runnable{
		func(ctx context.Context) { accounts.Run(ctx, 1) },
		func(ctx context.Context) { publisher.Run(ctx, 1) },
	}, nil
}

func nodeControllers(ctx context.Context, client kubernetes.Interface, shared informers.SharedInformerFactory) ([]runnable, error) {
	// The numbers are kube-controller-manager's, and about the pace of evictions in clusters with more nodes.
	const evictions, secondaryEvictions, largeCluster, unhealthyZone = 0.1, 0.01, 50, 0.55
	nodes, err := nodelifecycle.NewNodeLifecycleController(ctx, shared.Coordination().V1().Leases(), shared.Core().V1().Pods(),
		shared.Core().V1().Nodes(), shared.Apps().V1().DaemonSets(), client, nodeMonitorPeriod, nodeStartupGracePeriod, NodeGracePeriod,
		evictions, secondaryEvictions, largeCluster, unhealthyZone)
	if err != nil {
		return nil, fmt.Errorf("could not create node-lifecycle controller: %w", err)
	}
	taints, err := tainteviction.New(ctx, client, shared.Core().V1().Pods(), shared.Core().V1().Nodes(), "taint-eviction-controller")
	if err != nil {
		return nil, fmt.Errorf("could not create taint-eviction controller: %w", err)
	}
	return []runnable{nodes.Run, taints.Run}, nil
}

func disruptionController(ctx context.Context, client kubernetes.Interface, config *rest.Config, shared informers.SharedInformerFactory) ([]runnable, error) {
	cached := memory.NewMemCacheClient(client.Discovery())
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	scales, err := scale.NewForConfig(config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(client.Discovery()))
	if err != nil {
		return nil, fmt.Errorf("could not create client of scales: %w", err)
	}
	disruptions := disruption.NewDisruptionController(ctx, shared.Core().V1().Pods(), shared.Policy().V1().PodDisruptionBudgets(),
		shared.Core().V1().ReplicationControllers(), shared.Apps().V1().ReplicaSets(), shared.Apps().V1().Deployments(),
		shared.Apps().V1().StatefulSets(), client, mapper, scales, client.Discovery())
	return []runnable{disruptions.Run}, nil
}

func (c *controllers) startScheduler(ctx context.Context, client kubernetes.Interface, config *rest.Config) error {
	// Its pod informer leaves out pods that ended, so it is none to share.
	shared := scheduler.NewInformerFactory(client, 0)
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return fmt.Errorf("could not record the scheduler's events: %w", err)
	}
	s, err := scheduler.New(ctx, client, shared, nil, profile.NewRecorderFactory(broadcaster), scheduler.WithKubeConfig(config))
	if err != nil {
		return fmt.Errorf("could not create scheduler: %w", err)
	}
	shared.Start(ctx.Done())
	c.running.Go(func() {
		defer broadcaster.Shutdown()
		shared.WaitForCacheSync(ctx.Done())
		if err := s.WaitForHandlersSync(ctx); err != nil {
			return // the cluster is being stopped
		}
		s.Run(ctx)
	})
	return nil
}
