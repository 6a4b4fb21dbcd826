package buildtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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

// What follows plays the Job controller and the kubelet. None of it counts as a call.

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

// orphan leaves the pods of a Job behind that is deleted without a word about them.
func (a *API) orphan(job types.UID, options metav1.DeleteOptions) {
	if options.PropagationPolicy != nil && *options.PropagationPolicy != metav1.DeletePropagationOrphan {
		return
	}
	for key, object := range a.objects["pods"] {
		pod := object.(*corev1.Pod).DeepCopy()
		pod.OwnerReferences = slices.DeleteFunc(pod.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == job })
		a.objects["pods"][key] = pod
	}
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

// EditJob changes a stored Job, as the Job controller or anyone else may.
func (a *API) EditJob(name string, edit func(*batchv1.Job)) {
	job := a.Job(name)
	edit(job)
	a.Put(job)
}

// PodsOf returns the stored pods of a Job, by name.
func (a *API) PodsOf(job string) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, object := range a.Stored("pods") {
		if pod := object.(*corev1.Pod); strings.HasPrefix(pod.Name, job+"-") {
			pods = append(pods, pod.DeepCopy())
		}
	}
	return pods
}

// AddPod has the Job controller make a pod.
func (a *API) AddPod(name string) *corev1.Pod {
	job := a.Job(name)
	now := metav1.NewTime(a.clock.Now().Truncate(time.Second))
	pod := &corev1.Pod{ObjectMeta: *job.Spec.Template.ObjectMeta.DeepCopy(), Spec: *job.Spec.Template.Spec.DeepCopy()}
	pod.Name, pod.Namespace, pod.CreationTimestamp = fmt.Sprintf("%s-%05d", name, len(a.PodsOf(name))), job.Namespace, now
	pod.Labels = maps.Clone(pod.Labels)
	pod.Labels[batchv1.ControllerUidLabel], pod.Labels[batchv1.JobNameLabel] = string(job.UID), name
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: name, UID: job.UID, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}}
	pod.Status.Phase = corev1.PodPending
	a.Put(pod)
	a.EditJob(name, func(j *batchv1.Job) {
		j.Status.Active = 1
		if j.Status.StartTime == nil {
			j.Status.StartTime = &now
		}
	})
	return pod
}

// EditPod changes the newest pod of a Job; one that has none gets one.
func (a *API) EditPod(job string, edit func(*corev1.Pod)) {
	if len(a.PodsOf(job)) == 0 {
		a.AddPod(job)
	}
	pods := a.PodsOf(job)
	pod := pods[len(pods)-1]
	edit(pod)
	a.Put(pod)
}

// RunJob has the kubelet run the pod of a Job.
func (a *API) RunJob(name string) {
	a.EditPod(name, func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodRunning
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  pod.Spec.Containers[0].Name,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(a.clock.Now().Truncate(time.Second))}},
		}}
	})
}

// EndPod has the builder of a Job's pod end with the code and the message.
func (a *API) EndPod(name string, code int32, reason, message string) {
	if pods := a.PodsOf(name); len(pods) == 0 || len(pods[len(pods)-1].Status.ContainerStatuses) == 0 {
		a.RunJob(name)
	}
	a.EditPod(name, func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			pod.Status.Phase = corev1.PodFailed
		}
		state := &pod.Status.ContainerStatuses[0].State
		now := metav1.NewTime(a.clock.Now().Truncate(time.Second))
		began := now
		if state.Running != nil {
			began = state.Running.StartedAt
		}
		*state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: began, FinishedAt: now}}
	})
}

// SetJobCondition has the Job controller set a condition, and counters that go with it.
func (a *API) SetJobCondition(name string, condition batchv1.JobConditionType, reason, message string) {
	now := metav1.NewTime(a.clock.Now().Truncate(time.Second))
	a.EditJob(name, func(j *batchv1.Job) {
		j.Status.Active = 0
		j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{
			Type: condition, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: now,
		})
		if condition == batchv1.JobComplete {
			j.Status.Succeeded, j.Status.CompletionTime = 1, &now
		}
	})
}

// CompleteJob lets a Job succeed with the digest, which may be empty.
func (a *API) CompleteJob(name, digest string) {
	message := ""
	if digest != "" {
		message = fmt.Sprintf("{\"digest\":%q}\n", digest)
	}
	a.EndPod(name, 0, "Completed", message)
	a.SetJobCondition(name, batchv1.JobSuccessCriteriaMet, batchv1.JobReasonCompletionsReached, "")
	a.SetJobCondition(name, batchv1.JobComplete, batchv1.JobReasonCompletionsReached, "")
}

// FailJob ends a Job whose builder gave the reason.
func (a *API) FailJob(name string, code int32, reason, message string) {
	a.EndPod(name, code, "Error", fmt.Sprintf(`{"step":"build","reason":%q,"message":%q,"log":"last line of the log\n"}`, reason, message))
	a.SetJobCondition(name, batchv1.JobFailureTarget, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	a.SetJobCondition(name, batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
}

// SuspendJob has the Job controller see that a Job is suspended; its pods go.
func (a *API) SuspendJob(name string) {
	for _, pod := range a.PodsOf(name) {
		a.Remove("pods", pod.Namespace, pod.Name)
	}
	a.EditJob(name, func(j *batchv1.Job) { j.Spec.Suspend, j.Status.StartTime = ptr.To(true), nil })
	a.SetJobCondition(name, batchv1.JobSuspended, "JobSuspended", "Job suspended")
}

// LoseNode has the condition of a pod whose node drives it away set.
func (a *API) LoseNode(job, reason, message string) {
	a.EditPod(job, func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(a.clock.Now().Truncate(time.Second)),
		})
	})
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
