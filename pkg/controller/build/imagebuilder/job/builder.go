package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// Builder is the ImageBuilder that creates Jobs.
type Builder struct {
	namespace string
	client    kubernetes.Interface

	informers Informers
	jobs      *owned.Cache
	inputs    *owned.Inputs
	ending    *owned.Ending[*batchv1.Job]
	available *owned.Availability
	silence   silence
}

var _ imagebuilder.ImageBuilder = (*Builder)(nil)

const (
	// byActivity indexes the Jobs of any pool that have not come to an end.
	byActivity = Name + "/activity"
	active     = "active"
)

// New makes a Builder for the namespace, over informers such as NewInformers makes, none of
// which was started yet. secrets has to be one of Secrets' metadata
// (PartialObjectMetadata). The informers may hold more than our objects.
func New(namespace string, client kubernetes.Interface, informers Informers, secrets cache.SharedIndexInformer) (*Builder, error) {
	b := &Builder{namespace: namespace, client: client, informers: informers}
	var err error
	if b.jobs, err = owned.NewCache(mark, "Jobs", informers.Jobs); err != nil {
		return nil, err
	}
	b.ending = &owned.Ending[*batchv1.Job]{
		Client: client.BatchV1().Jobs(namespace), Cache: b.jobs, Namespace: namespace, Kind: "Job", Verb: "suspend", Ask: `"spec":{"suspend":true}`,
	}
	if b.inputs, err = owned.NewInputs(mark, namespace, client, secrets); err != nil {
		return nil, err
	}
	b.inputs.Ignore = isSurroundings
	if err := informers.index(); err != nil {
		return nil, err
	}
	if b.silence, err = newSilence(informers); err != nil {
		return nil, err
	}
	b.available, err = owned.NewAvailability("Jobs", informers.Jobs, unavailableBecause)
	return b, err
}

// Observe implements ImageBuilder.
func (b *Builder) Observe(pool string) ([]imagebuilder.Observation, error) {
	if err := b.available.Problem(); err != nil {
		return nil, err
	}
	jobs, err := b.jobs.OfPool(pool)
	if err != nil {
		return nil, err
	}
	observations := make([]imagebuilder.Observation, 0, len(jobs))
	for _, object := range jobs {
		observations = append(observations, observation(b.factsOf(object.(*batchv1.Job))))
	}
	if observations, err = b.inputs.AddTo(observations, pool); err != nil {
		return nil, err
	}
	slices.SortFunc(observations, func(x, y imagebuilder.Observation) int { return strings.Compare(x.Name, y.Name) })
	return observations, nil
}

// Start implements ImageBuilder. The inputs come first: a pod that does not find them waits
// for up to two minutes before it looks again.
func (b *Builder) Start(ctx context.Context, r imagebuilder.Request) error {
	job, secrets := newObjects(b.namespace, r)
	if err := b.inputs.Create(ctx, r, secrets); err != nil {
		return err
	}
	jobs := b.client.BatchV1().Jobs(b.namespace)
	_, err := jobs.Create(ctx, job, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		existing, err := jobs.Get(ctx, r.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get Job %s: %w", r.Name, err)
		}
		return compare(existing, job, r)
	case owned.IsNotServed(err):
		return notServed()
	case err != nil:
		return fmt.Errorf("could not create Job %s: %w", r.Name, err)
	}
	return nil
}

// compare returns ErrForeign for a Job that is not the one that is to be made. A Job cannot
// be made in a state in which it has ended.
func compare(existing, wanted *batchv1.Job, r imagebuilder.Request) error {
	what := differs(existing, wanted)
	switch {
	case !mark.IsOf(&existing.ObjectMeta, r):
		return fmt.Errorf("Job %s: %w", r.Name, imagebuilder.ErrForeign)
	case what == "":
		return nil
	}
	return fmt.Errorf("Job %s: %w: %s", r.Name, imagebuilder.ErrForeign, what)
}

