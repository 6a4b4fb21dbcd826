package openshift

import (
	"cmp"
	"slices"

	buildv1 "github.com/openshift/api/build/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Made is a Build, or an input of one, that bears the label of what the controller
// makes.
type Made struct {
	// Object is the object's own name.
	Object string
	// Pool is the name of the pool that it was made for. It is empty if the controller
	// takes the object for somebody else's, such as a copy of a Build.
	Pool string
	// Observation is what the object says of the build. Of an input it is only what
	// identifies the build, and Created is the input's.
	imagebuilder.Observation
}

// MadeBuilds reads all Builds with the label, of any pool, sorted by name.
func MadeBuilds(builds []*buildv1.Build) []Made {
	made := make([]Made, 0, len(builds))
	for _, build := range builds {
		made = append(made, Made{Object: build.Name, Pool: poolOf(&build.ObjectMeta), Observation: observation(build)})
	}
	return sortedByName(made)
}

// MadeInputs reads all Secrets with the label, given by their metadata, sorted by name.
func MadeInputs(secrets []*metav1.ObjectMeta) []Made {
	made := make([]Made, 0, len(secrets))
	for _, meta := range secrets {
		o := identityOf(meta)
		o.Created = meta.CreationTimestamp.Time
		made = append(made, Made{Object: meta.Name, Pool: poolOf(meta), Observation: o})
	}
	return sortedByName(made)
}

func sortedByName(made []Made) []Made {
	slices.SortFunc(made, func(x, y Made) int { return cmp.Compare(x.Object, y.Object) })
	return made
}
