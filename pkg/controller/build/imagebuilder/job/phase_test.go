package job

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

var (
	created  = time.Unix(1700000000, 0)
	begins   = created.Add(10 * time.Second)
	ends     = created.Add(5 * time.Minute)
	aDigest  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	anOutput = "registry.example.com/os/images"
)

// world is a Job as it is played.
type world struct {
	facts
	events map[string][]*corev1.Event
}

func newWorld() *world {
	job, _ := newObjects("ns", request())
	job.UID, job.CreationTimestamp = "job-uid", metav1.NewTime(created)
	w := &world{facts: facts{job: job}, events: map[string][]*corev1.Event{}}
	w.warnings = func(uid string) []*corev1.Event { return w.events[uid] }
	return w
}

func (w *world) pod() *corev1.Pod {
	if len(w.pods) == 0 {
		w.addPod(created)
	}
	return w.newest()
}

func (w *world) addPod(at time.Time) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("worker-abc-1-%d", len(w.pods)), UID: "pod-uid", CreationTimestamp: metav1.NewTime(at)}, Spec: w.job.Spec.Template.Spec}
	pod.Status.Phase = corev1.PodPending
	w.pods = append(w.pods, pod)
	if w.job.Status.StartTime == nil {
		w.job.Status.StartTime = &pod.CreationTimestamp
	}
	return pod
}

func (w *world) waits(reason, message string) {
	w.pod().Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
}

func (w *world) runs() *corev1.Pod {
	pod := w.pod()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(begins)}}}}
	return pod
}

func (w *world) ended(code int32, reason, message string) *corev1.Pod {
	pod := w.runs()
	pod.Status.Phase = corev1.PodSucceeded
	if code != 0 {
		pod.Status.Phase = corev1.PodFailed
	}
	pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: metav1.NewTime(begins), FinishedAt: metav1.NewTime(ends)}}
	return pod
}

func (w *world) says(condition batchv1.JobConditionType, reason, message string) {
	w.job.Status.Conditions = append(w.job.Status.Conditions, batchv1.JobCondition{Type: condition, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(ends)})
}

func (w *world) disrupted(reason, message string) {
	pod := w.pod()
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(ends)})
}

func (w *world) warns(uid, reason, message string) {
	w.events[uid] = append(w.events[uid], &corev1.Event{Reason: reason, Message: message})
}

const (
	absent, pending, running = imagebuilder.PhaseAbsent, imagebuilder.PhasePending, imagebuilder.PhaseRunning
	succeeded, failed        = imagebuilder.PhaseSucceeded, imagebuilder.PhaseFailed
	stopped                  = imagebuilder.PhaseStopped
)

