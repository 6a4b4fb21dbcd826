package job

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// Informers are those of the objects that tell of builds: our Jobs, their pods, and the
// warnings of the namespace.
type Informers struct {
	Jobs, Pods, Warnings cache.SharedIndexInformer
}

const (
	byJob    = Name + "/job"
	byObject = Name + "/object"
)

// NewInformers makes them. They do not hold what nothing reads from them.
func NewInformers(namespace string, client kubernetes.Interface) Informers {
	of := func(tweak func(*metav1.ListOptions)) informers.SharedInformerFactory {
		return informers.NewSharedInformerFactoryWithOptions(client, 0,
			informers.WithNamespace(namespace), informers.WithTransform(Strip), informers.WithTweakListOptions(tweak))
	}
	ours := of(func(o *metav1.ListOptions) { o.LabelSelector = owned.Selector() })
	warnings := of(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("type", corev1.EventTypeWarning).String()
	})
	return Informers{
		Jobs: ours.Batch().V1().Jobs().Informer(), Pods: ours.Core().V1().Pods().Informer(), Warnings: warnings.Core().V1().Events().Informer(),
	}
}

// Strip drops, before an object enters a cache, what is never read from one.
func Strip(object any) (any, error) {
	switch o := object.(type) {
	case *batchv1.Job:
		o.ManagedFields = nil
	case *corev1.Pod:
		o.ManagedFields = nil
		for i := range o.Spec.Containers {
			o.Spec.Containers[i] = corev1.Container{Name: o.Spec.Containers[i].Name, Resources: o.Spec.Containers[i].Resources}
		}
		o.Spec = corev1.PodSpec{Containers: o.Spec.Containers, NodeName: o.Spec.NodeName}
	case *corev1.Event:
		// Everybody's warnings come by here.
		*o = corev1.Event{
			TypeMeta:       o.TypeMeta,
			ObjectMeta:     metav1.ObjectMeta{Name: o.Name, Namespace: o.Namespace, UID: o.UID, ResourceVersion: o.ResourceVersion, CreationTimestamp: o.CreationTimestamp},
			InvolvedObject: corev1.ObjectReference{Kind: o.InvolvedObject.Kind, Name: o.InvolvedObject.Name, UID: o.InvolvedObject.UID},
			Reason:         o.Reason, Message: o.Message, LastTimestamp: o.LastTimestamp, EventTime: o.EventTime,
		}
		if o.InvolvedObject.Kind != "Pod" && o.InvolvedObject.Kind != "Job" {
			o.Message = ""
		}
	}
	return object, nil
}

// all are the informers.
func (i Informers) all() []cache.SharedIndexInformer {
	return []cache.SharedIndexInformer{i.Jobs, i.Pods, i.Warnings}
}

// Run works until the context ends.
func (i Informers) Run(ctx context.Context) {
	done := make(chan struct{})
	for _, informer := range i.all() {
		go func() {
			informer.RunWithContext(ctx)
			done <- struct{}{}
		}()
	}
	for range i.all() {
		<-done
	}
}

func (i Informers) index() error {
	for _, add := range []struct {
		informer cache.SharedIndexInformer
		indexers cache.Indexers
	}{
		{i.Jobs, cache.Indexers{byActivity: indexByActivity}},
		{i.Pods, cache.Indexers{byJob: func(object any) ([]string, error) {
			if pod, ok := object.(*corev1.Pod); ok && controllerOf(pod) != "" {
				return []string{string(controllerOf(pod))}, nil
			}
			return nil, nil
		}}},
		{i.Warnings, cache.Indexers{byObject: func(object any) ([]string, error) {
			if event, ok := object.(*corev1.Event); ok && (event.InvolvedObject.Kind == "Pod" || event.InvolvedObject.Kind == "Job") {
				return []string{string(event.InvolvedObject.UID)}, nil
			}
			return nil, nil
		}}},
	} {
		if err := add.informer.AddIndexers(add.indexers); err != nil {
			return fmt.Errorf("could not index Jobs: %w", err)
		}
	}
	return nil
}

// factsOf are what the caches have of a Job.
func (i Informers) factsOf(job *batchv1.Job) *facts {
	f := &facts{job: job, warnings: i.warningsOf}
	// The index exists, so there is no error.
	objects, _ := i.Pods.GetIndexer().ByIndex(byJob, string(job.UID))
	for _, object := range objects {
		f.pods = append(f.pods, object.(*corev1.Pod))
	}
	sortPods(f.pods)
	return f
}

func (b *Builder) factsOf(job *batchv1.Job) *facts {
	return b.silence.addTo(b.informers.factsOf(job))
}

