package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/caches"
	"github.com/openshift/machine-config-operator/pkg/controller/build/clients"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// newBackend is what runs builds, for commands that look at it. Of the adapters, nothing
// but this file knows.
func newBackend() cluster.Backend {
	return cluster.Backend{
		Backend: imagebuilder.Backends{openshift.Backend{}, job.Backend{}},
		Inventory: func(cb *clients.Builder, kubeClient kubernetes.Interface, command string) imagebuilder.Inventory {
			return imagebuilder.Inventories{
				openshift.NewInventory(ctrlcommon.MCONamespace, cb.BuildClientOrDie(command), kubeClient),
				job.NewInventory(ctrlcommon.MCONamespace, kubeClient),
			}
		},
	}
}

const startCommand = "start"

func newStartCommand() *cobra.Command {
	o := newStartOptions()
	cmd := &cobra.Command{
		Use:   startCommand,
		Short: "Run the controllers until SIGTERM",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return start(cmd.Context(), o)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// start runs the enabled controllers until the context ends. It returns when
// their work has come to an end and the lease, if any, is released.
func start(ctx context.Context, o *startOptions) error {
	logger := klog.FromContext(ctx)
	logger.Info("Starting", "component", componentName, "version", version.Get().GitVersion, "commit", version.Get().GitCommit)

	o.featureGates.AddMetrics()
	health := &probes{}
	server, err := newServer(ctx, o.bindAddress, health)
	if err != nil {
		return err
	}
	defer server.shutdown()
	logger.Info("Serving health and metrics", "address", server.address())
	healthServer, err := newHealthServer(ctx, o.healthAddress, health)
	if err != nil {
		return err
	}
	defer healthServer.shutdown()
	if healthServer != nil {
		logger.Info("Serving health", "address", healthServer.address())
	}

	if !o.featureGates.Enabled(onClusterBuild) {
		logger.Info("The BuildController is off; turn it on by --feature-gates=" + string(onClusterBuild) + "=true")
		health.rest("the BuildController is off")
		<-ctx.Done()
		return nil
	}

	cb, err := clients.NewBuilder(o.kubeconfig, o.qps, o.burst)
	if err != nil {
		return err
	}
	metrics, err := buildMetrics()
	if err != nil {
		return err
	}
	if !o.leaderElection.LeaderElect {
		return runBuildController(ctx, o, cb, health, metrics)
	}
	return lead(ctx, o, cb, health, func(ctx context.Context) error {
		return runBuildController(ctx, o, cb, health, metrics)
	})
}

// runBuildController wires the BuildController up and runs it to its end.
func runBuildController(ctx context.Context, o *startOptions, cb *clients.Builder, health *probes, metrics *build.Metrics) error {
	// The informers have to outlive the controller's drain.
	informerCtx, stopInformers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInformers()

	// The work queue repeats what fails, so its requests are not repeated as well.
	once := cb.WithoutRetries()
	kubeClient := once.KubeClientOrDie("build-controller")
	recorder, flushEvents := newRecorder(informerCtx, cb.KubeClientOrDie("build-controller").CoreV1())
	defer flushEvents()

	informers := caches.New(cb)
	builder, runBackends, err := newBuilder(cb, kubeClient, informers)
	if err != nil {
		return err
	}
	machineConfiguration := informers.MachineConfiguration.Machineconfiguration().V1()
	config := build.DefaultConfig()
	config.TakeContent = informers.RecentContent.Take
	config.Registry = registry.Client{}
	config.Metrics = metrics
	config.SharesPools = servesMachineOSConfigs(ctx, cb.MachineConfigClientOrDie("build-controller").Discovery(), time.Second)
	other := &otherBuilder{replace: o.replaceBuilder}
	if o.featureGates.Enabled(machineOSConfigs) {
		if config.MachineOS, err = informers.MachineOS(once.MachineConfigClientOrDie("machine-os"), other.problem); err != nil {
			return err
		}
		other.changed = config.MachineOS.LookAgain
	}
	controller, err := build.New(
		config,
		machineConfiguration.MachineConfigPools(),
		machineConfiguration.MachineConfigs(),
		machineConfiguration.ControllerConfigs(),
		informers.ConfigMaps.Core().V1().ConfigMaps(),
		informers.SecretMetadata,
		builder,
		kubeClient,
		once.MachineConfigClientOrDie("build-controller"),
		recorder,
	)
	if err != nil {
		return err
	}
	health.follow(controller.HasSynced)
	health.watch("BuildController", controller.Healthy)
	defer health.stop()

	informers.Start(informerCtx)
	var running sync.WaitGroup
	running.Go(func() { runBackends(informerCtx) })
	if config.MachineOS != nil {
		running.Go(func() { other.keepIdle(informerCtx, once.KubeClientOrDie("other-builder")) })
	}
	controller.Run(ctx, o.workers)

	stopInformers()
	running.Wait()
	informers.Shutdown()
	return nil
}

// newBuilder makes the backends. The function runs their informers until the context ends.
func newBuilder(cb *clients.Builder, kubeClient kubernetes.Interface, informers *caches.Caches) (imagebuilder.ImageBuilder, func(context.Context), error) {
	builds := openshift.NewInformer(ctrlcommon.MCONamespace, cb.BuildClientOrDie("build-informer"))
	buildBuilder, err := openshift.New(ctrlcommon.MCONamespace, cb.WithoutRetries().BuildClientOrDie("build-controller"), kubeClient, builds, informers.SecretMetadata)
	if err != nil {
		return nil, nil, err
	}
	jobs := job.NewInformers(ctrlcommon.MCONamespace, cb.KubeClientOrDie("job-informer"))
	jobBuilder, err := job.New(ctrlcommon.MCONamespace, kubeClient, jobs, informers.SecretMetadata)
	if err != nil {
		return nil, nil, err
	}
	builder := imagebuilder.NewSet(imagebuilder.Member{Name: openshift.Name, ImageBuilder: buildBuilder}, imagebuilder.Member{Name: job.Name, ImageBuilder: jobBuilder})
	return builder, func(ctx context.Context) {
		var running sync.WaitGroup
		running.Go(func() { builds.RunWithContext(ctx) })
		running.Go(func() { jobs.Run(ctx) })
		running.Wait()
	}, nil
}

// lead runs the function while this process holds the lease. The lease is
// given back only after the function has returned, so that the next leader does
// not start while this one finishes its work.
func lead(ctx context.Context, o *startOptions, cb *clients.Builder, health *probes, run func(context.Context) error) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("could not name this process for the lease: %w", err)
	}
	leaseLock, err := resourcelock.New(
		o.leaderElection.ResourceLock, o.leaderElection.ResourceNamespace, o.leaderElection.ResourceName,
		nil, cb.KubeClientOrDie("leader-election").CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())},
	)
	if err != nil {
		return fmt.Errorf("could not make the lease's lock: %w", err)
	}
	lock := newAnsweringLock(leaseLock, clock.RealClock{})

	leaseCtx, releaseLease := context.WithCancel(context.WithoutCancel(ctx))
	defer releaseLease()
	var leading atomic.Bool
	finished := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		Name:            o.leaderElection.ResourceName,
		LeaseDuration:   o.leaderElection.LeaseDuration.Duration,
		RenewDeadline:   o.leaderElection.RenewDeadline.Duration,
		RetryPeriod:     o.leaderElection.RetryPeriod.Duration,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leadCtx context.Context) {
				leading.Store(true)
				klog.FromContext(ctx).Info("Leading")
				runCtx, cancel := context.WithCancel(leadCtx)
				defer context.AfterFunc(ctx, cancel)()
				defer cancel()
				finished <- run(runCtx)
				releaseLease()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("could not set up leader election: %w", err)
	}
	health.standBy(elector, lock.silence, o.leaderElection.LeaseDuration.Duration)
	// A standby has nothing to finish.
	defer context.AfterFunc(ctx, func() {
		if !leading.Load() {
			releaseLease()
		}
	})()

	elector.Run(leaseCtx)
	if !leading.Load() {
		return nil
	}
	err = <-finished
	if ctx.Err() == nil && err == nil {
		return errors.New("lost the lease; exiting so that no two processes lead")
	}
	return err
}

// newRecorder makes the recorder of the pools' events, and a function that
// ends it.
func newRecorder(ctx context.Context, events typedcorev1.EventsGetter) (record.EventRecorder, func()) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: events.Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "build-controller"}), broadcaster.Shutdown
}