// TestPhases: how far a Job is.
func TestPhases(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		play   func(w *world)
		want   imagebuilder.Phase
		check  func(t *testing.T, o *imagebuilder.Observation)
	}{
		"made": {reason: "nobody has looked at it", play: func(*world) {}, want: pending, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Empty(t, o.Reason)
		}},
		"a pod":                  {reason: "it is being put somewhere", play: func(w *world) { w.pod() }, want: pending},
		"runs":                   {reason: "its container has begun", play: func(w *world) { w.runs() }, want: running, check: func(t *testing.T, o *imagebuilder.Observation) { require.True(t, o.Started.Equal(begins)) }},
		"counts before":          {reason: "counters lag: active says nothing of what is at work", play: func(w *world) { w.job.Status.Active = 1 }, want: pending},
		"pod ended, not counted": {reason: "the Job has not come to its end", play: func(w *world) { w.ended(20, "Error", "") }, want: running},
		"SuccessCriteriaMet":     {reason: "the first of two steps", play: func(w *world) { w.ended(0, "Completed", ""); w.says(batchv1.JobSuccessCriteriaMet, "", "") }, want: running},
		"FailureTarget": {reason: "a pod on a lost node may be pushing", play: func(w *world) { w.runs(); w.says(batchv1.JobFailureTarget, "", "") }, want: running, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.True(t, o.Stopping)
		}},
		"Complete": {reason: "the digest is in the message", play: func(w *world) {
			w.ended(0, "Completed", `{"digest":"`+aDigest+`"}`)
			w.says(batchv1.JobComplete, "", "")
		}, want: succeeded, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Equal(t, anOutput+"@"+aDigest, o.Image)
			require.True(t, o.Finished.Equal(ends))
		}},
		"Complete, no digest": {reason: "a script of another make", play: func(w *world) { w.ended(0, "Completed", "done"); w.says(batchv1.JobComplete, "", "") }, want: succeeded, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Empty(t, o.Image)
		}},
		"Complete, a tag": {reason: "only a digest is one", play: func(w *world) { w.ended(0, "Completed", `{"digest":"latest"}`); w.says(batchv1.JobComplete, "", "") }, want: succeeded, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Empty(t, o.Image)
		}},
		"Complete, pod not in the cache": {reason: "its news may be under way", play: func(w *world) { w.says(batchv1.JobComplete, "", "") }, want: succeeded, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Zero(t, o.Finished, "the end is not there in full")
		}},
		"Complete, pod older in the cache": {reason: "its news is under way", play: func(w *world) { w.runs(); w.says(batchv1.JobComplete, "", "") }, want: succeeded, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Zero(t, o.Finished)
		}},
		"Failed, pod older in the cache": {reason: "it will say why", play: func(w *world) { w.runs(); w.says(batchv1.JobFailed, "BackoffLimitExceeded", "limit") }, want: failed, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Zero(t, o.Finished)
			require.Equal(t, "BackoffLimitExceeded", o.Reason)
		}},
		"Failed": {reason: "the pod says why", play: func(w *world) {
			w.ended(20, "Error", `{"step":"build","reason":"BuildStepFailed","message":"a step failed","log":"line\n"}`)
			w.says(batchv1.JobFailed, "BackoffLimitExceeded", "limit")
		}, want: failed, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Equal(t, []string{"BuildStepFailed", "a step failed", "line\n"}, []string{o.Reason, o.Message, o.Log})
			require.True(t, o.Finished.Equal(ends))
		}},
		"suspend asked": {reason: "the Job controller has not seen it", play: func(w *world) { w.job.Spec.Suspend = ptr.To(true) }, want: pending, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.True(t, o.Stopping)
		}},
		"suspended, pod ends": {reason: "it may be pushing", play: func(w *world) { w.runs(); w.job.Spec.Suspend = ptr.To(true); w.says(batchv1.JobSuspended, "", "") }, want: running, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.True(t, o.Stopping)
		}},
		"suspended, counted": {reason: "the cache of pods is behind", play: func(w *world) {
			w.job.Spec.Suspend, w.job.Status.Terminating = ptr.To(true), ptr.To[int32](1)
			w.says(batchv1.JobSuspended, "", "")
		}, want: pending},
		"stopped": {reason: "nothing of it is at work", play: func(w *world) { w.job.Spec.Suspend = ptr.To(true); w.says(batchv1.JobSuspended, "", "") }, want: stopped},
		"stopped, pod left": {reason: "what has ended is not at work", play: func(w *world) {
			w.ended(143, "Error", "")
			w.job.Spec.Suspend = ptr.To(true)
			w.says(batchv1.JobSuspended, "", "")
		}, want: stopped},
		"suspended when done": {reason: "an end is an end", play: func(w *world) {
			w.ended(0, "Completed", `{"digest":"`+aDigest+`"}`)
			w.job.Spec.Suspend = ptr.To(true)
			w.says(batchv1.JobComplete, "", "")
		}, want: succeeded},
		"drained": {reason: "another pod is to come", play: func(w *world) {
			w.ended(143, "Error", "")
			w.disrupted("EvictionByEvictionAPI", "Eviction API: evicting")
		}, want: pending, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Equal(t, "EvictionByEvictionAPI", o.Reason)
			require.Equal(t, "Eviction API: evicting; another pod is to take the place of worker-abc-1-0", o.Message)
			require.True(t, o.Waiting.Equal(ends), "its wait begins anew")
		}},
		"drained, ends": {reason: "the grace period is time to work", play: func(w *world) { w.runs(); w.disrupted("EvictionByEvictionAPI", "") }, want: running},
		"replaced": {reason: "the new pod waits", play: func(w *world) { w.runs(); w.addPod(ends) }, want: pending, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.True(t, o.Waiting.Equal(ends))
			require.True(t, o.Started.Equal(begins), "it began with the first pod")
		}},
		"being deleted": {reason: "somebody else deletes it in the foreground", play: func(w *world) {
			w.job.DeletionTimestamp, w.job.Finalizers = &metav1.Time{Time: ends}, []string{"foregroundDeletion"}
		}, want: pending, check: func(t *testing.T, o *imagebuilder.Observation) {
			require.Equal(t, "its finalizers, foregroundDeletion", o.Deleting)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.play(w)
			o := observation(&w.facts)
			require.Equal(t, test.want, o.Phase, test.reason)
			if test.check != nil {
				test.check(t, &o)
			}
		})
	}
	require.NotEqual(t, absent, pending)
}