func (i Informers) warningsOf(uid string) []*corev1.Event {
	// The index exists, so there is no error.
	objects, _ := i.Warnings.GetIndexer().ByIndex(byObject, uid)
	var events []*corev1.Event
	for _, object := range objects {
		events = append(events, object.(*corev1.Event))
	}
	slices.SortFunc(events, func(x, y *corev1.Event) int {
		if byTime := lastSeen(y).Compare(lastSeen(x)); byTime != 0 {
			return byTime
		}
		return strings.Compare(x.Name, y.Name)
	})
	return events
}

// lastSeen is when what an event tells happened last.
func lastSeen(event *corev1.Event) time.Time {
	switch {
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp.Time
	case !event.EventTime.IsZero():
		return event.EventTime.Time
	}
	return event.CreationTimestamp.Time
}

// Notify implements ImageBuilder.
func (b *Builder) Notify(enqueue func(pool string)) (synced func() bool) {
	all := []func() bool{b.inputs.Notify(enqueue)}
	jobsSynced := b.jobs.Notify(enqueue)
	news := func() { enqueue(imagebuilder.AllPools) }
	b.available.Notify(news)
	b.silence.notify(news)
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		refusal  *owned.Availability
		pool     func(any) string
		same     func(old, object any) bool
	}{{b.informers.Pods, b.silence.pods, poolOfPod, saysTheSame}, {b.informers.Warnings, b.silence.warnings, b.poolOfWarning, repeats}} {
		synced := notify(watch.informer, func(object any) {
			if pool := watch.pool(object); pool != "" {
				enqueue(pool)
			}
		}, watch.same)
		all = append(all, func() bool { return synced() || watch.refusal.IsKnown() })
	}
	return func() bool {
		if !jobsSynced() {
			return b.available.IsKnown() && all[0]()
		}
		return !slices.ContainsFunc(all, func(synced func() bool) bool { return !synced() })
	}
}

// notify has news told of what changes, unless that says the same as before. It panics on an
// informer that was stopped.
func notify(informer cache.SharedIndexInformer, news func(any), same func(old, object any) bool) (synced func() bool) {
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: news,
		UpdateFunc: func(old, object any) {
			if !same(old, object) {
				news(object)
			}
		},
		DeleteFunc: news,
	})
	if err != nil {
		panic(fmt.Sprintf("could not watch what is of a Job: %v", err))
	}
	return registration.HasSynced
}

// poolOfPod reads what the Job's template wrote on the pod.
func poolOfPod(object any) string {
	meta := owned.MetaOf(object)
	if meta == nil || meta.Labels[constants.OwnedLabel] != constants.OwnedLabelValue || !mark.Has(meta) {
		return ""
	}
	return meta.Annotations[constants.PoolAnnotation]
}

// poolOfWarning is that of the Job or pod that a warning is about.
func (b *Builder) poolOfWarning(object any) string {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	event, ok := object.(*corev1.Event)
	if !ok {
		return ""
	}
	key := cache.NewObjectName(b.namespace, event.InvolvedObject.Name).String()
	var about any
	// Looking up a key does not fail.
	switch event.InvolvedObject.Kind {
	case "Job":
		if about, _, _ = b.informers.Jobs.GetIndexer().GetByKey(key); about != nil {
			return mark.Pool(owned.MetaOf(about))
		}
	case "Pod":
		if about, _, _ = b.informers.Pods.GetIndexer().GetByKey(key); about != nil {
			return poolOfPod(about)
		}
	}
	return ""
}

// saysTheSame tells of pods that an observation reads the same from. The status of a pod
// changes several times a second when it starts.
func saysTheSame(old, object any) bool {
	x, ok := old.(*corev1.Pod)
	y, alsoOK := object.(*corev1.Pod)
	return ok && alsoOK && x.UID == y.UID && (x.DeletionTimestamp == nil) == (y.DeletionTimestamp == nil) &&
		x.Status.Phase == y.Status.Phase && x.Status.Reason == y.Status.Reason && x.Status.Message == y.Status.Message &&
		equality.Semantic.DeepEqual(status(x), status(y)) && sameWait(x, y) && equality.Semantic.DeepEqual(disruption(x), disruption(y))
}

func sameWait(x, y *corev1.Pod) bool {
	reason, message := waitingFor(x, nil)
	otherReason, otherMessage := waitingFor(y, nil)
	return reason == otherReason && message == otherMessage
}

// repeats tells of a warning that was only counted once more.
func repeats(old, object any) bool {
	x, ok := old.(*corev1.Event)
	y, alsoOK := object.(*corev1.Event)
	return ok && alsoOK && x.Reason == y.Reason && x.Message == y.Message
}
