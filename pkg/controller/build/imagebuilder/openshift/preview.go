package openshift

import (
	"slices"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Objects makes what Start creates for the request: the Secrets, in the order in
// which they are created, and the Build that comes after them. It is for those who
// want to look before anything is created.
func Objects(namespace string, r imagebuilder.Request) (*buildv1.Build, []*corev1.Secret) {
	build, secrets := newObjects(namespace, r)
	build.APIVersion, build.Kind = buildv1.GroupVersion.String(), "Build"
	return build, secrets
}

// Observations reads the Builds as Observe does: those of the pool, sorted by name.
// Inputs are not considered, since they decide nothing but what is tidied up. active
// are the names of the Builds of any pool that have not ended, sorted.
func Observations(builds []*buildv1.Build, pool string) (observations []imagebuilder.Observation, active []string) {
	for _, build := range builds {
		of := poolOf(&build.ObjectMeta)
		if of == "" {
			continue
		}
		o := observation(build)
		if o.Phase.IsActive() {
			active = append(active, o.Name)
		}
		if of == pool {
			observations = append(observations, o)
		}
	}
	slices.Sort(active)
	slices.SortFunc(observations, func(x, y imagebuilder.Observation) int { return strings.Compare(x.Name, y.Name) })
	return observations, active
}

// Unavailable says why the backend cannot be used, given the error of listing Builds.
func Unavailable(err error) *imagebuilder.UnavailableError { return unavailableBecause(err) }
