package job

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// facts are a Job, its pods, and the warnings about it and them.
type facts struct {
	job *batchv1.Job
	// pods are the Job's, the newest last.
	pods []*corev1.Pod
	// warnings are the events about an object of that UID, the newest first.
	warnings func(uid string) []*corev1.Event
	// blind and deaf say why nothing is known of pods, and of warnings; empty if they are.
	blind, deaf string
}

// newest is the pod that matters; nil if there is none.
func (f *facts) newest() *corev1.Pod {
	if len(f.pods) == 0 {
		return nil
	}
	return f.pods[len(f.pods)-1]
}

func (f *facts) warningsOf(uid string) []*corev1.Event {
	if f.warnings == nil {
		return nil
	}
	return f.warnings(uid)
}

// condition is the Job's of that type if it is true; nil if not.
func condition(job *batchv1.Job, of batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		if c := &job.Status.Conditions[i]; c.Type == of && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

// observation reads a Job. Its conditions decide whether it has come to an end; how far one
// is that has not, and what the end was about, its pods tell.
func observation(f *facts) imagebuilder.Observation {
	o := mark.Identify(&f.job.ObjectMeta)
	o.UID = f.job.UID
	o.Created = f.job.CreationTimestamp.Time
	o.Output, o.Containerfile, o.Foreign = environmentOf(f.job, envOutput), environmentOf(f.job, envContainerfile), foreignIn(f.job)
	if seconds := f.job.Spec.Template.Spec.ActiveDeadlineSeconds; seconds != nil {
		o.Deadline = time.Duration(*seconds) * time.Second
	}
	if f.job.DeletionTimestamp != nil {
		o.Deleting = "its finalizers, " + strings.Join(f.job.Finalizers, ", ")
		if len(f.job.Finalizers) == 0 {
			o.Deleting = "its grace period"
		}
	}
	for _, pod := range f.pods {
		if at := begun(pod); !at.IsZero() && (o.Started.IsZero() || at.Before(o.Started)) {
			o.Started = at
		}
	}

	complete, failed := condition(f.job, batchv1.JobComplete), condition(f.job, batchv1.JobFailed)
	switch {
	case complete != nil:
		f.succeeded(&o, complete)
	case failed != nil:
		f.failed(&o, failed)
	case ptr.Deref(f.job.Spec.Suspend, false):
		f.suspended(&o)
	default:
		f.active(&o)
	}
	return o
}

// succeeded reads the digest from the pod. While the cache has no pod that says it, the end
// is not there in full: the pod's own news may come after the Job's.
func (f *facts) succeeded(o *imagebuilder.Observation, complete *batchv1.JobCondition) {
	o.Phase = imagebuilder.PhaseSucceeded
	for _, pod := range slices.Backward(f.pods) {
		if state := terminated(pod); state != nil && pod.Status.Phase == corev1.PodSucceeded {
			o.Image = owned.ImageOf(o.Output, read(state.Message).Digest)
			o.Finished = complete.LastTransitionTime.Time
			if f.job.Status.CompletionTime != nil {
				o.Finished = f.job.Status.CompletionTime.Time
			}
			return
		}
	}
}

// failed says why. As long as the cache has no pod that has failed, the end is not there in
// full, see succeeded.
func (f *facts) failed(o *imagebuilder.Observation, failed *batchv1.JobCondition) {
	o.Phase = imagebuilder.PhaseFailed
	for _, pod := range slices.Backward(f.pods) {
		if pod.Status.Phase == corev1.PodFailed {
			e := endOf(pod)
			o.Reason, o.Message, o.Log, o.Transient = e.reason, e.message, e.log, e.transient
			o.Finished = failed.LastTransitionTime.Time
			return
		}
	}
	o.Reason, o.Message = failed.Reason, sentence(failed.Reason, "")
	if failed.Reason == batchv1.JobReasonDeadlineExceeded {
		o.Reason, o.Message = reasonJobDeadline, sentence(reasonJobDeadline, "")
	}
	if failed.Message != "" {
		o.Message += ": " + failed.Message
	}
	o.Transient = isTransient(o.Reason)
}

// suspended tells of a Job that is to stop. It has when the Job controller has seen to it
// and nothing of it is at work; the counters may be behind the pods, and the pods behind
// the counters, so both are looked at.
func (f *facts) suspended(o *imagebuilder.Observation) {
	if condition(f.job, batchv1.JobSuspended) != nil && f.isIdle() {
		o.Phase = imagebuilder.PhaseStopped
		o.Finished = condition(f.job, batchv1.JobSuspended).LastTransitionTime.Time
		return
	}
	f.active(o)
	o.Stopping = true
}

func (f *facts) isIdle() bool {
	s := &f.job.Status
	return s.Active == 0 && ptr.Deref(s.Terminating, 0) == 0 && !slices.ContainsFunc(f.pods, func(pod *corev1.Pod) bool { return !hasEnded(pod) })
}

// active tells how far a Job is that has not ended.
func (f *facts) active(o *imagebuilder.Observation) {
	o.Phase = imagebuilder.PhasePending
	pod := f.newest()
	switch {
	case condition(f.job, batchv1.JobFailureTarget) != nil || condition(f.job, batchv1.JobSuccessCriteriaMet) != nil:
		// It is coming to an end, and its pod may be at work to the last.
		o.Phase, o.Stopping = imagebuilder.PhaseRunning, condition(f.job, batchv1.JobFailureTarget) != nil
	case pod == nil && ptr.Deref(f.job.Status.Ready, 0) > 0:
		// The Job controller has seen run what this cache has not.
		o.Phase = imagebuilder.PhaseRunning
	case pod == nil:
		o.Reason, o.Message = f.orSilence(warned(f.warningsOf(string(f.job.UID))))
	case disruption(pod) != nil && hasEnded(pod):
		e := endOf(pod)
		o.Reason, o.Message = e.reason, fmt.Sprintf("%s; another pod is to take the place of %s", e.message, pod.Name)
		o.Waiting = disruption(pod).LastTransitionTime.Time
	case hasRun(pod):
		o.Phase = imagebuilder.PhaseRunning
	default:
		o.Reason, o.Message = f.orSilence(waitingFor(pod, f.warningsOf(string(pod.UID))))
		if isReplacement(f.job, pod) {
			o.Waiting = pod.CreationTimestamp.Time
		}
	}
}

// isReplacement tells of a pod that is not the Job's first one. The first one is made when
// the Job starts.
func isReplacement(job *batchv1.Job, pod *corev1.Pod) bool {
	const tolerance = 5 * time.Second
	return job.Status.StartTime != nil && pod.CreationTimestamp.After(job.Status.StartTime.Add(tolerance))
}

// sortPods puts the newest last.
func sortPods(pods []*corev1.Pod) {
	slices.SortFunc(pods, func(x, y *corev1.Pod) int {
		return cmp.Or(x.CreationTimestamp.Compare(y.CreationTimestamp.Time), strings.Compare(x.Name, y.Name))
	})
}

func environmentOf(job *batchv1.Job, name string) string {
	if containers := job.Spec.Template.Spec.Containers; len(containers) > 0 {
		for _, variable := range containers[0].Env {
			if variable.Name == name {
				return variable.Value
			}
		}
	}
	return ""
}
