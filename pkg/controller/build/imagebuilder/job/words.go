package job

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// said is the script's termination message.
type said struct {
	Digest  string `json:"digest"`
	Step    string `json:"step"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Log     string `json:"log"`
}

// read reads a termination message. What is not the script's is the end of the log, which
// the kubelet puts there when the script could not write anything.
func read(message string) said {
	var s said
	if json.Unmarshal([]byte(message), &s) != nil {
		return said{Log: message}
	}
	return s
}

// ended is why a pod failed.
type ended struct {
	reason, message, log string
	transient            bool
}

// endOf says why the pod failed, in the words of who knows best: of what drove it from its
// node, of the node, of the container runtime, of the script.
func endOf(pod *corev1.Pod) ended {
	state := terminated(pod)
	var s said
	if state != nil {
		s = read(state.Message)
	}
	e := ended{log: s.Log}
	e.reason, e.message = causeOf(pod, state, s)
	e.message = sentence(e.reason, e.message)
	if e.reason == reasonOOM {
		if limit, ok := pod.Spec.Containers[0].Resources.Limits[corev1.ResourceMemory]; ok {
			e.message += fmt.Sprintf(" (its limit is %s)", limit.String())
		}
	}
	e.transient = isTransient(e.reason)
	if e.reason == reasonPullFailed || e.reason == reasonPushFailed {
		e.transient = !owned.SaysRefused(e.message) && !owned.SaysRefused(e.log)
	}
	return e
}

func causeOf(pod *corev1.Pod, state *corev1.ContainerStateTerminated, s said) (reason, message string) {
	if c := disruption(pod); c != nil {
		if verdictOf[c.Reason] != nil {
			return c.Reason, c.Message
		}
		return reasonDisrupted, c.Message
	}
	switch {
	case pod.Status.Reason == "Evicted":
		return reasonEvictedOverLimit, pod.Status.Message
	case pod.Status.Reason != "":
		return pod.Status.Reason, pod.Status.Message
	case state == nil && pod.DeletionTimestamp != nil:
		return reasonPodDeleted, ""
	case state == nil:
		return reasonPodFailed, pod.Status.Message
	}
	return causeIn(pod, state, s)
}

// causeIn is why the container ended.
func causeIn(pod *corev1.Pod, state *corev1.ContainerStateTerminated, s said) (reason, message string) {
	switch {
	case state.Reason != "" && state.Reason != "Error" && state.Reason != "Completed":
		return state.Reason, cmp.Or(s.Message, strings.TrimSpace(s.Log))
	case pod.DeletionTimestamp != nil && (state.ExitCode == exitTerminated || state.ExitCode == exitKilled):
		return reasonPodDeleted, ""
	case verdictOf[s.Reason] != nil && verdictOf[s.Reason].class != stuck:
		return s.Reason, s.Message
	case ofExitCode[state.ExitCode] != "":
		return ofExitCode[state.ExitCode], s.Message
	}
	return reasonBuilderFailed, fmt.Sprintf("the builder ended with the exit code %d", state.ExitCode)
}

// disruption is the condition of a pod that is driven from its node; nil for others.
func disruption(pod *corev1.Pod) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

// status is that of the builder's container.
func status(pod *corev1.Pod) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if s := &pod.Status.ContainerStatuses[i]; s.Name == containerName {
			return s
		}
	}
	return nil
}

func terminated(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	if s := status(pod); s != nil {
		return s.State.Terminated
	}
	return nil
}

// begun is when the builder began to run; zero if it did not.
func begun(pod *corev1.Pod) time.Time {
	switch s := status(pod); {
	case s == nil:
	case s.State.Running != nil:
		return s.State.Running.StartedAt.Time
	case s.State.Terminated != nil:
		return s.State.Terminated.StartedAt.Time
	}
	return time.Time{}
}

// hasRun tells whether the builder has begun, whatever is known of when.
func hasRun(pod *corev1.Pod) bool {
	s := status(pod)
	return s != nil && (s.State.Running != nil || s.State.Terminated != nil)
}

// hasEnded tells whether nothing of the pod runs any more.
func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// waitingFor says what keeps the pod from running, and empty while that is only time.
// Warnings are the events of the pod, the newest first.
func waitingFor(pod *corev1.Pod, warnings []*corev1.Event) (reason, message string) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Reason, sentence(c.Reason, c.Message)
		}
	}
	if s := status(pod); s != nil && s.State.Waiting != nil && s.State.Waiting.Reason != reasonCreating && s.State.Waiting.Reason != "PodInitializing" {
		return s.State.Waiting.Reason, sentence(s.State.Waiting.Reason, s.State.Waiting.Message)
	}
	// Of volumes and sandboxes only events tell.
	return warned(warnings)
}

// warned are the words of the newest of the events that tell why a pod does not start.
func warned(warnings []*corev1.Event) (reason, message string) {
	for _, event := range warnings {
		if v := verdictOf[event.Reason]; v != nil && v.class == stuck {
			return event.Reason, sentence(event.Reason, event.Message)
		}
	}
	return "", ""
}
