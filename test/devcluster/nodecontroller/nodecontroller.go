package nodecontroller

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	mcfglisters "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest/rollout"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Annotations of nodes. What is desired is the node controller's, the rest the daemon's.
const (
	DesiredConfig = "machineconfiguration.openshift.io/desiredConfig"
	DesiredImage  = "machineconfiguration.openshift.io/desiredImage"
	CurrentConfig = "machineconfiguration.openshift.io/currentConfig"
	CurrentImage  = "machineconfiguration.openshift.io/currentImage"
	State         = "machineconfiguration.openshift.io/state"
	// Done is the state of a node that is as it is desired.
	Done = "Done"
)

type controller struct {
	kube kubernetes.Interface
	mcfg mcfgclientset.Interface

	pools   mcfglisters.MachineConfigPoolLister
	configs mcfglisters.MachineOSConfigLister
	builds  mcfglisters.MachineOSBuildLister
	nodes   corelisters.NodeLister

	// changed holds a token when anything has changed since the last round.
	changed chan struct{}
}

// Start plays until it is stopped. The context bounds the start only. What goes wrong is told to failed, and ends it.
func Start(ctx context.Context, config *rest.Config, failed func(error)) (stop func(), err error) {
	c := &controller{changed: make(chan struct{}, 1)}
	if c.kube, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("could not create client: %w", err)
	}
	if c.mcfg, err = mcfgclientset.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("could not create machine configuration client: %w", err)
	}
	core, machines := informers.NewSharedInformerFactory(c.kube, 0), mcfginformers.NewSharedInformerFactory(c.mcfg, 0)
	group := machines.Machineconfiguration().V1()
	c.pools, c.configs, c.builds, c.nodes = group.MachineConfigPools().Lister(), group.MachineOSConfigs().Lister(), group.MachineOSBuilds().Lister(), core.Core().V1().Nodes().Lister()
	kick := cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { c.kick() }, UpdateFunc: func(any, any) { c.kick() }, DeleteFunc: func(any) { c.kick() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		group.MachineConfigPools().Informer(), group.MachineOSConfigs().Informer(), group.MachineOSBuilds().Informer(), core.Core().V1().Nodes().Informer(),
	} {
		if _, err := informer.AddEventHandler(kick); err != nil {
			return nil, fmt.Errorf("could not watch: %w", err)
		}
	}
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	core.Start(runCtx.Done())
	machines.Start(runCtx.Done())
	core.WaitForCacheSync(ctx.Done())
	machines.WaitForCacheSync(ctx.Done())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.run(runCtx); err != nil && runCtx.Err() == nil {
			failed(fmt.Errorf("the played node controller ended: %w", err))
		}
	})
	return func() {
		cancel()
		running.Wait()
		core.Shutdown()
		machines.Shutdown()
	}, nil
}

func (c *controller) kick() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// run does one round after every change. What it wrote itself is a change as well, so each round does one thing for each pool.
func (c *controller) run(ctx context.Context) error {
	for {
		select {
		case <-c.changed:
		case <-ctx.Done():
			return nil
		}
		pools, err := c.pools.List(labels.Everything())
		if err != nil {
			return err
		}
		for _, pool := range pools {
			// Whoever met a conflict, or an object that is gone, sees a change soon.
			if err := c.sync(ctx, pool); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				return err
			}
		}
	}
}

// sync does the next thing for a pool.
func (c *controller) sync(ctx context.Context, pool *mcfgv1.MachineConfigPool) error {
	members, err := c.nodesOf(pool)
	if err != nil || pool.Spec.Paused {
		return err
	}
	config, decision, err := c.decide(pool)
	if err != nil {
		return err
	}
	if decision.Stale {
		// An Update and no patch, as the node controller's is.
		config = config.DeepCopy()
		delete(config.Annotations, constants.CurrentBuildAnnotation)
		_, err := c.mcfg.MachineconfigurationV1().MachineOSConfigs().Update(ctx, config, metav1.UpdateOptions{})
		return err
	}
	for _, node := range members {
		if daemon := realize(node.Annotations); daemon != nil {
			return c.annotate(ctx, node, daemon)
		}
	}
	if decision.Layered && !decision.Goes || pool.Spec.Configuration.Name == "" {
		return nil
	}
	target := pair{decision.Config, decision.Image}
	if !decision.Layered {
		target = pair{pool.Spec.Configuration.Name, ""}
	}
	for _, node := range members {
		if desired(node.Annotations) != target {
			return c.annotate(ctx, node, target.annotations(DesiredConfig, DesiredImage))
		}
	}
	return nil
}

func (c *controller) decide(pool *mcfgv1.MachineConfigPool) (*mcfgv1.MachineOSConfig, rollout.Decision, error) {
	configs, err := c.configs.List(labels.Everything())
	if err != nil {
		return nil, rollout.Decision{}, err
	}
	builds, err := c.builds.List(labels.Everything())
	if err != nil {
		return nil, rollout.Decision{}, err
	}
	config := rollout.ConfigOf(pool, configs)
	return config, rollout.Decide(config, rollout.Candidates(pool, config, builds)), nil
}

func (c *controller) nodesOf(pool *mcfgv1.MachineConfigPool) ([]*corev1.Node, error) {
	if pool.Spec.NodeSelector == nil {
		return nil, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(pool.Spec.NodeSelector)
	if err != nil {
		return nil, fmt.Errorf("could not read the nodeSelector of pool %s: %w", pool.Name, err)
	}
	nodes, err := c.nodes.List(selector)
	slices.SortFunc(nodes, func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	return nodes, err
}

func (c *controller) annotate(ctx context.Context, node *corev1.Node, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": node.ResourceVersion, "annotations": annotations}})
	if err != nil {
		return fmt.Errorf("could not encode patch: %w", err)
	}
	_, err = c.kube.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// pair is what a node is, or is to be: they are written in one patch.
type pair struct{ config, image string }

func desired(annotations map[string]string) pair {
	return pair{annotations[DesiredConfig], annotations[DesiredImage]}
}

// annotations are those of the pair; the image's goes where there is none.
func (p pair) annotations(config, image string) map[string]any {
	all := map[string]any{config: p.config, image: nil}
	if p.image != "" {
		all[image] = p.image
	}
	return all
}

// realize is what a daemon writes when its node has become what is desired of it; nil when there is nothing to do.
func realize(annotations map[string]string) map[string]any {
	target := desired(annotations)
	if target.config == "" || target == (pair{annotations[CurrentConfig], annotations[CurrentImage]}) {
		return nil
	}
	all := target.annotations(CurrentConfig, CurrentImage)
	all[State] = Done
	return all
}
