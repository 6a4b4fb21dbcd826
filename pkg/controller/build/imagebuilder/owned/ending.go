package owned

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Client is what ending a build takes of the typed client of the objects that run builds.
type Client[T metav1.Object] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

// Ending ends builds. Whoever asks knows of a build from the cache, so one that the cache does
// not show any more is gone.
type Ending[T metav1.Object] struct {
	Client    Client[T]
	Cache     *Cache
	Namespace string
	// Kind and Verb name the objects, and asking one to end, for errors. Ask is the field, in
	// JSON, that asks.
	Kind, Verb, Ask string
}

// Stop asks the build to end. The UID in the patch makes it a conflict on any other object of
// that name. That it is gone is success.
func (e *Ending[T]) Stop(ctx context.Context, name string, uid types.UID) error {
	if !e.Cache.Shows(cache.NewObjectName(e.Namespace, name), uid) {
		return nil
	}
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q,"annotations":{%q:%q}},%s}`, uid, constants.WithdrawnAnnotation, constants.ControllerName, e.Ask)
	_, err := e.Client.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err = e.unlessGone(ctx, name, uid, err); err != nil {
		return fmt.Errorf("could not %s %s %s: %w", e.Verb, e.Kind, name, err)
	}
	return nil
}

// Delete removes the build, once. That it is gone is success.
func (e *Ending[T]) Delete(ctx context.Context, name string, uid types.UID) error {
	object := cache.NewObjectName(e.Namespace, name)
	if e.Cache.IsDeleted(uid) || !e.Cache.Shows(object, uid) {
		return nil
	}
	err := e.Client.Delete(ctx, name, DeleteOptions(uid))
	if err = e.unlessGone(ctx, name, uid, err); err != nil {
		return fmt.Errorf("could not delete %s %s: %w", e.Kind, name, err)
	}
	e.Cache.RememberDeleted(object, uid)
	return nil
}

// unlessGone returns the error of a request on the build of that UID, or nil when it only says
// that there is none. Of another UID the API says conflict, but it says so of a lost race as
// well, so a conflict takes a second look.
func (e *Ending[T]) unlessGone(ctx context.Context, name string, uid types.UID, err error) error {
	if apierrors.IsConflict(err) {
		existing, lookErr := e.Client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(lookErr) || lookErr == nil && existing.GetUID() != uid {
			return nil
		}
		return err
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
