package openshift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	buildv1 "github.com/openshift/api/build/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Builder is the ImageBuilder that creates OpenShift Builds.
type Builder struct {
	namespace  string
	client     buildclientset.Interface
	kubeClient kubernetes.Interface

	builds        cache.SharedIndexInformer
	secrets       cache.SharedIndexInformer
	buildIndexer  cache.Indexer
	secretIndexer cache.Indexer

	// deleted holds the UIDs of objects that were deleted and that the caches may still
	// show, so that each is deleted once.
	deleted sync.Map
	// unavailable holds the last error of listing Builds, until they are listed.
	unavailable atomic.Pointer[imagebuilder.UnavailableError]
	// enqueueAll is set by Notify, before the informers start.
	enqueueAll func()
}

var _ imagebuilder.ImageBuilder = (*Builder)(nil)

const (
	// byPool indexes Builds and their inputs by the pool's full name, which does
	// not fit into a label.
	byPool = "pool"
	// byBuild indexes the inputs by the build that they are for.
	byBuild = "build"
	// byActivity indexes the Builds of any pool that have not ended.
	byActivity = "activity"
	active     = "active"
)

// New makes a Builder for the namespace. builds has to be an informer of Builds
// and secrets one of Secrets' metadata (PartialObjectMetadata), neither started
// yet; the informers may hold more than our objects.
func New(namespace string, client buildclientset.Interface, kubeClient kubernetes.Interface, builds, secrets cache.SharedIndexInformer) (*Builder, error) {
	b := &Builder{
		namespace:  namespace,
		client:     client,
		kubeClient: kubeClient,
		builds:     builds, buildIndexer: builds.GetIndexer(),
		secrets: secrets, secretIndexer: secrets.GetIndexer(),
	}
	for what, informer := range map[string]cache.SharedIndexInformer{"Builds": builds, "Secrets": secrets} {
		if err := informer.AddIndexers(cache.Indexers{byPool: indexByPool}); err != nil {
			return nil, fmt.Errorf("could not index %s: %w", what, err)
		}
	}
	if err := secrets.AddIndexers(cache.Indexers{byBuild: indexByBuild}); err != nil {
		return nil, fmt.Errorf("could not index Secrets: %w", err)
	}
	if err := builds.AddIndexers(cache.Indexers{byActivity: indexByActivity}); err != nil {
		return nil, fmt.Errorf("could not index Builds: %w", err)
	}
	if err := builds.SetWatchErrorHandlerWithContext(b.watchFailed); err != nil {
		return nil, fmt.Errorf("could not handle errors of watching Builds: %w", err)
	}
	return b, nil
}

func indexByPool(object any) ([]string, error) {
	if meta := metaOf(object); meta != nil {
		if pool := poolOf(meta); pool != "" {
			return []string{pool}, nil
		}
	}
	return nil, nil
}

func indexByBuild(object any) ([]string, error) {
	if meta := metaOf(object); meta != nil && poolOf(meta) != "" {
		return []string{buildOf(meta)}, nil
	}
	return nil, nil
}

func indexByActivity(object any) ([]string, error) {
	if build, ok := object.(*buildv1.Build); ok && poolOf(&build.ObjectMeta) != "" && observation(build).Phase.IsActive() {
		return []string{active}, nil
	}
	return nil, nil
}

// metaOf also looks into the tombstone of an object whose deletion was missed.
func metaOf(object any) *metav1.ObjectMeta {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	switch o := object.(type) {
	case *buildv1.Build:
		return &o.ObjectMeta
	case *metav1.PartialObjectMetadata:
		return &o.ObjectMeta
	}
	return nil
}

// Observe implements ImageBuilder.
func (b *Builder) Observe(pool string) ([]imagebuilder.Observation, error) {
	if problem := b.unavailable.Load(); problem != nil && !b.builds.HasSynced() {
		return nil, problem
	}
	builds, err := b.buildIndexer.ByIndex(byPool, pool)
	if err != nil {
		return nil, fmt.Errorf("could not look up Builds: %w", err)
	}
	secrets, err := b.secretIndexer.ByIndex(byPool, pool)
	if err != nil {
		return nil, fmt.Errorf("could not look up Secrets: %w", err)
	}

	observations := make([]imagebuilder.Observation, 0, len(builds))
	for _, object := range builds {
		observations = append(observations, observation(object.(*buildv1.Build)))
	}
	for _, object := range secrets {
		meta := metaOf(object)
		at := slices.IndexFunc(observations, func(o imagebuilder.Observation) bool { return o.Name == buildOf(meta) })
		if at < 0 {
			o := identityOf(meta)
			o.Phase = imagebuilder.PhaseAbsent
			o.Created = meta.CreationTimestamp.Time
			observations = append(observations, o)
			at = len(observations) - 1
		}
		observations[at].HasInputs = true
	}
	slices.SortFunc(observations, func(x, y imagebuilder.Observation) int { return strings.Compare(x.Name, y.Name) })
	return observations, nil
}

// Start implements ImageBuilder. The inputs come first: a Build that does not
// find them is parked for minutes.
func (b *Builder) Start(ctx context.Context, r imagebuilder.Request) error {
	build, secrets := newObjects(b.namespace, r)
	for _, secret := range secrets {
		if err := b.createInput(ctx, secret, r); err != nil {
			return err
		}
	}

	builds := b.client.BuildV1().Builds(b.namespace)
	_, err := builds.Create(ctx, build, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		existing, err := builds.Get(ctx, r.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get Build %s: %w", r.Name, err)
		}
		if !isOf(&existing.ObjectMeta, r) {
			return fmt.Errorf("Build %s: %w", r.Name, imagebuilder.ErrForeign)
		}
		return nil
	case isNotServed(err):
		return notInstalled()
	case err != nil:
		return fmt.Errorf("could not create Build %s: %w", r.Name, err)
	}
	return nil
}

