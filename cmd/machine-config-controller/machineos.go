package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// otherBuilderLease is the Lease that the operator's own builder elects its leader on. It
// does nothing unless it holds it.
const otherBuilderLease = "machine-os-builder"

// servesMachineOSConfigs tells whether the cluster knows the kind, whatever there is of it. It
// waits for an answer: without one there is nothing to be done anyway.
func servesMachineOSConfigs(ctx context.Context, client discovery.DiscoveryInterface, pause time.Duration) (serves bool) {
	_ = wait.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		known, err := client.ServerResourcesForGroupVersion(mcfgv1.GroupVersion.String())
		switch {
		case err == nil:
			serves = slices.ContainsFunc(known.APIResources, func(r metav1.APIResource) bool { return r.Name == "machineosconfigs" })
		case apierrors.IsNotFound(err):
		default:
			klog.FromContext(ctx).Error(err, "Could not ask whether the cluster serves MachineOSConfigs; will try again")
			return false, nil
		}
		return true, nil
	})
	return serves
}

// otherBuilder keeps the operator's own builder idle: it holds that one's Lease for as long
// as this process leads. Two that write MachineOSConfigs and MachineOSBuilds would undo each
// other's work.
type otherBuilder struct {
	// replace tells that people want it to be replaced.
	replace bool
	// changed is called when the Lease was got or lost.
	changed func()
	// holds tells whether this process has the Lease, and holder who has it, as far as known.
	holds  atomic.Bool
	holder atomic.Pointer[string]
}

// problem is why MachineOSConfigs and MachineOSBuilds must not be written; empty if they may.
func (b *otherBuilder) problem() string {
	switch {
	case !b.replace:
		return "MachineOSConfigs are left to the operator's own builder, and nothing is built or written for them, because machine-config-controller runs without --replace-machine-os-builder"
	case b.holds.Load():
		return ""
	}
	holder := "somebody else, as far as is known"
	if known := b.holder.Load(); known != nil && *known != "" {
		holder = *known
	}
	return fmt.Sprintf("Lease %s/%s is held by %s, so the operator's own builder may be at work, and nothing is built or written for MachineOSConfigs; it is taken over when that one ends: oc -n %s delete pod -l k8s-app=%s",
		ctrlcommon.MCONamespace, otherBuilderLease, holder, ctrlcommon.MCONamespace, otherBuilderLease)
}

// keepIdle is run. Without the Lease nothing is written, so that is all there is to an error.
func (b *otherBuilder) keepIdle(ctx context.Context, client kubernetes.Interface) {
	if err := b.run(ctx, client); err != nil {
		klog.FromContext(ctx).Error(err, "MachineOSConfigs are left alone")
	}
}

// run takes the Lease over, and holds it until the context ends. Once lost it is waited for
// again.
func (b *otherBuilder) run(ctx context.Context, client kubernetes.Interface) error {
	if !b.replace {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("could not name this process for the lease: %w", err)
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, ctrlcommon.MCONamespace, otherBuilderLease, nil, client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())})
	if err != nil {
		return fmt.Errorf("could not make the lock of Lease %s: %w", otherBuilderLease, err)
	}
	logger := klog.FromContext(ctx)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, Name: otherBuilderLease, ReleaseOnCancel: true,
		// The operator's own builder has the first two of these. Whoever looks more often than
		// its next pod gets the Lease first.
		LeaseDuration: 137 * time.Second, RenewDeadline: 107 * time.Second, RetryPeriod: 5 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				logger.Info("Holding the lease of the operator's own builder", "lease", otherBuilderLease)
				b.holds.Store(true)
				b.changed()
			},
			OnStoppedLeading: func() {
				logger.Info("Not holding the lease of the operator's own builder", "lease", otherBuilderLease)
				b.holds.Store(false)
				b.changed()
			},
			OnNewLeader: func(identity string) {
				b.holder.Store(&identity)
				b.changed()
			},
		},
	})
	if err != nil {
		return fmt.Errorf("could not set up the election on Lease %s: %w", otherBuilderLease, err)
	}
	for ctx.Err() == nil {
		elector.Run(ctx)
	}
	return nil
}
