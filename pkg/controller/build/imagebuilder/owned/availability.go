package owned

import (
	"context"
	"fmt"
	"sync/atomic"

	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Availability is whether an informer of builds gets through to the API. One that never did
// must neither hold up the controller's start nor go unreported.
type Availability struct {
	informer cache.SharedIndexInformer
	because  func(error) *imagebuilder.UnavailableError

	// problem holds the last error of listing, until there was a list.
	problem atomic.Pointer[imagebuilder.UnavailableError]
	// enqueueAll is set by Notify, before the informer starts.
	enqueueAll func()
}

// NewAvailability watches the errors of an informer that was not started yet. because says
// what such an error means; nil for one that is only waited out.
func NewAvailability(what string, informer cache.SharedIndexInformer, because func(error) *imagebuilder.UnavailableError) (*Availability, error) {
	a := &Availability{informer: informer, because: because}
	if err := informer.SetWatchErrorHandlerWithContext(a.failed); err != nil {
		return nil, fmt.Errorf("could not handle errors of watching %s: %w", what, err)
	}
	return a, nil
}

// Problem is an imagebuilder.UnavailableError while the cache has never been filled because
// the API is not there for us.
func (a *Availability) Problem() error {
	if problem := a.problem.Load(); problem != nil && !a.informer.HasSynced() {
		return problem
	}
	return nil
}

// IsKnown tells whether it was found out that the API is not there.
func (a *Availability) IsKnown() bool { return a.problem.Load() != nil }

// Notify has the function called when that may have changed.
func (a *Availability) Notify(enqueueAll func()) { a.enqueueAll = enqueueAll }

// failed runs whenever listing or watching fails. The informer goes on trying, and the
// pools are looked at again once it gets through.
func (a *Availability) failed(ctx context.Context, r *cache.Reflector, err error) {
	cache.DefaultWatchErrorHandler(ctx, r, err)
	if a.informer.HasSynced() {
		return
	}
	problem := a.because(err)
	if problem == nil {
		return // it will pass
	}
	before := a.problem.Swap(problem)
	if before == nil || before.Message != problem.Message {
		a.enqueueAll()
	}
	if before == nil {
		go func() {
			select {
			case <-a.informer.HasSyncedChecker().Done():
				a.enqueueAll()
			case <-ctx.Done():
			}
		}()
	}
}
