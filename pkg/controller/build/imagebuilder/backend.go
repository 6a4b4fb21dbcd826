package imagebuilder

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Backend is what programs that show and examine things have to know of a backend, so
// that none of them goes round the contract. No method calls anything.
type Backend interface {
	// About is what there is to say of the backend itself.
	About() About

	// Commands are what people type about the build of that name.
	Commands(build string) Commands

	// Objects makes what Start creates for the request, in that namespace.
	// The caller may change it.
	Objects(namespace string, request Request) Objects

	// Read reads an object of the backend's kind, given as JSON. The error is that of
	// encoding/json.
	Read(text []byte) (Made, error)

	// Input reads a Secret with the label of what the controller makes, given by its
	// metadata. It is false where another backend made it.
	Input(meta *metav1.ObjectMeta) (Made, bool)
}

// About describes a backend.
type About struct {
	// Name is what the backend is called in settings and on its objects.
	Name string
	// Kind is that of the objects that run builds, Group their API group and Resource
	// their name in requests.
	Kind, Group, Resource string
	// Permissions are what the controller has to be allowed in its namespace, beside
	// that for Secrets, which all backends keep their inputs in.
	Permissions []Permission
	// Remedy is what a person does where the backend is unavailable.
	Remedy string
}

// Permission is verbs on a resource, and what comes of not having them.
type Permission struct {
	Group string
	// Resource has its subresource behind a slash.
	Resource string
	Verbs    []string
	// Without says what happens where it is lacking.
	Without string
}

// Commands are arguments of kubectl or oc in the controller's namespace.
type Commands struct {
	// Logs shows what the build's steps printed.
	Logs string
	// Describe are those that tell why a build does not begin to run.
	Describe []string
	// Stop ends a build, Delete removes it.
	Stop, Delete string
}

// Objects is what a build consists of. It holds credentials, so it is not to be shown.
type Objects struct {
	// Backend is the name of the one that they are for.
	Backend string
	// Secrets are the inputs, in the order in which they are created.
	Secrets []*corev1.Secret
	// Build is what runs the build, and comes after them; it has its kind.
	Build runtime.Object
}

// Inventory asks the API server, on behalf of a person, for what a backend has made.
type Inventory interface {
	// Backend tells whose it is.
	Backend() Backend

	// Builds are all builds that bear the label of what the controller makes, of any
	// pool, sorted by name. The error is the API's where the credentials do not suffice,
	// and else an UnavailableError.
	Builds(ctx context.Context) ([]Made, error)

	// Watch has changed called whenever what Builds would return may be another.
	Watch(changed func()) (Watcher, error)

	// DryRun has the API server go through the creation of the objects, and keep
	// nothing. There is an answer for each.
	DryRun(ctx context.Context, objects Objects) []Answer
}

// Watcher holds builds, and keeps up with them while it runs.
type Watcher interface {
	// Run works until the context ends.
	Run(ctx context.Context)
	// HasSynced tells whether all builds there are have been read.
	HasSynced() bool
	// Builds are sorted by name.
	Builds() []Made
}

// Answer is what the API server says to the creation of an object. Err is nil if it is
// accepted.
type Answer struct {
	Object string
	Err    error
}

// Made is a build, or an input of one, that bears the label of what the controller
// makes.
type Made struct {
	// Object is the object's own name.
	Object string
	// Backend is the name of the one that made it.
	Backend string
	// Pool is the name of the pool that it was made for. It is empty if the backend
	// takes the object for somebody else's, such as a copy of a build.
	Pool string
	// Observation is what the object says of the build. Of an input it is only what
	// identifies the build, and Created is the input's.
	Observation
}

// SortMade puts them into the order of their names.
func SortMade(made []Made) {
	slices.SortFunc(made, func(x, y Made) int { return cmp.Compare(x.Object, y.Object) })
}

// InputsOf reads the Secrets with the label of what the controller makes, given by their
// metadata. What none of the backends made is somebody else's. They are sorted by name.
func InputsOf(backends []Backend, secrets []*metav1.ObjectMeta) []Made {
	inputs := make([]Made, 0, len(secrets))
	for _, meta := range secrets {
		input := Made{Object: meta.Name, Observation: Observation{Created: meta.CreationTimestamp.Time}}
		for _, backend := range backends {
			if made, ours := backend.Input(meta); ours {
				input = made
			}
		}
		inputs = append(inputs, input)
	}
	SortMade(inputs)
	return inputs
}

// ObservationsOf are those that a backend which has made these builds returns from
// Observe, but for inputs, which decide nothing but what is tidied up; and from Active.
func ObservationsOf(builds []Made, pool string) (observations []Observation, active []string) {
	for i := range builds {
		made := &builds[i]
		if made.Pool == "" {
			continue
		}
		if made.Phase.IsActive() {
			active = append(active, made.Name)
		}
		if made.Pool == pool {
			observations = append(observations, made.Observation)
		}
	}
	slices.Sort(active)
	slices.SortFunc(observations, func(x, y Observation) int { return cmp.Compare(x.Name, y.Name) })
	return observations, active
}
