package build

import (
	"context"
	"fmt"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	mcfginformersv1 "github.com/openshift/client-go/machineconfiguration/informers/externalversions/machineconfiguration/v1"
	mcfglistersv1 "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	coreinformersv1 "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
)

// Config holds what can be tuned about the controller.
type Config struct {
	// CallTimeout bounds each API call, or short run of calls that belong together.
	CallTimeout time.Duration
	// FirstRetryDelay and MaxRetryDelay bound the exponential back-off of a
	// pool whose sync fails.
	FirstRetryDelay time.Duration
	MaxRetryDelay   time.Duration
	// DrainTimeout is how long syncs may go on after the controller was told
	// to stop.
	DrainTimeout time.Duration
	// StuckAfter is how long a sync may run before Healthy calls it stuck.
	StuckAfter time.Duration
	// Metrics record what the controller does; nil for no metrics.
	Metrics *Metrics
	// Clock is the source of time.
	Clock clock.WithTicker
	// NewQueue makes the work queue of pools' names, for which limiter tells how long a
	// pool is to wait whose sync failed; nil for the one of production.
	NewQueue func(limiter workqueue.TypedRateLimiter[string]) workqueue.TypedRateLimitingInterface[string]
	// MachineOS reads and writes MachineOSConfigs and MachineOSBuilds; nil where pools opt in
	// by their label alone.
	MachineOS *machineos.Ledger
	// SharesPools tells that the cluster serves MachineOSConfigs, so that others write, and go
	// by, conditions of pools that opt in by their label alone.
	SharesPools bool
	// TakeContent returns the spec.config of this very version of a MachineConfig from
	// the cache, nil if it is not at hand; then the API is asked. It is only called for
	// a build that is about to start.
	TakeContent func(config *mcfgv1.MachineConfig) []byte
	// Registry is asked for the digest of an image that a build pushed and does not tell;
	// nil to take such an image for lost.
	Registry ImageRegistry
	// Contexts are shared by the controllers of a simulation; nil in production.
	Contexts *Contexts
}

// ImageRegistry answers about images; registry.Client is one.
type ImageRegistry interface {
	// Digest is the digest of the image. The error is registry.ErrMissing or ErrDenied where
	// asking once more is of no use, and otherwise registry.ErrUnanswered.
	Digest(ctx context.Context, q registry.Question) (string, error)
}

// DefaultConfig returns the configuration for production.
func DefaultConfig() Config {
	const callTimeout = 15 * time.Second
	return Config{
		CallTimeout:     callTimeout,
		FirstRetryDelay: 200 * time.Millisecond,
		MaxRetryDelay:   2 * time.Minute,
		DrainTimeout:    10 * time.Second,
		StuckAfter:      mostCalls * callTimeout,
		Clock:           clock.RealClock{},
		TakeContent:     func(*mcfgv1.MachineConfig) []byte { return nil },
	}
}

// Controller builds OS images for MachineConfigPools.
type Controller struct {
	config Config

	mcpLister  mcfglistersv1.MachineConfigPoolLister
	mcpIndexer cache.Indexer
	// indexers are the caches of what is watched, by kind.
	indexers [kindCount]cache.Indexer
	synced   []cache.InformerSynced

	builder   imagebuilder.ImageBuilder
	machineOS *machineos.Ledger
	observer  *observer
	executor  *executor
	reporter  *reporter
	memory    *memory

	announcer *announcer

	slots   *slots
	lanes   *lanes
	health  *health
	metrics *Metrics
	queue   workqueue.TypedRateLimitingInterface[string]
}

// New returns a controller that waits for Run. None of the informers may have
// been started. The MachineConfig informer may drop spec.config, the ConfigMap
// informer may be limited to the one of ours, and secretInformer has to be one of
// Secrets' metadata (PartialObjectMetadata) in the operator's namespace.
func New(
	config Config,
	mcpInformer mcfginformersv1.MachineConfigPoolInformer,
	mcInformer mcfginformersv1.MachineConfigInformer,
	ccInformer mcfginformersv1.ControllerConfigInformer,
	cmInformer coreinformersv1.ConfigMapInformer,
	secretInformer cache.SharedIndexInformer,
	builder imagebuilder.ImageBuilder,
	kubeClient kubernetes.Interface,
	mcfgClient mcfgclientset.Interface,
	recorder record.EventRecorder,
) (*Controller, error) {
	ctrl := &Controller{
		config:     config,
		mcpLister:  mcpInformer.Lister(),
		mcpIndexer: mcpInformer.Informer().GetIndexer(),
		builder:    builder,
		machineOS:  config.MachineOS,
		memory:     newMemory(),
		slots:      newSlots(),
		lanes:      newLanes(),
		health:     newHealth(),
		metrics:    config.Metrics,
	}
	ctrl.announcer = &announcer{mcpLister: mcpInformer.Lister(), cmLister: cmInformer.Lister(), memory: ctrl.memory, recorder: recorder}
	ctrl.observer = &observer{
		asksRegistry:  config.Registry != nil,
		clock:         config.Clock,
		mcLister:      mcInformer.Lister(),
		ccLister:      ccInformer.Lister(),
		cmLister:      cmInformer.Lister(),
		secretIndexer: secretInformer.GetIndexer(),
		builder:       builder,
		knowledge:     &knowledge{},
		memory:        ctrl.memory,
		machineOS:     config.MachineOS,
	}
	writer := poolWriter{clock: config.Clock, client: mcfgClient, memory: ctrl.memory}
	ctrl.executor = &executor{
		poolWriter:  writer,
		source:      &liveSource{kube: kubeClient, mcfg: mcfgClient, builder: builder, registry: config.Registry, takeContent: config.TakeContent},
		callTimeout: config.CallTimeout,
		builder:     builder,
		observer:    ctrl.observer, contexts: config.Contexts,
		slots:    ctrl.slots,
		isWanted: func(config string) bool { return len(ctrl.poolsThatWant(config)) > 0 },
	}
	ctrl.reporter = &reporter{poolWriter: writer, callTimeout: config.CallTimeout, recorder: recorder, shares: config.SharesPools}
	ctrl.queue, ctrl.slots.serves = newQueue(config, ctrl.lanes), ctrl.servesPool
	if err := mcpInformer.Informer().AddIndexers(cache.Indexers{poolsByWantedConfig: indexByWantedConfig, poolsByUID: indexByUID}); err != nil {
		return nil, fmt.Errorf("could not index MachineConfigPools: %w", err)
	}
	informers := [kindCount]cache.SharedIndexInformer{
		watchedPools: mcpInformer.Informer(), watchedConfigs: mcInformer.Informer(), watchedControllerConfigs: ccInformer.Informer(),
		watchedConfigMaps: cmInformer.Informer(), watchedSecrets: secretInformer,
	}
	if err := ctrl.watch(informers); err != nil {
		return nil, err
	}
	ctrl.synced = append(ctrl.synced, builder.Notify(ctrl.enqueueFromBuilder))
	return ctrl, ctrl.watchMachineOS()
}

