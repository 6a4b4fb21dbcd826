package openshift

import (
	"context"
	"fmt"
	"slices"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// Builder is the ImageBuilder that creates OpenShift Builds.
type Builder struct {
	namespace string
	client    buildclientset.Interface

	informer cache.SharedIndexInformer
	builds   *owned.Cache
	inputs   *owned.Inputs

	// available tells whether Builds can be listed.
	ending    *owned.Ending[*buildv1.Build]
	available *owned.Availability
}

var _ imagebuilder.ImageBuilder = (*Builder)(nil)

const (
	// byActivity indexes the Builds of any pool that have not ended.
	byActivity = "activity"
	active     = "active"
)

// New makes a Builder for the namespace. builds has to be an informer of Builds, such as
// NewInformer makes, and secrets one of Secrets' metadata (PartialObjectMetadata), neither
// started yet; the informers may hold more than our objects.
func New(namespace string, client buildclientset.Interface, kubeClient kubernetes.Interface, builds, secrets cache.SharedIndexInformer) (*Builder, error) {
	b := &Builder{namespace: namespace, client: client, informer: builds}
	var err error
	if b.builds, err = owned.NewCache(mark, "Builds", builds); err != nil {
		return nil, err
	}
	b.ending = &owned.Ending[*buildv1.Build]{
		Client: client.BuildV1().Builds(namespace), Cache: b.builds, Namespace: namespace, Kind: "Build", Verb: "cancel", Ask: `"status":{"cancelled":true}`,
	}
	if b.inputs, err = owned.NewInputs(mark, namespace, kubeClient, secrets); err != nil {
		return nil, err
	}
	if err := builds.AddIndexers(cache.Indexers{byActivity: indexByActivity}); err != nil {
		return nil, fmt.Errorf("could not index Builds: %w", err)
	}
	b.available, err = owned.NewAvailability("Builds", builds, unavailableBecause)
	return b, err
}

func indexByActivity(object any) ([]string, error) {
	if build, ok := object.(*buildv1.Build); ok && mark.Pool(&build.ObjectMeta) != "" && observation(build).Phase.IsActive() {
		return []string{active}, nil
	}
	return nil, nil
}

// Observe implements ImageBuilder.
func (b *Builder) Observe(pool string) ([]imagebuilder.Observation, error) {
	if err := b.available.Problem(); err != nil {
		return nil, err
	}
	builds, err := b.builds.OfPool(pool)
	if err != nil {
		return nil, err
	}
	observations := make([]imagebuilder.Observation, 0, len(builds))
	for _, object := range builds {
		observations = append(observations, observation(object.(*buildv1.Build)))
	}
	if observations, err = b.inputs.AddTo(observations, pool); err != nil {
		return nil, err
	}
	slices.SortFunc(observations, func(x, y imagebuilder.Observation) int { return strings.Compare(x.Name, y.Name) })
	return observations, nil
}

// Start implements ImageBuilder. The inputs come first: a Build that does not
// find them is parked for minutes.
func (b *Builder) Start(ctx context.Context, r imagebuilder.Request) error {
	build, secrets := newObjects(b.namespace, r)
	if err := b.inputs.Create(ctx, r, secrets); err != nil {
		return err
	}
	builds := b.client.BuildV1().Builds(b.namespace)
	_, err := builds.Create(ctx, build, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		existing, err := builds.Get(ctx, r.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get Build %s: %w", r.Name, err)
		}
		return compare(existing, build, r)
	case owned.IsNotServed(err):
		return notInstalled()
	case err != nil:
		return fmt.Errorf("could not create Build %s: %w", r.Name, err)
	}
	return nil
}

// compare returns ErrForeign for a Build that is not the one that is to be made.
func compare(existing, wanted *buildv1.Build, r imagebuilder.Request) error {
	what := differs(asCached(existing), wanted)
	o := observation(existing)
	switch {
	case !mark.IsOf(&existing.ObjectMeta, r):
		return fmt.Errorf("Build %s: %w", r.Name, imagebuilder.ErrForeign)
	case what == "" && o.WasBornEnded():
		what = "it had ended before it could have begun"
	case what == "":
		return nil
	}
	return fmt.Errorf("Build %s: %w: %s", r.Name, imagebuilder.ErrForeign, what)
}

// Verify implements ImageBuilder.
func (b *Builder) Verify(ctx context.Context, r imagebuilder.Request) (imagebuilder.Observation, error) {
	existing, err := b.get(ctx, r.Name)
	if err != nil || existing == nil {
		return imagebuilder.Observation{Name: r.Name, Phase: imagebuilder.PhaseAbsent}, err
	}
	build, secrets := newObjects(b.namespace, r)
	o := observation(asCached(existing))
	if err := compare(existing, build, r); err != nil {
		return o, err
	}
	return o, b.inputs.Verify(ctx, r, secrets)
}

// Get implements ImageBuilder.
func (b *Builder) Get(ctx context.Context, name string) (imagebuilder.Observation, error) {
	build, err := b.get(ctx, name)
	if err != nil || build == nil {
		return imagebuilder.Observation{Name: name, Phase: imagebuilder.PhaseAbsent}, err
	}
	return observation(asCached(build)), nil
}

// get asks the API for a Build; nil if there is none.
func (b *Builder) get(ctx context.Context, name string) (*buildv1.Build, error) {
	build, err := b.client.BuildV1().Builds(b.namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case owned.IsNotServed(err):
		return nil, notInstalled()
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("could not get Build %s: %w", name, err)
	}
	return build, nil
}

// Shows implements ImageBuilder.
func (b *Builder) Shows(name string) bool {
	// The indices exist, so there is no error.
	builds, _ := b.builds.OfBuild(name)
	secrets, _ := b.inputs.OfBuild(name)
	return len(builds)+len(secrets) > 0
}

// Active implements ImageBuilder.
func (b *Builder) Active() []imagebuilder.Observation {
	// The index exists, so there is no error.
	objects, _ := b.informer.GetIndexer().ByIndex(byActivity, active)
	observations := make([]imagebuilder.Observation, 0, len(objects))
	for _, object := range objects {
		observations = append(observations, observation(object.(*buildv1.Build)))
	}
	slices.SortFunc(observations, func(a, b imagebuilder.Observation) int { return strings.Compare(a.Name, b.Name) })
	return observations
}

// Stop implements ImageBuilder. Setting the flag is all that cancelling takes.
func (b *Builder) Stop(ctx context.Context, name string, uid types.UID) error {
	return b.ending.Stop(ctx, name, uid)
}

// Delete implements ImageBuilder. The Build goes first: as long as it exists it leads back to
// its inputs.
func (b *Builder) Delete(ctx context.Context, name string, uid types.UID) error {
	if err := b.ending.Delete(ctx, name, uid); err != nil {
		return err
	}
	return b.DeleteInputs(ctx, name)
}

// DeleteInputs implements ImageBuilder.
func (b *Builder) DeleteInputs(ctx context.Context, name string) error {
	return b.inputs.Delete(ctx, name)
}

func notInstalled() *imagebuilder.UnavailableError {
	return &imagebuilder.UnavailableError{
		Message: "the API build.openshift.io/v1, which runs the build, is not installed; enable the cluster's Build capability, or wait until the API is back",
	}
}
