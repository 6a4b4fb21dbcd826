package buildtest

import (
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// JobScript is what happens to a Job and its pods, step by step. What the Job controller
// makes of each step is recorded, on the JobSystem and on the real one.
type JobScript struct {
	Name, Reason string
	// Edit changes the Job, which is as the backend makes it.
	Edit func(*batchv1.Job)
	// Steps are done one after the other, each when nothing more comes of the one before:
	//
	//	create           somebody makes the Job
	//	run              the node takes the newest pod, and its container runs
	//	end CODE         the container ends
	//	confirm          the node says that nothing of a pod runs that is being deleted
	//	collect          the collector of pods takes one whose node says nothing
	//	delete pod       somebody deletes it
	//	evict            somebody drains the node
	//	lose             the node is given up
	//	suspend          the controller, or a person, stops the Job
	//	delete Job HOW   somebody deletes it, with that propagation
	//	quota, allow     no pods may be made, and then they may
	//	pass             time passes until the Job controller has something to do
	//
	// Two with an "and" between them are done at once.
	Steps []string
	// Racy tells that several controllers act at the same time. What each object comes to is
	// known, and the way there is not.
	Racy bool
}

func deadlineOfSeconds(seconds int64) func(*batchv1.Job) {
	return func(job *batchv1.Job) { job.Spec.ActiveDeadlineSeconds = ptr.To(seconds) }
}

// JobScripts are what can happen to the Job of a build.
var JobScripts = []JobScript{
	{Name: "success", Reason: "an end has two conditions, and the pod is let go between them", Steps: []string{"create", "run", "end 0"}},
	{Name: "failure", Reason: "one failed pod is the end", Steps: []string{"create", "run", "end 20"}},
	{Name: "deleted pod", Reason: "it counts as failed, when its node has said how it ended", Steps: []string{"create", "run", "delete pod", "end 143", "confirm"}},
	{Name: "deleted pod that succeeds", Reason: "how a pod ends counts, and not who wanted that", Steps: []string{"create", "run", "delete pod", "end 0", "confirm"}},
	{Name: "deleted pod without a node", Reason: "the collector of pods makes it a failed one", Steps: []string{"create", "delete pod", "collect"}},
	{Name: "drain", Reason: "a pod that was driven from its node is no failure, and another one comes after a wait",
		Steps: []string{"create", "run", "evict", "end 143", "confirm", "pass", "run", "end 0"}},
	{Name: "drain of a pod that succeeds", Reason: "an evicted pod that ends well is the end", Steps: []string{"create", "run", "evict", "end 0", "confirm"}},
	{Name: "two drains", Reason: "the second wait is longer", Steps: []string{"create", "run", "evict", "end 143", "confirm", "pass", "run", "evict", "end 143", "confirm", "pass"}},
	{Name: "failure after a drain", Reason: "only the second pod counts", Steps: []string{"create", "run", "evict", "end 143", "confirm", "pass", "run", "end 20"}},
	{Name: "lost node", Reason: "as long as nothing is known of a pod there is no other", Steps: []string{"create", "run", "lose", "collect", "pass"}},
	{Name: "suspended before the pod has a node", Reason: "a pod that nothing holds is gone at once", Steps: []string{"create", "suspend"}},
	{Name: "suspended while running", Reason: "the Job is Suspended while its pod is still at work, and the pod does not count",
		Steps: []string{"create", "run", "suspend", "end 143", "confirm"}},
	{Name: "suspended, and the pod succeeds", Reason: "not even then", Steps: []string{"create", "run", "suspend", "end 0", "confirm"}},
	{Name: "suspended as it succeeds", Reason: "an end that is there is the end", Racy: true, Steps: []string{"create", "run", "end 0 and suspend"}},
	{Name: "suspended as it fails", Reason: "likewise", Racy: true, Steps: []string{"create", "run", "end 20 and suspend"}},
	{Name: "suspended after the end", Reason: "nothing comes of it", Steps: []string{"create", "run", "end 0", "suspend"}},
	{Name: "suspended between two pods", Reason: "there is no third", Steps: []string{"create", "run", "evict", "end 143", "confirm", "suspend"}},
	{Name: "suspended on a lost node", Reason: "the Job says so at once, and its pod stays", Steps: []string{"create", "run", "suspend", "collect"}},
	{Name: "deadline of the Job", Reason: "the pod counts as failed before it has ended, and what it says then is hardly there", Edit: deadlineOfSeconds(8),
		Steps: []string{"create", "run", "pass", "end 143", "confirm"}},
	{Name: "deadline of the Job on a lost node", Reason: "the end does not come before the pod is gone", Edit: deadlineOfSeconds(8),
		Steps: []string{"create", "run", "pass", "collect"}},
	{Name: "deadline of the Job without a node", Reason: "nothing is left to wait for", Edit: deadlineOfSeconds(8), Steps: []string{"create", "pass"}},
	{Name: "quota", Reason: "there is no pod, and only an event says why", Steps: []string{"quota", "create", "allow", "pass", "run", "end 0"}},
	{Name: "suspended under a quota", Reason: "nothing is left to wait for", Steps: []string{"quota", "create", "suspend"}},
	{Name: "deleted Job", Reason: "its pod has its grace period", Racy: true, Steps: []string{"create", "run", "delete Job Background", "end 143", "confirm"}},
	{Name: "deleted Job, in the foreground", Reason: "the Job stays for as long as its pod", Racy: true, Steps: []string{"create", "run", "delete Job Foreground", "end 143", "confirm"}},
	{Name: "deleted Job, pod orphaned", Reason: "what is deleted without a word leaves its pod at work", Racy: true, Steps: []string{"create", "run", "delete Job Orphan"}},
}

// JobStep is a step, and what was seen of it.
type JobStep struct {
	Do string
	// Lines are the states that the Job and its pods went through, and Warnings those that
	// were told.
	Lines, Warnings []string
}

// String is the step with what was seen.
func (s *JobStep) String() string {
	return strings.Join(append(append([]string{s.Do}, s.Lines...), s.Warnings...), "\n\t")
}

// Recorder turns what is seen into lines, each state once.
type Recorder struct {
	job  string
	pods []*recordedPod
	step JobStep
}

type recordedPod struct{ uid, line string }

// Next begins a step, and returns what was seen of the one before.
func (r *Recorder) Next(do string) JobStep {
	last := r.step
	r.step = JobStep{Do: do}
	return last
}

// Seen is what was seen of the step so far.
func (r *Recorder) Seen() JobStep { return r.step }

// SeeJob takes notice of the Job; nil for one that is gone.
func (r *Recorder) SeeJob(job *batchv1.Job) {
	if line := jobLine(job); line != r.job {
		r.job = line
		r.step.Lines = append(r.step.Lines, line)
	}
}

// SeePod takes notice of a pod, which may be gone.
func (r *Recorder) SeePod(pod *corev1.Pod, gone bool) {
	at := slices.IndexFunc(r.pods, func(known *recordedPod) bool { return known.uid == string(pod.UID) })
	if at < 0 {
		r.pods = append(r.pods, &recordedPod{uid: string(pod.UID)})
		at = len(r.pods) - 1
	}
	line := fmt.Sprintf("pod %d: %s", at+1, podLine(pod))
	if gone || pod.DeletionTimestamp != nil && IsConfirmed(pod) && len(pod.Finalizers) == 0 {
		// The last thing that a watch tells of a pod may be that it is about to be gone.
		line = fmt.Sprintf("pod %d: gone", at+1)
	}
	if line != r.pods[at].line {
		r.pods[at].line = line
		r.step.Lines = append(r.step.Lines, line)
	}
}

// Warned takes notice of a warning, whoever it was about.
func (r *Recorder) Warned(reason, message string) {
	if line := "warning: " + reason + ": " + message; !slices.Contains(r.step.Warnings, line) {
		r.step.Warnings = append(r.step.Warnings, line)
	}
}

// Last are the last lines about each object, in the order of what they begin with.
func (s *JobStep) Last() []string {
	last := map[string]string{}
	for _, line := range s.Lines {
		object, _, _ := strings.Cut(line, ":")
		last[object] = line
	}
	var lines []string
	for _, line := range last {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// jobLine is what of a Job the Job controller decides.
func jobLine(job *batchv1.Job) string {
	if job == nil {
		return "job: gone"
	}
	s := &job.Status
	line := fmt.Sprintf("job: active %d, terminating %d, failed %d, succeeded %d", s.Active, ptr.Deref(s.Terminating, -1), s.Failed, s.Succeeded)
	uncounted := uncountedOf(s)
	for _, part := range []struct {
		is   bool
		text string
	}{
		{len(uncounted.Failed) > 0, "to be counted as failed"},
		{len(uncounted.Succeeded) > 0, "to be counted as succeeded"},
		{s.StartTime == nil, "not started"},
		{s.CompletionTime != nil, "completed"},
		{isSuspended(job), "suspended"},
		{job.DeletionTimestamp != nil, "being deleted"},
	} {
		if part.is {
			line += ", " + part.text
		}
	}
	for i := range s.Conditions {
		if c := &s.Conditions[i]; c.Status == corev1.ConditionTrue {
			line += fmt.Sprintf("; %s: %s: %s", c.Type, c.Reason, c.Message)
		}
	}
	return line
}

// podLine is what of a pod the Job controller decides, and what it decides by.
func podLine(pod *corev1.Pod) string {
	line := string(pod.Status.Phase)
	for _, part := range []struct {
		is   bool
		text string
	}{
		{isTracked(pod), "tracked"},
		{isIgnored(pod), "disrupted"},
		{pod.DeletionTimestamp != nil && !IsConfirmed(pod), "being deleted"},
		{pod.DeletionTimestamp != nil && IsConfirmed(pod), "deleted"},
		{len(pod.OwnerReferences) == 0, "orphan"},
	} {
		if part.is {
			line += ", " + part.text
		}
	}
	return line
}
