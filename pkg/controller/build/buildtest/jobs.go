package buildtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// What follows is for tests that act as everyone else on Jobs. None of it counts as a call.

// list answers a request for the objects of a kind that are of a Job.
func (a *API) list(action k8stesting.ListActionImpl) (runtime.Object, error) {
	pods := &corev1.PodList{}
	if action.GetResource().Resource == "machineosconfigs" {
		return a.listMachineOSConfigs(), nil
	}
	if action.GetResource().Resource != "pods" {
		return nil, apierrors.NewMethodNotSupported(action.GetResource().GroupResource(), "list")
	}
	for _, key := range slices.Sorted(maps.Keys(a.objects["pods"])) {
		pod := a.objects["pods"][key].(*corev1.Pod)
		if action.GetListRestrictions().Labels.Matches(labels.Set(pod.Labels)) {
			pods.Items = append(pods.Items, *pod.DeepCopy())
		}
	}
	return pods, nil
}

// Jobs returns the stored Jobs, by name.
func (a *API) Jobs() []*batchv1.Job {
	var jobs []*batchv1.Job
	for _, object := range a.All("jobs") {
		jobs = append(jobs, object.(*batchv1.Job))
	}
	return jobs
}

// Job returns a stored Job.
func (a *API) Job(name string) *batchv1.Job {
	return stored[*batchv1.Job](a, "jobs", ctrlcommon.MCONamespace+"/"+name)
}

// storedJob is a stored Job itself. It must not be changed.
func (a *API) storedJob(name string) *batchv1.Job {
	return itself[*batchv1.Job](a, "jobs", ctrlcommon.MCONamespace+"/"+name)
}

// EditJob changes a stored Job, as the Job controller or anyone else may.
func (a *API) EditJob(name string, edit func(*batchv1.Job)) {
	job := a.Job(name)
	edit(job)
	a.Put(job)
}

// DeleteJob has somebody delete a Job. In the foreground it stays until the collector of
// garbage has seen its pods go.
func (a *API) DeleteJob(name string, propagation metav1.DeletionPropagation) {
	if propagation == metav1.DeletePropagationForeground {
		a.EditJob(name, func(job *batchv1.Job) {
			job.DeletionTimestamp = ptr.To(a.now())
			job.Finalizers = append(job.Finalizers, metav1.FinalizerDeleteDependents)
		})
		return
	}
	job := a.storedJob(name)
	a.mu.Lock()
	a.orphan(job.UID, metav1.DeleteOptions{PropagationPolicy: &propagation})
	a.mu.Unlock()
	a.Remove("jobs", job.Namespace, name)
}

// orphan leaves the pods of a Job behind that is deleted without a word about them.
func (a *API) orphan(job types.UID, options metav1.DeleteOptions) {
	if options.PropagationPolicy != nil && *options.PropagationPolicy != metav1.DeletePropagationOrphan {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(a.objects["pods"])) {
		isOfJob := func(o metav1.OwnerReference) bool { return o.UID == job }
		if pod := a.objects["pods"][key].(*corev1.Pod); slices.ContainsFunc(pod.OwnerReferences, isOfJob) {
			pod = pod.DeepCopy()
			pod.OwnerReferences = slices.DeleteFunc(pod.OwnerReferences, isOfJob)
			a.putPod(key, pod)
		}
	}
}

// collectForeground deletes the pods of Jobs that are being deleted in the foreground, and
// then the Jobs.
func (a *API) collectForeground() (collected bool) {
	for _, object := range a.Stored("jobs") {
		job := object.(*batchv1.Job)
		if job.DeletionTimestamp == nil || !slices.Contains(job.Finalizers, metav1.FinalizerDeleteDependents) {
			continue
		}
		pods := a.podsOwnedBy(job.UID)
		for _, pod := range pods {
			a.mu.Lock()
			collected = a.deletePod(keyOf(pod.Namespace, pod.Name)) || collected
			a.mu.Unlock()
		}
		if len(pods) == 0 {
			a.Remove("jobs", job.Namespace, job.Name)
			collected = true
		}
	}
	return collected
}

// CompleteJob lets a Job succeed with the digest, which may be empty.
func (a *API) CompleteJob(name, digest string) {
	message := ""
	if digest != "" {
		message = fmt.Sprintf("{\"digest\":%q}\n", digest)
	}
	a.EndPod(name, 0, "Completed", message)
	a.settleJob(name)
}

// FailJob ends a Job whose builder gave the reason.
func (a *API) FailJob(name string, code int32, reason, message string) {
	a.EndPod(name, code, "Error", fmt.Sprintf(`{"step":"build","reason":%q,"message":%q,"log":"last line of the log\n"}`, reason, message))
	a.settleJob(name)
}

// SuspendJob has a Job come to rest that somebody suspends; its pods go.
func (a *API) SuspendJob(name string) {
	a.EditJob(name, func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) })
	a.settleJob(name)
	for _, pod := range a.PodsOf(name) {
		a.ConfirmPod(pod.Name)
	}
	a.settleJob(name)
}

func (a *API) settleJob(name string) {
	jobs := NewJobSystem(a)
	for jobs.Sync(name) { //nolint:revive // all is in the condition
	}
}

// Warn stores a warning about an object.
func (a *API) Warn(kind string, object runtime.Object, reason, message string) {
	accessor, _ := meta.Accessor(object)
	a.Put(&corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: accessor.GetName() + "." + strings.ToLower(reason), Namespace: accessor.GetNamespace()},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: accessor.GetNamespace(), Name: accessor.GetName(), UID: accessor.GetUID()},
		Type:           corev1.EventTypeWarning, Reason: reason, Message: message, LastTimestamp: metav1.NewTime(a.clock.Now()),
	})
}