// ends are the rows of the table of reasons that a build can end for, each played as a
// cluster plays it.
func endsPlayed() map[string]func(w *world) {
	saying := func(code int32, reason string) func(*world) {
		return func(w *world) {
			w.ended(code, "Error", `{"step":"build","reason":"`+reason+`","message":"words","log":"line\n"}`)
		}
	}
	container := func(reason string, code int32) func(*world) {
		return func(w *world) { w.ended(code, reason, "") }
	}
	ofPod := func(reason string) func(*world) {
		return func(w *world) {
			pod := w.pod()
			pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, reason, "the node's words"
		}
	}
	driven := func(reason string) func(*world) {
		return func(w *world) { w.ended(143, "Error", ""); w.disrupted(reason, "words") }
	}
	played := map[string]func(*world){
		reasonTerminated:       saying(143, "Terminated"),
		reasonKilled:           container("Error", 137),
		reasonBuilderFailed:    container("Error", 1),
		reasonEvictedOverLimit: ofPod("Evicted"),
		reasonPodDeleted: func(w *world) {
			w.ended(137, "Error", "")
			w.pod().DeletionTimestamp = &metav1.Time{Time: ends}
		},
		reasonPodFailed:        func(w *world) { w.pod().Status.Phase = corev1.PodFailed },
		reasonDisrupted:        driven("ByAnotherProgram"),
		"BackoffLimitExceeded": func(*world) {},
		"PodFailurePolicy":     func(*world) {},
		reasonJobDeadline:      func(*world) {},
		reasonOOM:              container("OOMKilled", 137),
		"StartError":           container("StartError", 128), "ContainerCannotRun": container("ContainerCannotRun", 128), "ContainerStatusUnknown": container("ContainerStatusUnknown", 137),
	}
	for reason, code := range map[string]int32{reasonInputs: 10, reasonPullFailed: 11, reasonImageUnusable: 12, reasonStepFailed: 20, reasonPushFailed: 30, reasonOutOfSpace: 40} {
		played[reason] = saying(code, reason)
	}
	for _, reason := range []string{"DeadlineExceeded", "NodeLost", "NodeAffinity", "NodeShutdown", "Preempting", "Shutdown", "UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory", "OutOfpods", "OutOfephemeral-storage"} {
		played[reason] = ofPod(reason)
	}
	for _, reason := range []string{"EvictionByEvictionAPI", "TerminationByKubelet", "DeletionByTaintManager", "PreemptionByScheduler", "DeletionByPodGC"} {
		played[reason] = driven(reason)
	}
	return played
}

// TestEveryEnd: each reason in the table is what comes of the case that it is for.
func TestEveryEnd(t *testing.T) {
	played := endsPlayed()
	for i := range verdicts {
		v := &verdicts[i]
		if v.class == stuck {
			continue
		}
		t.Run(v.reason, func(t *testing.T) {
			play := played[v.reason]
			require.NotNil(t, play, "every row is played")
			w := newWorld()
			play(w)
			ofJob := "BackoffLimitExceeded"
			switch v.reason {
			case "PodFailurePolicy":
				ofJob = v.reason
			case reasonJobDeadline:
				ofJob = "DeadlineExceeded"
			}
			w.says(batchv1.JobFailed, ofJob, "the Job's words")
			o := observation(&w.facts)
			require.Equal(t, failed, o.Phase)
			require.Equal(t, v.reason, o.Reason)
			require.NotEmpty(t, o.Message)
			require.Equal(t, v.class == transient, o.Transient)
			require.Contains(t, (&Builder{}).Reasons(), v.reason, "metrics know it")
		})
	}
}