func (b *Builder) createInput(ctx context.Context, secret *corev1.Secret, r imagebuilder.Request) error {
	secrets := b.kubeClient.CoreV1().Secrets(b.namespace)
	_, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		existing, err := secrets.Get(ctx, secret.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get Secret %s: %w", secret.Name, err)
		}
		if !isOf(&existing.ObjectMeta, r) {
			return fmt.Errorf("Secret %s: %w", secret.Name, imagebuilder.ErrForeign)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("could not create Secret %s: %w", secret.Name, err)
	}
	return nil
}

// isOf tells whether an existing object was made for this very request.
func isOf(meta *metav1.ObjectMeta, r imagebuilder.Request) bool {
	o := identityOf(meta)
	return poolOf(meta) == r.Pool && o.PoolUID == r.PoolUID && o.Fingerprint == r.Fingerprint && o.Attempt == r.Attempt
}

// Get implements ImageBuilder.
func (b *Builder) Get(ctx context.Context, name string) (imagebuilder.Observation, error) {
	build, err := b.client.BuildV1().Builds(b.namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case isNotServed(err):
		return imagebuilder.Observation{}, notInstalled()
	case apierrors.IsNotFound(err):
		return imagebuilder.Observation{Name: name, Phase: imagebuilder.PhaseAbsent}, nil
	case err != nil:
		return imagebuilder.Observation{}, fmt.Errorf("could not get Build %s: %w", name, err)
	}
	return observation(build), nil
}

// Active implements ImageBuilder.
func (b *Builder) Active() []string {
	// The index exists, so there is no error.
	keys, _ := b.buildIndexer.IndexKeys(byActivity, active)
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		// The keys of a cache are well-formed.
		_, name, _ := cache.SplitMetaNamespaceKey(key)
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Stop implements ImageBuilder. Setting the flag is all that cancelling takes;
// the UID in the patch makes it a conflict on any other Build of that name.
func (b *Builder) Stop(ctx context.Context, name string, uid types.UID) error {
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"status":{"cancelled":true}}`, uid)
	_, err := b.client.BuildV1().Builds(b.namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err = b.unlessGone(ctx, name, uid, err); err != nil {
		return fmt.Errorf("could not cancel Build %s: %w", name, err)
	}
	return nil
}

// Delete implements ImageBuilder. The Build goes first: as long as it exists
// it leads back to its inputs. The caller knows of the Build from the cache, so one that
// the cache does not show any more is gone.
func (b *Builder) Delete(ctx context.Context, name string, uid types.UID) error {
	if _, done := b.deleted.Load(uid); !done && b.shows(b.buildIndexer, name, uid) {
		err := b.client.BuildV1().Builds(b.namespace).Delete(ctx, name, deleteOptions(uid))
		if err = b.unlessGone(ctx, name, uid, err); err != nil {
			return fmt.Errorf("could not delete Build %s: %w", name, err)
		}
		b.rememberDeleted(b.buildIndexer, name, uid)
	}
	return b.DeleteInputs(ctx, name)
}

// rememberDeleted records that an object was deleted, for as long as the cache shows
// it: the event of its deletion, which ends that, may have come before the reply.
func (b *Builder) rememberDeleted(indexer cache.Indexer, name string, uid types.UID) {
	b.deleted.Store(uid, true)
	if !b.shows(indexer, name, uid) {
		b.deleted.Delete(uid)
	}
}

func (b *Builder) shows(indexer cache.Indexer, name string, uid types.UID) bool {
	// Looking up a key does not fail.
	object, exists, _ := indexer.GetByKey(cache.NewObjectName(b.namespace, name).String())
	return exists && metaOf(object).UID == uid
}

// DeleteInputs implements ImageBuilder.
func (b *Builder) DeleteInputs(ctx context.Context, name string) error {
	objects, err := b.secretIndexer.ByIndex(byBuild, name)
	if err != nil {
		return fmt.Errorf("could not look up Secrets of build %s: %w", name, err)
	}
	for _, object := range objects {
		meta := metaOf(object)
		if _, done := b.deleted.Load(meta.UID); done {
			continue
		}
		err := b.kubeClient.CoreV1().Secrets(b.namespace).Delete(ctx, meta.Name, deleteOptions(meta.UID))
		// A conflict may mean that the cache shows a predecessor: the next look tells.
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("could not delete Secret %s: %w", meta.Name, err)
		}
		b.rememberDeleted(b.secretIndexer, meta.Name, meta.UID)
	}
	return nil
}

func deleteOptions(uid types.UID) metav1.DeleteOptions {
	propagation := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &propagation}
}

// unlessGone returns the error of a request on a Build of that UID, or nil when
// the error only says that there is none. Of another UID the API says conflict,
// but it says so of a lost race as well, so a conflict takes a second look.
func (b *Builder) unlessGone(ctx context.Context, name string, uid types.UID, err error) error {
	if apierrors.IsConflict(err) {
		existing, getErr := b.client.BuildV1().Builds(b.namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(getErr) || getErr == nil && existing.UID != uid {
			return nil
		}
		return err
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// isNotServed tells a missing API from a missing object: both are 404, but the
// server names a kind only if it knows it.
func isNotServed(err error) bool {
	if !apierrors.IsNotFound(err) {
		return false
	}
	var status apierrors.APIStatus
	return errors.As(err, &status) && (status.Status().Details == nil || status.Status().Details.Name == "")
}

func notInstalled() *imagebuilder.UnavailableError {
	return &imagebuilder.UnavailableError{
		Message: "the API build.openshift.io/v1, which runs the build, is not installed; enable the cluster's Build capability, or wait until the API is back",
	}
}
