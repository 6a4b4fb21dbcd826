package openshift

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Notify implements ImageBuilder.
func (b *Builder) Notify(enqueue func(pool string)) (synced func() bool) {
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { b.notifyPool(object, enqueue) },
		UpdateFunc: func(old, object any) {
			if !sameVersion(old, object) {
				b.notifyPool(object, enqueue)
			}
		},
		DeleteFunc: func(object any) {
			if meta := metaOf(object); meta != nil {
				b.deleted.Delete(meta.UID)
			}
			b.notifyPool(object, enqueue)
		},
	}
	// An informer refuses handlers only after it was stopped.
	buildsHandled, err := b.builds.AddEventHandler(handler)
	if err != nil {
		panic(fmt.Sprintf("could not watch Builds: %v", err))
	}
	secretsHandled, err := b.secrets.AddEventHandler(handler)
	if err != nil {
		panic(fmt.Sprintf("could not watch Secrets: %v", err))
	}
	b.enqueueAll = func() { enqueue(imagebuilder.AllPools) }

	return func() bool {
		return (buildsHandled.HasSynced() || b.unavailable.Load() != nil) && secretsHandled.HasSynced()
	}
}

func (b *Builder) notifyPool(object any, enqueue func(pool string)) {
	if meta := metaOf(object); meta != nil {
		if pool := poolOf(meta); pool != "" {
			enqueue(pool)
		}
	}
}

func sameVersion(old, object any) bool {
	x, y := metaOf(old), metaOf(object)
	return x != nil && y != nil && x.ResourceVersion == y.ResourceVersion
}

// watchFailed runs whenever listing or watching Builds fails. Before the first
// list succeeded that means that the Build API is not there for us, which must
// neither hold up the controller's start nor go unreported. The informer goes
// on trying, and the pools are looked at again once it gets through.
func (b *Builder) watchFailed(ctx context.Context, r *cache.Reflector, err error) {
	cache.DefaultWatchErrorHandler(ctx, r, err)
	if b.builds.HasSynced() {
		return
	}
	problem := unavailableBecause(err)
	before := b.unavailable.Swap(problem)
	if before == nil || before.Message != problem.Message {
		b.enqueueAll()
	}
	if before == nil {
		go func() {
			select {
			case <-b.builds.HasSyncedChecker().Done():
				b.enqueueAll()
			case <-ctx.Done():
			}
		}()
	}
}

func unavailableBecause(err error) *imagebuilder.UnavailableError {
	if apierrors.IsNotFound(err) {
		return notInstalled()
	}
	return &imagebuilder.UnavailableError{
		Message: fmt.Sprintf("the API build.openshift.io/v1, which runs the build, does not answer: %v", err),
	}
}