// watchMachineOS has pools looked at when their MachineOSConfigs and MachineOSBuilds change.
// Like builds, these are found by more than their names.
func (ctrl *Controller) watchMachineOS() error {
	if ctrl.machineOS == nil {
		return nil
	}
	synced, err := ctrl.machineOS.Notify(ctrl.enqueueFromBuilder)
	ctrl.synced = append(ctrl.synced, synced)
	return err
}

// HasSynced tells whether the controller's caches are full.
func (ctrl *Controller) HasSynced() bool {
	for _, synced := range ctrl.synced {
		if !synced() {
			return false
		}
	}
	return true
}

// Run works with the given number of workers until the context ends. Then it
// takes nothing new, finishes what is queued within the drain timeout, abandons
// the rest, and returns when no worker is left.
func (ctrl *Controller) Run(ctx context.Context, workers int) {
	logger := klog.FromContext(ctx)
	logger.Info("Starting BuildController", "workers", workers)
	defer logger.Info("Stopped BuildController")
	defer ctrl.queue.ShutDown()

	if !cache.WaitForNamedCacheSyncWithContext(ctx, ctrl.synced...) {
		return
	}

	// Stopping must not cut a sync short between two of its calls, so the
	// workers' context outlives ctx by the drain timeout.
	workerCtx, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var running sync.WaitGroup
	ctrl.beginWork(workers)
	for range workers {
		running.Go(func() { ctrl.work(workerCtx) })
	}

	<-ctx.Done()
	ctrl.endWork()
	logger.Info("Stopping BuildController", "queued", ctrl.queue.Len())
	ctrl.queue.ShutDown()
	drained := make(chan struct{})
	go func() {
		running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-ctrl.config.Clock.After(ctrl.config.DrainTimeout):
		logger.Info("Abandoning what is not finished", "queued", ctrl.queue.Len())
		abandon()
		<-drained
	}
}

func (ctrl *Controller) work(ctx context.Context) {
	defer ctrl.health.workerEnded()
	for ctrl.ProcessNext(ctx) {
	}
}

// ProcessNext waits for the next pool in the queue and syncs it; false when there will
// be none. It is what Run's workers do, for whoever drives the controller in their place.
func (ctrl *Controller) ProcessNext(ctx context.Context) bool {
	name, shutdown := ctrl.queue.Get()
	if shutdown || ctx.Err() != nil {
		return false
	}
	defer ctrl.queue.Done(name)
	defer ctrl.lanes.done(name)
	if ahead := ctrl.lanes.ahead(name); ahead != nil {
		select {
		case <-ahead:
		case <-ctrl.config.Clock.After(courtesy):
		}
	}

	ctx = klog.NewContext(ctx, klog.FromContext(ctx).WithValues("pool", name))
	began := ctrl.began(name)
	p, err := ctrl.syncMachineConfigPool(ctx, name)
	ctrl.ended(name, began, err)
	ctrl.settle(ctx, name, verdictOn(p, err), err)
	return true
}

// newQueue makes the work queue of pools' names.
func newQueue(config Config, order workqueue.Queue[string]) workqueue.TypedRateLimitingInterface[string] {
	limiter := newBackOff(config)
	if config.NewQueue != nil {
		return config.NewQueue(limiter)
	}
	const name = "build-controller"
	inOrder := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Name: name, Clock: config.Clock, Queue: order})
	delaying := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{Name: name, Clock: config.Clock, Queue: inOrder})
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter,
		workqueue.TypedRateLimitingQueueConfig[string]{Name: name, Clock: config.Clock, DelayingQueue: delaying})
}

// poolsByUID finds the pool that a build is of.
const poolsByUID = "uid"

func indexByUID(object any) ([]string, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return nil, err
	}
	return []string{string(accessor.GetUID())}, nil
}

func (ctrl *Controller) servesPool(uid types.UID) bool {
	keys, err := ctrl.mcpIndexer.IndexKeys(poolsByUID, string(uid))
	return err != nil || len(keys) > 0
}

// poolsByWantedConfig finds the pools that want a MachineConfig.
const poolsByWantedConfig = "wanted-config"

func indexByWantedConfig(object any) ([]string, error) {
	if pool, ok := object.(*mcfgv1.MachineConfigPool); ok && pool.Spec.Configuration.Name != "" {
		return []string{pool.Spec.Configuration.Name}, nil
	}
	return nil, nil
}
