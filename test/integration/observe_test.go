package integration

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"k8s.io/apimachinery/pkg/api/meta"
)

// source is where objects of one kind come from.
type source struct {
	list     func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch    func(context.Context, metav1.ListOptions) (watch.Interface, error)
	selector string
}

// listOf makes a typed list function one of any object.
func listOf[L runtime.Object](list func(context.Context, metav1.ListOptions) (L, error)) func(context.Context, metav1.ListOptions) (runtime.Object, error) {
	return func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, options)
	}
}

// relistDelay is the pause after an error: while the API server is down there is
// nothing to wait for but time.
const relistDelay = 50 * time.Millisecond

// observe hands on every version of every object in the order in which they were
// written, and after an interruption which objects are left. An informer would
// not do: it may hand on one object's history ahead of another's.
func observe[T metav1.Object](ctx context.Context, from source, see func(object T, deleted, live bool), lose func(left map[types.UID]bool)) {
	for ctx.Err() == nil {
		list, err := from.list(ctx, metav1.ListOptions{LabelSelector: from.selector})
		if err != nil {
			pause(ctx, relistDelay)
			continue
		}
		left := map[types.UID]bool{}
		_ = meta.EachListItem(list, func(object runtime.Object) error {
			if o, ok := object.(T); ok {
				left[o.GetUID()] = true
			}
			return nil
		})
		lose(left)
		_ = meta.EachListItem(list, func(object runtime.Object) error {
			if o, ok := object.(T); ok {
				see(o, false, false)
			}
			return nil
		})
		follow(ctx, from, list, see)
	}
}

// follow returns when the watch ends.
func follow[T metav1.Object](ctx context.Context, from source, list runtime.Object, see func(object T, deleted, live bool)) {
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return
	}
	changes, err := from.watch(ctx, metav1.ListOptions{LabelSelector: from.selector, ResourceVersion: accessor.GetResourceVersion()})
	if err != nil {
		pause(ctx, relistDelay)
		return
	}
	defer changes.Stop()
	for event := range changes.ResultChan() {
		if event.Type == watch.Error {
			return
		}
		if o, ok := event.Object.(T); ok {
			see(o, event.Type == watch.Deleted, true)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
