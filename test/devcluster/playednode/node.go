package playednode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/ptr"
)

const (
	// heartbeat is far below the time after which the control plane gives a node up.
	heartbeat     = 2 * time.Second
	leaseSeconds  = 12
	leaseName     = "kube-node-lease"
	pollInterval  = 50 * time.Millisecond
	firstBackoff  = 500 * time.Millisecond
	longestWait   = 2*time.Minute + 2*time.Second
	pullBackoff   = 10 * time.Second
	termination   = 4096
	logTail       = 2048
	logTailLines  = 80
	unknownStatus = "ContainerStatusUnknown"
)

// Options say what to play.
type Options struct {
	// Name is the node's.
	Name string
	// Config is for the node itself; it may do everything.
	Config *rest.Config
	// Executor plays containers.
	Executor Executor
	// Images are there without a pull.
	Images []string
	// Programs are, by their paths, in all of them, beside the entry point.
	Programs []string
}

// Node is a played node.
type Node struct {
	opts     Options
	client   kubernetes.Interface
	recorder record.EventRecorder
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu   sync.Mutex
	pods map[types.UID]*worker
	// up is closed while the node speaks with the API.
	up chan struct{}
}

// Start registers the node and returns when pods can be scheduled to it. The context bounds the start only.
func Start(ctx context.Context, opts Options) (*Node, error) {
	client, err := kubernetes.NewForConfig(opts.Config)
	if err != nil {
		return nil, fmt.Errorf("could not create client: %w", err)
	}
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	broadcaster := record.NewBroadcaster(record.WithContext(runCtx))
	broadcaster.StartRecordingToSink(sink{client})
	up := make(chan struct{})
	close(up)
	n := &Node{
		opts: opts, client: client, cancel: cancel, pods: map[types.UID]*worker{}, up: up,
		recorder: broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: opts.Name}),
	}
	if err := n.register(ctx); err != nil {
		cancel()
		return nil, err
	}
	n.running.Go(func() { wait.UntilWithContext(runCtx, n.beat, heartbeat) })
	n.follow(runCtx)
	if err := n.waitReady(ctx); err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

// Stop ends the node and all that runs on it, and says nothing of that to the API.
func (n *Node) Stop() error {
	n.cancel()
	n.running.Wait()
	return nil
}

// KillKubelet has the node fall silent. Containers run on.
func (n *Node) KillKubelet(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.up = make(chan struct{})
	return nil
}

// StartKubelet has it speak again, of its own health first, which may have been given up.
func (n *Node) StartKubelet(ctx context.Context) error {
	n.mu.Lock()
	close(n.up)
	n.mu.Unlock()
	return n.register(ctx)
}

// KillContainerd is as far as the API can tell what KillKubelet is: nobody knows of containers.
func (n *Node) KillContainerd(ctx context.Context) error { return n.KillKubelet(ctx) }

// StartContainerd is the end of that.
func (n *Node) StartContainerd(ctx context.Context) error { return n.StartKubelet(ctx) }

// awaitUp waits while the node is silent.
func (n *Node) awaitUp(ctx context.Context) error {
	n.mu.Lock()
	up := n.up
	n.mu.Unlock()
	select {
	case <-up:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) register(ctx context.Context) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.opts.Name, Labels: map[string]string{
		corev1.LabelHostname: n.opts.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
	}}}
	if _, err := n.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("could not register node: %w", err)
	}
	resources := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("16Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	// No time in it: the lease is the heartbeat.
	now := metav1.Now()
	ready := corev1.NodeCondition{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status",
		LastHeartbeatTime: now, LastTransitionTime: now,
	}
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		node, err := n.client.CoreV1().Nodes().Get(ctx, n.opts.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		node.Status.Capacity, node.Status.Allocatable = resources, resources
		node.Status.Conditions = []corev1.NodeCondition{ready}
		_, err = n.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
		if apierrors.IsConflict(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("could not tell the node's status: %w", err)
	}
	n.beat(ctx)
	return nil
}

// beat renews the lease. One that fails is followed by others.
func (n *Node) beat(ctx context.Context) {
	if n.awaitUp(ctx) != nil {
		return
	}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: n.opts.Name, Namespace: leaseName},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &n.opts.Name, LeaseDurationSeconds: ptr.To(int32(leaseSeconds)), RenewTime: ptr.To(metav1.NowMicro()),
		},
	}
	leases := n.client.CoordinationV1().Leases(leaseName)
	if existing, err := leases.Get(ctx, n.opts.Name, metav1.GetOptions{}); err == nil {
		existing.Spec = lease.Spec
		_, _ = leases.Update(ctx, existing, metav1.UpdateOptions{})
		return
	}
	_, _ = leases.Create(ctx, lease, metav1.CreateOptions{})
}

func (n *Node) waitReady(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		node, err := n.client.CoreV1().Nodes().Get(ctx, n.opts.Name, metav1.GetOptions{})
		return err == nil && len(node.Spec.Taints) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("could not wait for the played node to be ready: %w", err)
	}
	return nil
}

// follow gives every pod of the node a worker.
func (n *Node) follow(ctx context.Context) {
	mine := fields.OneTermEqualSelector("spec.nodeName", n.opts.Name)
	source := cache.NewListWatchFromClient(n.client.CoreV1().RESTClient(), "pods", metav1.NamespaceAll, mine)
	informer := cache.NewSharedInformer(source, &corev1.Pod{}, 0)
	take := func(object any) {
		if pod, isPod := object.(*corev1.Pod); isPod {
			n.take(ctx, pod)
		}
	}
	// A registration fails only on informers that have stopped.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    take,
		UpdateFunc: func(_, object any) { take(object) },
		DeleteFunc: func(object any) {
			if pod, isPod := object.(*corev1.Pod); isPod {
				n.forget(pod.UID)
			}
		},
	})
	n.running.Go(func() { informer.RunWithContext(ctx) })
}

func (n *Node) take(ctx context.Context, pod *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.pods[pod.UID]
	if w == nil {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			return // of an earlier node
		}
		w = newWorker(n, pod)
		n.pods[pod.UID] = w
		n.running.Go(func() { w.run(ctx) })
	}
	if pod.DeletionTimestamp != nil {
		w.stop(ptr.Deref(pod.DeletionGracePeriodSeconds, 0))
	}
}

func (n *Node) forget(uid types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.pods[uid]; w != nil {
		w.stop(0)
		delete(n.pods, uid)
	}
}
