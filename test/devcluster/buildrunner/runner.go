package buildrunner

import (
	"context"
	"fmt"
	"sync"
	"time"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	buildscheme "github.com/openshift/client-go/build/clientset/versioned/scheme"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	buildlisters "github.com/openshift/client-go/build/listers/build/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

const (
	component = "build-controller"
	workers   = 2
)

// Runner runs the Builds of one namespace.
type Runner struct {
	opts Options

	buildClient buildclientset.Interface
	kubeClient  kubernetes.Interface
	events      record.EventRecorder

	buildLister buildlisters.BuildLister
	informers   buildinformers.SharedInformerFactory
	synced      cache.InformerSynced
	queue       workqueue.TypedRateLimitingInterface[string]

	pods  *pods
	slots chan struct{}

	startEvents func(ctx context.Context)
}

// New makes a Runner that talks to the API server of cfg. It does nothing before Run.
func New(cfg *rest.Config, opts Options) (*Runner, error) {
	cfg = rest.AddUserAgent(rest.CopyConfig(cfg), component)
	buildClient, err := buildclientset.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("could not make build client: %w", err)
	}
	kubeClient, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("could not make kube client: %w", err)
	}
	return newRunner(buildClient, kubeClient, opts)
}

func newRunner(buildClient buildclientset.Interface, kubeClient kubernetes.Interface, opts Options) (*Runner, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Runner{
		opts:        opts,
		buildClient: buildClient,
		kubeClient:  kubeClient,
		informers:   buildinformers.NewSharedInformerFactoryWithOptions(buildClient, 0, buildinformers.WithNamespace(opts.Namespace)),
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 5*time.Second),
			workqueue.TypedRateLimitingQueueConfig[string]{Name: "buildrunner", Clock: opts.Clock}),
		slots: make(chan struct{}, opts.Concurrency),
	}
	r.pods = newPods(opts.Clock)

	builds := r.informers.Build().V1().Builds()
	r.buildLister = builds.Lister()
	registration, err := builds.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    r.enqueue,
		UpdateFunc: func(_, object any) { r.enqueue(object) },
		DeleteFunc: r.enqueue,
	})
	if err != nil {
		return nil, fmt.Errorf("could not watch builds: %w", err)
	}
	r.synced = registration.HasSynced

	r.startEvents = func(ctx context.Context) {
		broadcaster := record.NewBroadcaster(record.WithContext(ctx))
		broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: kubeClient.CoreV1().Events(opts.Namespace)})
		r.events = broadcaster.NewRecorder(buildscheme.Scheme, corev1.EventSource{Component: component})
	}
	return r, nil
}

func (r *Runner) enqueue(object any) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if err != nil {
		klog.ErrorS(err, "Could not make a key of a build")
		return
	}
	_, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		klog.ErrorS(err, "Could not split the key of a build", "key", key)
		return
	}
	r.queue.Add(name)
}

// Start runs Builds in the background until stop is called, also when ctx is done, for
// what ends later still needs its Builds. An error of running them goes to failed.
func (r *Runner) Start(ctx context.Context, failed func(error)) (stop func()) {
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := r.Run(runCtx); err != nil && runCtx.Err() == nil {
			failed(fmt.Errorf("could not run builds: %w", err))
		}
	}()
	return func() { cancel(); <-ended }
}

// Run runs Builds until ctx is done, then stops all work and waits for it. Builds that were active stay as they are, and are found
// without their work by the next Run. A Runner runs once.
func (r *Runner) Run(ctx context.Context) error {
	r.startEvents(ctx)
	r.informers.Start(ctx.Done())
	defer r.informers.Shutdown()

	// In reverse: no new work, no worker that could start some, the work itself.
	var group sync.WaitGroup
	defer r.pods.wait()
	defer group.Wait()
	defer r.queue.ShutDown()

	if !cache.WaitForCacheSync(ctx.Done(), r.synced) {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("could not fill the cache of builds in %s", r.opts.Namespace)
	}
	for range workers {
		group.Go(func() {
			for r.processNext(ctx) {
			}
		})
	}
	<-ctx.Done()
	return nil
}

func (r *Runner) processNext(ctx context.Context) bool {
	name, quit := r.queue.Get()
	if quit {
		return false
	}
	defer r.queue.Done(name)
	if ctx.Err() != nil {
		return true
	}
	again, err := r.sync(ctx, name)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			klog.ErrorS(err, "Could not sync build, will retry", "build", klog.KRef(r.opts.Namespace, name))
		}
		r.queue.AddRateLimited(name)
	case again > 0:
		r.queue.Forget(name)
		r.queue.AddAfter(name, again)
	default:
		r.queue.Forget(name)
	}
	return true
}

func (r *Runner) now() metav1.Time { return metav1.NewTime(r.opts.Clock.Now()) }