// TestEveryWait: each reason for not starting is told with the words of who refused.
func TestEveryWait(t *testing.T) {
	const words = "the words of who refused"
	ofScheduler := map[string]bool{"Unschedulable": true, "SchedulingGated": true}
	ofEvents := map[string]bool{"FailedScheduling": true, "FailedMount": true, "FailedAttachVolume": true, "FailedCreatePodSandBox": true, "FailedCreatePodContainer": true, "NetworkNotReady": true}
	for i := range verdicts {
		v := &verdicts[i]
		if v.class != stuck || v.reason == reasonCreating || v.reason == "PodInitializing" || v.reason == reasonPodsUnknown || v.reason == reasonEventsUnknown {
			continue
		}
		t.Run(v.reason, func(t *testing.T) {
			w := newWorld()
			switch {
			case v.reason == reasonFailedCreate:
				w.warns("job-uid", v.reason, words)
			case ofScheduler[v.reason]:
				w.pod().Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: v.reason, Message: words}}
			case ofEvents[v.reason]:
				w.waits("ContainerCreating", "")
				w.warns("pod-uid", v.reason, words)
			default:
				w.waits(v.reason, words)
			}
			o := observation(&w.facts)
			require.Equal(t, pending, o.Phase)
			require.Equal(t, v.reason, o.Reason)
			require.Equal(t, words, o.Message)
		})
	}
	w := newWorld()
	w.waits("ContainerCreating", "")
	w.warns("pod-uid", "Unhealthy", "of no concern")
	require.Empty(t, observation(&w.facts).Reason, "what only takes its time is no reason")
}

// TestRefusedByRegistry: no other attempt with the same credentials can help.
func TestRefusedByRegistry(t *testing.T) {
	for name, test := range map[string]struct {
		reason, message, log string
		transient            bool
	}{
		"reset":          {reason: reasonPushFailed, message: "could not push", log: "connection reset by peer", transient: true},
		"denied":         {reason: reasonPushFailed, message: "could not push", log: "denied: requested access to the resource is denied"},
		"pull denied":    {reason: reasonPullFailed, message: "could not pull", log: "unauthorized: authentication required"},
		"asked to wait":  {reason: reasonPullFailed, message: "could not pull", log: "toomanyrequests: you may raise the limit by authentication", transient: true},
		"not about that": {reason: reasonTerminated, message: "ended", log: "unauthorized: ", transient: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.ended(30, "Error", fmt.Sprintf(`{"reason":%q,"message":%q,"log":%q}`, test.reason, test.message, test.log))
			w.says(batchv1.JobFailed, "BackoffLimitExceeded", "")
			o := observation(&w.facts)
			require.Equal(t, test.reason, o.Reason)
			require.Equal(t, test.transient, o.Transient)
		})
	}
}

// TestWordsOfEnds: what a message is made of.
func TestWordsOfEnds(t *testing.T) {
	w := newWorld()
	w.ended(137, "OOMKilled", "")
	w.pod().Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}
	require.Equal(t, "the build needs more memory than its container may have; raise jobLimits (its limit is 2Gi)", endOf(w.pod()).message, "a LimitRange may have set it")

	w = newWorld()
	w.ended(20, "Error", "the end of the log\n")
	e := endOf(w.pod())
	require.Equal(t, reasonStepFailed, e.reason, "the exit code tells it, too")
	require.Equal(t, "the end of the log\n", e.log, "the kubelet's, where the script had no time")

	w = newWorld()
	w.ended(1, "Error", `{"reason":"Unschedulable"}`)
	require.Equal(t, reasonBuilderFailed, endOf(w.pod()).reason, "a builder cannot be what only a pod can")

	w = newWorld()
	w.ended(0, "Completed", `{"digest":"`+aDigest+`"}`)
	w.disrupted("EvictionByEvictionAPI", "")
	w.says(batchv1.JobComplete, "", "")
	require.NotEmpty(t, func() imagebuilder.Observation { return observation(&w.facts) }().Image, "who has pushed and said so has")
}
