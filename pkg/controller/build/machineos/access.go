package machineos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// What cannot be read must not hold up pools that have nothing to do with it; the package
// documentation has the rule. A pool with the label whose MachineOSConfig was never served is
// its label's meanwhile: with the gate off it would be as well, and it changes hands when the
// MachineOSConfig is seen, as it would if that were created then.

// access is how far one of the two kinds can be read.
type access struct {
	// what the kind is called, in the plural.
	what     string
	informer cache.SharedIndexInformer
	// refused is the last answer that only a person can change.
	refused atomic.Pointer[string]
}

// refusal is that answer while the kind has never been listed; empty for none.
func (a *access) refusal() string {
	refused := a.refused.Load()
	if refused == nil || a.informer.HasSynced() {
		return ""
	}
	return *refused
}

// Refusal is why one of the kinds is not known, if that lasts until a person does something;
// empty if it does not.
func (l *Ledger) Refusal() string { return cmp.Or(l.ofConfigs.refusal(), l.ofBuilds.refusal()) }

// Unseen tells that this is why no MachineOSConfig is known, whatever there is of them.
func (l *Ledger) Unseen() bool { return l.ofConfigs.refusal() != "" }

// counts tells whether what is in the caches counts. Whoever saw one kind without the other
// would make what exists, unless nothing is made because of that.
func (l *Ledger) counts() bool {
	return !l.waiting.Load() || l.configs.HasSynced() && l.ofBuilds.refusal() != ""
}

// watchFailed runs whenever listing or watching fails. That the API is not served is nothing
// to complain of again and again: the informers go on trying, and there are no objects.
func (l *Ledger) watchFailed(ctx context.Context, r *cache.Reflector, of *access, err error) {
	switch {
	case apierrors.IsNotFound(err):
		l.await()
		if !l.absent.Swap(true) {
			klog.FromContext(ctx).Info("This cluster does not serve MachineOSConfigs and MachineOSBuilds, so pools opt in by their label alone; it is looked for again", "answer", err.Error())
		}
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		cache.DefaultWatchErrorHandler(ctx, r, err)
		l.refuse(ctx, of, err)
	default:
		cache.DefaultWatchErrorHandler(ctx, r, err)
	}
}

// await has nobody wait for the caches to be full, unless they are.
func (l *Ledger) await() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.full() {
		l.waiting.Store(true)
	}
}

// refuse remembers the answer, and has the pools looked at that it is news for.
func (l *Ledger) refuse(ctx context.Context, of *access, err error) {
	if of.informer.HasSynced() {
		return
	}
	text := fmt.Sprintf("%s cannot be watched, so nothing is built or written for pools that MachineOSConfigs opt in; grant the BuildController to list and watch them, "+
		"oc apply -f hack/deploy/machine-os-configs/rbac.yaml, or turn the feature gate MachineOSConfigs off: %v", of.what, err)
	before := of.refused.Swap(&text)
	l.await()
	if before != nil && *before == text {
		return
	}
	klog.FromContext(ctx).Error(err, "MachineOSConfigs are left alone, and pools with the label are served, unless a MachineOSConfig opted them in before", "refused", of.what)
	l.enqueue(imagebuilder.AllPools)
}

// full tells whether both caches are.
func (l *Ledger) full() bool {
	return !slices.ContainsFunc(l.registrations, func(r cache.ResourceEventHandlerRegistration) bool { return !r.HasSynced() })
}

// Run waits until both caches are full, or the context ends. Where the API was not served, or
// refused, before, what there is counts from then on.
func (l *Ledger) Run(ctx context.Context) {
	for _, registration := range l.registrations {
		select {
		case <-registration.HasSyncedChecker().Done():
		case <-ctx.Done():
			return
		}
		if l.Refusal() != "" {
			// It is known now whose the pools are.
			l.enqueue(imagebuilder.AllPools)
		}
	}
	l.mu.Lock()
	came := l.waiting.Swap(false)
	l.mu.Unlock()
	if came {
		l.absent.Store(false)
		klog.FromContext(ctx).Info("This cluster serves MachineOSConfigs and MachineOSBuilds now")
		l.enqueue(imagebuilder.AllPools)
	}
}
