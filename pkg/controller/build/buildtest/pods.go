package buildtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// What follows plays nodes, and who deletes pods. None of it counts as a call.

// nodeName is that of the only node.
const nodeName = "node"

// PodsOf returns the stored pods of a Job themselves, the newest last. They must not be
// changed.
func (a *API) PodsOf(job string) []*corev1.Pod {
	return a.podsWhere(func(pod *corev1.Pod) bool { return strings.HasPrefix(pod.Name, job+"-") })
}

// podsOwnedBy are those of the Job of that UID.
func (a *API) podsOwnedBy(job types.UID) []*corev1.Pod {
	return a.podsWhere(func(pod *corev1.Pod) bool {
		owner := metav1.GetControllerOfNoCopy(pod)
		return owner != nil && owner.UID == job
	})
}

func (a *API) podsWhere(is func(*corev1.Pod) bool) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, object := range a.Stored("pods") {
		if pod := object.(*corev1.Pod); is(pod) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// AddPod makes a pod of a Job. It has no node yet.
func (a *API) AddPod(name string) *corev1.Pod {
	job := a.storedJob(name)
	pod := &corev1.Pod{ObjectMeta: *job.Spec.Template.ObjectMeta.DeepCopy(), Spec: *job.Spec.Template.Spec.DeepCopy()}
	pod.Name, pod.Namespace, pod.CreationTimestamp = fmt.Sprintf("%s-%05d", name, a.nextVersion()), job.Namespace, a.now()
	pod.Labels = maps.Clone(pod.Labels)
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[batchv1.ControllerUidLabel], pod.Labels[batchv1.JobNameLabel] = string(job.UID), name
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: name, UID: job.UID, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}}
	pod.Finalizers = []string{batchv1.JobTrackingFinalizer}
	pod.Status.Phase = corev1.PodPending
	a.Put(pod)
	return pod
}

// now is the time as objects have it.
func (a *API) now() metav1.Time { return metav1.NewTime(a.clock.Now().Truncate(time.Second)) }

func (a *API) nextVersion() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version + 1
}

// EditPod changes the newest pod of a Job; one that has none gets one.
func (a *API) EditPod(job string, edit func(*corev1.Pod)) {
	if len(a.PodsOf(job)) == 0 {
		a.AddPod(job)
	}
	pods := a.PodsOf(job)
	pod := pods[len(pods)-1].DeepCopy()
	edit(pod)
	a.Put(pod)
}

// RunJob has a node run the pod of a Job.
func (a *API) RunJob(name string) {
	a.EditPod(name, func(pod *corev1.Pod) {
		pod.Spec.NodeName = nodeName
		pod.Status.Phase = corev1.PodRunning
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  pod.Spec.Containers[0].Name,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: a.now()}},
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
		now := a.now()
		began := now
		if state.Running != nil {
			began = state.Running.StartedAt
		}
		*state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: began, FinishedAt: now}}
	})
}

// LoseNode has the condition of a pod whose node drives it away set.
func (a *API) LoseNode(job, reason, message string) {
	a.EditPod(job, func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: a.now(),
		})
	})
}

// DeletePod has somebody delete a pod. One that is on a node stays until the node confirms
// that nothing of it runs, and any pod while it has a finalizer.
func (a *API) DeletePod(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deletePod(keyOf(ctrlcommon.MCONamespace, name))
}

// deletePod tells whether that changes anything.
func (a *API) deletePod(key string) bool {
	stored, ok := a.objects["pods"][key].(*corev1.Pod)
	if !ok || stored.DeletionTimestamp != nil {
		return false
	}
	pod := stored.DeepCopy()
	grace := ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	if pod.Spec.NodeName == "" || hasEnded(pod) {
		grace = 0
	}
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &metav1.Time{Time: a.now().Add(time.Duration(grace) * time.Second)}, &grace
	a.putPod(key, pod)
	return true
}

// ConfirmPod has the node of a pod that is being deleted say that nothing of it runs.
func (a *API) ConfirmPod(name string) {
	a.changePod(name, func(pod *corev1.Pod) { pod.DeletionGracePeriodSeconds = ptr.To[int64](0) })
}

// IsConfirmed tells of a pod that is being deleted whether it only has to lose its finalizers.
func IsConfirmed(pod *corev1.Pod) bool { return ptr.Deref(pod.DeletionGracePeriodSeconds, 1) == 0 }

// GiveUpPod marks a pod failed that is being deleted and has never had a node, as the
// collector of pods does.
func (a *API) GiveUpPod(name string) {
	a.changePod(name, func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed })
}

// releasePod takes the finalizer of the Job controller from a pod.
func (a *API) releasePod(name string) {
	a.changePod(name, func(pod *corev1.Pod) {
		pod.Finalizers = slices.DeleteFunc(pod.Finalizers, func(f string) bool { return f == batchv1.JobTrackingFinalizer })
	})
}

func (a *API) changePod(name string, change func(*corev1.Pod)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyOf(ctrlcommon.MCONamespace, name)
	pod := a.objects["pods"][key].(*corev1.Pod).DeepCopy()
	change(pod)
	a.putPod(key, pod)
}

// putPod stores a pod, or drops one that nothing holds any more.
func (a *API) putPod(key string, pod *corev1.Pod) {
	a.version++
	if pod.DeletionTimestamp != nil && IsConfirmed(pod) && len(pod.Finalizers) == 0 {
		a.drop("pods", key)
		return
	}
	pod.ResourceVersion = fmt.Sprint(a.version)
	a.set("pods", key, pod)
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
