package job

import (
	"context"
	"encoding/json"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// Backend describes Jobs to those who show and examine them.
type Backend struct{}

var _ imagebuilder.Backend = Backend{}

// About implements imagebuilder.Backend.
func (Backend) About() imagebuilder.About {
	return imagebuilder.About{
		Name: Name,
		Kind: "Job", Group: batchv1.GroupName, Resource: "jobs",
		Permissions: []imagebuilder.Permission{
			{Group: batchv1.GroupName, Resource: "jobs", Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}, Without: "nothing is built"},
			{Resource: "pods", Verbs: []string{"list", "watch"}, Without: "it is not known how far a Job is, and the registry is asked what image it made"},
			{Resource: "events", Verbs: []string{"list", "watch"}, Without: "it is not known why the pod of a Job does not start"},
		},
		Remedy: "see whether the service account may list Jobs: oc auth can-i list jobs.batch",
	}
}

// Commands implements imagebuilder.Backend.
func (Backend) Commands(build string) imagebuilder.Commands {
	return imagebuilder.Commands{
		Logs:     "logs job/" + build,
		Describe: []string{"describe job " + build, "describe pods -l " + batchv1.JobNameLabel + "=" + build},
		Stop:     "patch job " + build + ` --type merge -p '{"spec":{"suspend":true}}'`,
		Delete:   "delete job " + build,
	}
}

// Objects implements imagebuilder.Backend.
func (Backend) Objects(namespace string, r imagebuilder.Request) imagebuilder.Objects {
	job, secrets := newObjects(namespace, r)
	job.APIVersion, job.Kind = batchv1.SchemeGroupVersion.String(), "Job"
	return imagebuilder.Objects{Backend: Name, Secrets: secrets, Build: job}
}

// Read implements imagebuilder.Backend.
func (Backend) Read(text []byte) (imagebuilder.Made, error) {
	job := &batchv1.Job{}
	err := json.Unmarshal(text, job)
	return made(&facts{job: job}), err
}

// Input implements imagebuilder.Backend.
func (Backend) Input(meta *metav1.ObjectMeta) (imagebuilder.Made, bool) { return mark.Input(meta) }

func made(f *facts) imagebuilder.Made {
	return imagebuilder.Made{Object: f.job.Name, Backend: Name, Pool: mark.Pool(&f.job.ObjectMeta), Observation: observation(f)}
}

// MadeOf reads Jobs with their pods, sorted by name.
func MadeOf(jobs []*batchv1.Job, pods []*corev1.Pod) []imagebuilder.Made {
	byJob := map[types.UID][]*corev1.Pod{}
	for _, pod := range pods {
		byJob[controllerOf(pod)] = append(byJob[controllerOf(pod)], pod)
	}
	all := make([]imagebuilder.Made, 0, len(jobs))
	for _, job := range jobs {
		sortPods(byJob[job.UID])
		all = append(all, made(&facts{job: job, pods: byJob[job.UID]}))
	}
	imagebuilder.SortMade(all)
	return all
}

// Inventory lists and watches Jobs with a person's credentials.
type Inventory struct {
	namespace string
	client    kubernetes.Interface
}

var _ imagebuilder.Inventory = (*Inventory)(nil)

// NewInventory makes one of the namespace.
func NewInventory(namespace string, client kubernetes.Interface) *Inventory {
	return &Inventory{namespace: namespace, client: client}
}

// Backend implements imagebuilder.Inventory.
func (*Inventory) Backend() imagebuilder.Backend { return Backend{} }

// Builds implements imagebuilder.Inventory.
func (i *Inventory) Builds(ctx context.Context) ([]imagebuilder.Made, error) {
	ours := metav1.ListOptions{LabelSelector: owned.Selector()}
	unless := func(err error) error {
		if apierrors.IsForbidden(err) {
			return err
		}
		return unavailableBecause(err)
	}
	list, err := i.client.BatchV1().Jobs(i.namespace).List(ctx, ours)
	if err != nil {
		return nil, unless(err)
	}
	podList, err := i.client.CoreV1().Pods(i.namespace).List(ctx, ours)
	if err != nil {
		return nil, unless(err)
	}
	var jobs []*batchv1.Job
	for n := range list.Items {
		jobs = append(jobs, &list.Items[n])
	}
	var pods []*corev1.Pod
	for n := range podList.Items {
		pods = append(pods, &podList.Items[n])
	}
	return MadeOf(jobs, pods), nil
}

// DryRun implements imagebuilder.Inventory.
func (i *Inventory) DryRun(ctx context.Context, objects imagebuilder.Objects) []imagebuilder.Answer {
	options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	var answers []imagebuilder.Answer
	for _, secret := range objects.Secrets {
		_, err := i.client.CoreV1().Secrets(i.namespace).Create(ctx, secret, options)
		answers = append(answers, imagebuilder.Answer{Object: "Secret " + secret.Name, Err: err})
	}
	job, ok := objects.Build.(*batchv1.Job)
	if !ok {
		return answers
	}
	_, err := i.client.BatchV1().Jobs(i.namespace).Create(ctx, job, options)
	answers = append(answers, imagebuilder.Answer{Object: "Job " + job.Name, Err: err})
	// What a namespace refuses of a pod, a Job's creation does not show.
	pod := &corev1.Pod{ObjectMeta: *job.Spec.Template.ObjectMeta.DeepCopy(), Spec: *job.Spec.Template.Spec.DeepCopy()}
	pod.GenerateName = job.Name + "-"
	_, err = i.client.CoreV1().Pods(i.namespace).Create(ctx, pod, options)
	return append(answers, imagebuilder.Answer{Object: "the pod of Job " + job.Name, Err: err})
}

// Watch implements imagebuilder.Inventory.
func (i *Inventory) Watch(changed func()) (imagebuilder.Watcher, error) {
	w := watcher{NewInformers(i.namespace, i.client)}
	if err := w.index(); err != nil {
		return nil, err
	}
	for _, informer := range w.all() {
		// Whoever watches is told of errors by asking, now and then.
		if err := informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}); err != nil {
			return nil, err
		}
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { changed() }, UpdateFunc: func(any, any) { changed() }, DeleteFunc: func(any) { changed() },
		})
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

type watcher struct{ Informers }

// HasSynced implements imagebuilder.Watcher. Warnings only explain.
func (w watcher) HasSynced() bool { return w.Jobs.HasSynced() && w.Pods.HasSynced() }

// Builds implements imagebuilder.Watcher.
func (w watcher) Builds() []imagebuilder.Made {
	var all []imagebuilder.Made
	for _, object := range w.Jobs.GetStore().List() {
		if job, ok := object.(*batchv1.Job); ok {
			all = append(all, made(w.factsOf(job)))
		}
	}
	imagebuilder.SortMade(all)
	return all
}