// Verify implements ImageBuilder.
func (b *Builder) Verify(ctx context.Context, r imagebuilder.Request) (imagebuilder.Observation, error) {
	f, err := b.get(ctx, r.Name)
	if err != nil || f == nil {
		return imagebuilder.Observation{Name: r.Name, Phase: imagebuilder.PhaseAbsent}, err
	}
	job, secrets := newObjects(b.namespace, r)
	o := observation(f)
	if err := compare(f.job, job, r); err != nil {
		return o, err
	}
	return o, b.inputs.Verify(ctx, r, secrets)
}

// Get implements ImageBuilder.
func (b *Builder) Get(ctx context.Context, name string) (imagebuilder.Observation, error) {
	f, err := b.get(ctx, name)
	if err != nil || f == nil {
		return imagebuilder.Observation{Name: name, Phase: imagebuilder.PhaseAbsent}, err
	}
	return observation(f), nil
}

// get asks the API for a Job and its pods, without which there is no telling how far it is;
// nil if there is none.
func (b *Builder) get(ctx context.Context, name string) (*facts, error) {
	job, err := b.client.BatchV1().Jobs(b.namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case owned.IsNotServed(err):
		return nil, notServed()
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("could not get Job %s: %w", name, err)
	}
	pods, err := b.client.CoreV1().Pods(b.namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.Set{batchv1.ControllerUidLabel: string(job.UID)}.String()})
	f := &facts{job: job}
	switch {
	case isRefused(err):
		f.blind = err.Error()
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("could not list the pods of Job %s: %w", name, err)
	}
	for i := range pods.Items {
		f.pods = append(f.pods, &pods.Items[i])
	}
	sortPods(f.pods)
	return f, nil
}

// Shows implements ImageBuilder.
func (b *Builder) Shows(name string) bool {
	// The indices exist, so there is no error.
	jobs, _ := b.jobs.OfBuild(name)
	secrets, _ := b.inputs.OfBuild(name)
	return len(jobs)+len(secrets) > 0
}

// Active implements ImageBuilder. Whether a Job has stopped its pods tell, so those that may
// have are looked at.
func (b *Builder) Active() []imagebuilder.Observation {
	// The index exists, so there is no error.
	objects, _ := b.informers.Jobs.GetIndexer().ByIndex(byActivity, active)
	observations := make([]imagebuilder.Observation, 0, len(objects))
	for _, object := range objects {
		if o := observation(b.factsOf(object.(*batchv1.Job))); o.Phase.IsActive() {
			observations = append(observations, o)
		}
	}
	slices.SortFunc(observations, func(a, b imagebuilder.Observation) int { return strings.Compare(a.Name, b.Name) })
	return observations
}

func indexByActivity(object any) ([]string, error) {
	job, ok := object.(*batchv1.Job)
	if !ok || mark.Pool(&job.ObjectMeta) == "" || condition(job, batchv1.JobComplete) != nil || condition(job, batchv1.JobFailed) != nil {
		return nil, nil
	}
	return []string{active}, nil
}

// Stop implements ImageBuilder. Suspending is all that it takes.
func (b *Builder) Stop(ctx context.Context, name string, uid types.UID) error {
	return b.ending.Stop(ctx, name, uid)
}

// Delete implements ImageBuilder. The Job goes first: as long as it exists it leads back to
// its inputs. Its pods go after it, in the background; their names and tags are no one
// else's, so nothing waits for them.
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

func notServed() *imagebuilder.UnavailableError {
	return &imagebuilder.UnavailableError{Message: "the API batch/v1, which runs the build as a Job, is not served; wait until it is back"}
}

func unavailableBecause(err error) *imagebuilder.UnavailableError {
	if apierrors.IsNotFound(err) {
		return notServed()
	}
	return &imagebuilder.UnavailableError{Message: fmt.Sprintf("the API batch/v1, which runs the build as a Job, does not answer: %v", err)}
}

// controllerOf is the UID of the Job that a pod is of.
func controllerOf(pod *corev1.Pod) types.UID {
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && owner.Kind == "Job" {
		return owner.UID
	}
	return ""
}
