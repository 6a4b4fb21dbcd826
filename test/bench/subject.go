package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfginformersv1 "github.com/openshift/client-go/machineconfiguration/informers/externalversions/machineconfiguration/v1"
	mcfglistersv1 "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/caches"
	ctrlclients "github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// subject is the controller, wired up as machine-config-controller does it, in
// this process.
type subject struct {
	wire *wire
	// syncs counts what was taken from the queue: every sync begins with looking
	// the pool up.
	syncs  *syncCount
	synced func() bool
	stop   func()
}

// controllerPart is the label of the profile samples that are the controller's.
const controllerPart = "controller"

// startSubject starts the controller and returns at once.
func startSubject(w *world, workers int) (*subject, error) {
	s := &subject{wire: newWire(), syncs: &syncCount{}}
	config, err := w.userConfig("bench-controller", s.wire)
	if err != nil {
		return nil, err
	}
	cb := ctrlclients.BuilderFromConfig(config)
	ctx, cancel := context.WithCancel(context.Background())
	informerCtx, stopInformers := context.WithCancel(context.Background())

	// Goroutines inherit the label, and with it whose samples theirs are.
	pprof.Do(ctx, pprof.Labels("part", controllerPart), func(ctx context.Context) {
		once := cb.WithoutRetries()
		kubeClient := once.KubeClientOrDie("build-controller")
		broadcaster := record.NewBroadcaster(record.WithContext(informerCtx))
		broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: cb.KubeClientOrDie("build-controller").CoreV1().Events("")})
		recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "build-controller"})

		informers := caches.New(cb)
		builds := openshift.NewInformer(ctrlcommon.MCONamespace, cb.BuildClientOrDie("build-informer"))
		var builder *openshift.Builder
		builder, err = openshift.New(ctrlcommon.MCONamespace, once.BuildClientOrDie("build-controller"), kubeClient,
			builds, informers.SecretMetadata)
		if err != nil {
			return
		}
		machineConfiguration := informers.MachineConfiguration.Machineconfiguration().V1()
		config := build.DefaultConfig()
		config.TakeContent = informers.RecentContent.Take
		var controller *build.Controller
		controller, err = build.New(config,
			countingPools{machineConfiguration.MachineConfigPools(), s.syncs},
			machineConfiguration.MachineConfigs(), machineConfiguration.ControllerConfigs(),
			informers.ConfigMaps.Core().V1().ConfigMaps(), informers.SecretMetadata,
			builder, kubeClient, once.MachineConfigClientOrDie("build-controller"), recorder)
		if err != nil {
			return
		}
		s.synced = controller.HasSynced
		informers.Start(informerCtx)
		var running sync.WaitGroup
		running.Go(func() { builds.RunWithContext(informerCtx) })
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			controller.Run(ctx, workers)
		}()
		s.stop = func() {
			cancel()
			<-ended
			broadcaster.Shutdown()
			stopInformers()
			running.Wait()
			informers.Shutdown()
		}
	})
	if err != nil {
		cancel()
		stopInformers()
		return nil, fmt.Errorf("could not start the controller: %w", err)
	}
	return s, nil
}

// quietFor is for how long nothing must have happened for the controller to count
// as being at rest.
const quietFor = 150 * time.Millisecond

// startedSubject starts the controller and returns when it is at rest.
func startedSubject(ctx context.Context, w *world, workers int) (*subject, error) {
	s, err := startSubject(w, workers)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, "the controller's start", func() bool { return s.synced() && s.atRest(quietFor) }); err != nil {
		s.stop()
		return nil, err
	}
	s.wire.reset()
	return s, nil
}

// atRest tells whether neither a sync nor a request was seen for so long.
func (s *subject) atRest(d time.Duration) bool {
	return s.wire.silentFor(d) && time.Since(s.syncs.lastAt()) >= d
}

func (s *subject) awaitRest(ctx context.Context) error {
	return await(ctx, "the controller to come to rest", func() bool { return s.atRest(quietFor) })
}

// syncCount counts syncs.
type syncCount struct{ number, last atomic.Int64 }

func (c *syncCount) lastAt() time.Time { return time.Unix(0, c.last.Load()) }

// countingPools is an informer of pools whose lister counts single look-ups.
type countingPools struct {
	mcfginformersv1.MachineConfigPoolInformer
	count *syncCount
}

func (p countingPools) Lister() mcfglistersv1.MachineConfigPoolLister {
	return countingLister{p.MachineConfigPoolInformer.Lister(), p.count}
}

type countingLister struct {
	mcfglistersv1.MachineConfigPoolLister
	count *syncCount
}

func (l countingLister) Get(name string) (*mcfgv1.MachineConfigPool, error) {
	l.count.number.Add(1)
	l.count.last.Store(time.Now().UnixNano())
	return l.MachineConfigPoolLister.Get(name)
}

// patience is how long anything may take that is waited for.
const patience = 20 * time.Minute

const lookInterval = 5 * time.Millisecond

// await looks every few milliseconds whether something has come about.
func await(ctx context.Context, what string, come func() bool) error {
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for !come() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("could not wait for %s: %w", what, context.Cause(ctx))
		}
		if time.Now().After(deadline) {
			return errors.New("could not wait for " + what + ": it took too long")
		}
	}
	return nil
}
