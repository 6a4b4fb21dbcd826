package openshift

import (
	"fmt"
	"regexp"

	buildv1 "github.com/openshift/api/build/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// NewInformer makes an informer of the Builds in the namespace that the controller made.
// It does not hold what nothing reads from it.
func NewInformer(namespace string, client buildclientset.Interface) cache.SharedIndexInformer {
	return buildinformers.NewSharedInformerFactoryWithOptions(client, 0,
		buildinformers.WithNamespace(namespace),
		buildinformers.WithTransform(Strip),
		buildinformers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = owned.Selector() }),
	).Build().V1().Builds().Informer()
}

// strippedPrefix comes before the hash that Strip puts in the place of a Dockerfile. The
// whole is a comment, which nothing can be built from.
const strippedPrefix = "# sha256:"

var stripped = regexp.MustCompile("^" + strippedPrefix + "[0-9a-f]{64}$")

// Strip drops, before a Build enters a cache, who wrote which field, and leaves the hash of
// the Dockerfile in its place.
func Strip(object any) (any, error) {
	if build, ok := object.(*buildv1.Build); ok {
		build.ManagedFields = nil
		if text := build.Spec.Source.Dockerfile; text != nil && !stripped.MatchString(*text) && !isStub(*text) {
			build.Spec.Source.Dockerfile = ptr.To(strippedPrefix + imagebuilder.ContainerfileHash(*text))
		}
	}
	return object, nil
}

// Notify implements ImageBuilder.
func (b *Builder) Notify(enqueue func(pool string)) (synced func() bool) {
	buildsSynced, inputsSynced := b.builds.Notify(enqueue), b.inputs.Notify(enqueue)
	b.available.Notify(func() { enqueue(imagebuilder.AllPools) })

	return func() bool { return (buildsSynced() || b.available.IsKnown()) && inputsSynced() }
}

func unavailableBecause(err error) *imagebuilder.UnavailableError {
	if apierrors.IsNotFound(err) {
		return notInstalled()
	}
	return &imagebuilder.UnavailableError{
		Message: fmt.Sprintf("the API build.openshift.io/v1, which runs the build, does not answer: %v", err),
	}
}
