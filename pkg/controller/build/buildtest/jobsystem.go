package buildtest

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// Words of the Job controller.
const (
	limitReached  = "Job has reached the specified backoff limit"
	deadlinePast  = "Job was active longer than specified deadline"
	enoughSuccess = "Reached expected number of succeeded pods"
)

// How long the Job controller waits with a pod, after one that failed, and after it was
// refused one. Each time is twice the one before.
const (
	firstReplacement, lastReplacement = 10 * time.Second, 10 * time.Minute
	firstRetry, lastRetry             = time.Second, time.Minute
)

// JobSystem plays Kubernetes' controller of Jobs, for Jobs as the backend makes them: of
// one pod at a time, in which one that fails is an end unless it was driven from its node.
//
// It does one write at a time, so that others may look, and act, between any two. What it
// decides it reads from the API each time, as the real one does after a restart; only its
// waits it remembers. test/devcluster/jobs holds it against the real one.
type JobSystem struct {
	// Refuse is what the API server has against a pod of the Job; empty for nothing.
	Refuse func(*batchv1.Job) string

	api   *API
	waits map[types.UID]*waits
}

// waits are those of one Job.
type waits struct {
	failed, refused     int
	failedAt, refusedAt time.Time
	// deleted are the pods that were deleted at this look, which are still taken to be there.
	deleted int32
}

// NewJobSystem plays the controller on the API.
func NewJobSystem(api *API) *JobSystem { return &JobSystem{api: api, waits: map[types.UID]*waits{}} }

// Sync does the next write that the Job of that name needs, or one of its pods, and tells
// whether there was any.
func (s *JobSystem) Sync(name string) bool {
	job := s.api.storedJob(name)
	pods := s.api.podsOwnedBy(job.UID)
	if IsJobOver(job) {
		delete(s.waits, job.UID)
		return s.release(pods)
	}
	sync := s.look(job, pods)
	return sync.managePods() || sync.flush() || sync.letGo() || sync.count()
}

// SyncOrphans takes the finalizer from a pod whose Job is gone, and tells whether there was
// any.
func (s *JobSystem) SyncOrphans() bool {
	jobs := map[types.UID]bool{}
	for _, object := range s.api.Stored("jobs") {
		jobs[object.(*batchv1.Job).UID] = true
	}
	return s.release(s.api.podsWhere(func(pod *corev1.Pod) bool {
		owner := metav1.GetControllerOfNoCopy(pod)
		return owner == nil || !jobs[owner.UID]
	}))
}

// Due is when the Job of that name has something to do by the clock alone; zero for never.
func (s *JobSystem) Due(name string) time.Time {
	job := s.api.storedJob(name)
	if IsJobOver(job) || isSuspended(job) {
		return time.Time{}
	}
	sync := s.look(job, s.api.podsOwnedBy(job.UID))
	if sync.lacksPod() && sync.end == nil && job.DeletionTimestamp == nil {
		return sync.mayCreate()
	}
	return deadlineOf(job)
}

// release takes the finalizer from the first of the pods that has it.
func (s *JobSystem) release(pods []*corev1.Pod) bool {
	for _, pod := range pods {
		if isTracked(pod) {
			s.api.releasePod(pod.Name)
			return true
		}
	}
	return false
}

func (s *JobSystem) waitsOf(job types.UID) *waits {
	if s.waits[job] == nil {
		s.waits[job] = &waits{}
	}
	return s.waits[job]
}

func (w *waits) fail(pod *corev1.Pod) { w.failed, w.failedAt = w.failed+1, finishedAt(pod) }

// jobSync is one look at a Job.
type jobSync struct {
	*JobSystem
	job         *batchv1.Job
	active      []*corev1.Pod
	terminating int32
	succeeded   int
	// fresh are the pods that failed and were not looked at before, and done those that the
	// controller needs no more.
	fresh, done []*corev1.Pod
	// end is the first of the two conditions of an end, which may be there already.
	end *batchv1.JobCondition
}

func (s *JobSystem) look(job *batchv1.Job, pods []*corev1.Pod) *jobSync {
	sync := &jobSync{JobSystem: s, job: job, terminating: s.waitsOf(job.UID).deleted}
	uncounted := uncountedOf(&job.Status)
	failed := int(job.Status.Failed) + len(uncounted.Failed)
	sync.succeeded = int(job.Status.Succeeded) + len(uncounted.Succeeded)
	for _, pod := range pods {
		isNew := isTracked(pod) && !slices.Contains(uncounted.Failed, pod.UID) && !slices.Contains(uncounted.Succeeded, pod.UID)
		switch {
		case !hasEnded(pod) && pod.DeletionTimestamp != nil:
			sync.terminating = 1
		case !hasEnded(pod):
			sync.active = append(sync.active, pod)
		case isNew && pod.Status.Phase == corev1.PodSucceeded:
			sync.succeeded++
		case isNew:
			sync.fresh = append(sync.fresh, pod)
			if !isIgnored(pod) {
				failed++
			}
		}
	}
	sync.end = sync.endOf(failed)
	sync.done = slices.DeleteFunc(pods, func(pod *corev1.Pod) bool {
		return !isTracked(pod) || !hasEnded(pod) && sync.end == nil && job.DeletionTimestamp == nil
	})
	return sync
}

// endOf is what the Job comes to; nil as long as that is open.
func (s *jobSync) endOf(failed int) *batchv1.JobCondition {
	now := s.api.now()
	condition := func(kind batchv1.JobConditionType, reason, message string) *batchv1.JobCondition {
		return &batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: now}
	}
	deadline := deadlineOf(s.job)
	switch success, failure := conditionOf(s.job, batchv1.JobSuccessCriteriaMet), conditionOf(s.job, batchv1.JobFailureTarget); {
	case success != nil:
		return success
	case failure != nil:
		return failure
	case failed > int(ptr.Deref(s.job.Spec.BackoffLimit, 6)):
		return condition(batchv1.JobFailureTarget, batchv1.JobReasonBackoffLimitExceeded, limitReached)
	case !deadline.IsZero() && !s.api.clock.Now().Before(deadline):
		return condition(batchv1.JobFailureTarget, batchv1.JobReasonDeadlineExceeded, deadlinePast)
	case s.succeeded > 0 && len(s.active) == 0:
		return condition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonCompletionsReached, enoughSuccess)
	}
	return nil
}

// managePods deletes or makes a pod. The pods of a Job that is suspended are not to be
// counted, so they lose their finalizer first.
func (s *jobSync) managePods() bool {
	for _, pod := range s.active {
		switch {
		case s.end == nil && s.job.DeletionTimestamp == nil && isSuspended(s.job):
			return s.release([]*corev1.Pod{pod}) || s.delete(pod)
		case s.end != nil:
			return s.delete(pod)
		}
	}
	if !s.lacksPod() || s.end != nil || s.job.DeletionTimestamp != nil || isSuspended(s.job) || s.api.clock.Now().Before(s.mayCreate()) {
		return false
	}
	w := s.waitsOf(s.job.UID)
	if s.Refuse != nil {
		if refusal := s.Refuse(s.job); refusal != "" {
			w.refused, w.refusedAt = w.refused+1, s.api.clock.Now()
			s.api.Warn("Job", s.job, "FailedCreate", "Error creating: "+refusal)
			return true
		}
	}
	w.refused = 0
	s.api.AddPod(s.job.Name)
	return true
}

// delete deletes a pod. Until the Job has been gone through it counts as one that has not
// gone, even if it has.
func (s *jobSync) delete(pod *corev1.Pod) bool {
	s.waitsOf(s.job.UID).deleted++
	s.api.DeletePod(pod.Name)
	return true
}

// lacksPod: another pod is made only when the one before has ended.
func (s *jobSync) lacksPod() bool {
	return s.succeeded == 0 && len(s.active) == 0 && s.terminating == 0
}

// mayCreate is when the next pod may be made.
func (s *jobSync) mayCreate() time.Time {
	w := *s.waitsOf(s.job.UID)
	for _, pod := range s.fresh {
		w.fail(pod)
	}
	at := time.Time{}
	if w.failed > 0 {
		at = w.failedAt.Add(doubled(firstReplacement, lastReplacement, w.failed))
	}
	if retry := w.refusedAt.Add(doubled(firstRetry, lastRetry, w.refused)); w.refused > 0 && retry.After(at) {
		at = retry
	}
	return at
}

func doubled(first, last time.Duration, times int) time.Duration {
	wait := first
	for range times - 1 {
		if wait *= 2; wait >= last {
			return last
		}
	}
	return wait
}

// flush writes what is seen, before any pod is let go: who is at work, who is to be counted
// and has not been, and the first condition of an end.
func (s *jobSync) flush() bool {
	status := s.job.Status.DeepCopy()
	s.catchUp(status)
	before := status.DeepCopy()
	status.Active, status.Terminating = int32(len(s.active)), ptr.To(s.terminating)
	switch {
	case s.end != nil:
		if conditionOf(s.job, s.end.Type) == nil {
			status.Conditions = append(status.Conditions, *s.end)
		}
	case s.job.DeletionTimestamp == nil:
		s.suspendIn(status)
	}
	s.noteIn(status)
	if s.job.Status.UncountedTerminatedPods != nil && equality.Semantic.DeepEqual(before, status) {
		return false
	}
	if status.StartTime == nil && !isSuspended(s.job) {
		status.StartTime = ptr.To(s.api.now())
	}
	return s.write(status)
}

// noteIn notes the pods that are to be let go, so that each is counted once.
func (s *jobSync) noteIn(status *batchv1.JobStatus) {
	uncounted := uncountedOf(status)
	for _, pod := range s.done {
		fails := pod.Status.Phase == corev1.PodFailed || s.end != nil && s.end.Type == batchv1.JobFailureTarget
		switch {
		case slices.Contains(uncounted.Succeeded, pod.UID) || slices.Contains(uncounted.Failed, pod.UID):
		case pod.Status.Phase == corev1.PodSucceeded:
			uncounted.Succeeded = append(uncounted.Succeeded, pod.UID)
		case fails && !isIgnored(pod):
			uncounted.Failed = append(uncounted.Failed, pod.UID)
		}
	}
	status.UncountedTerminatedPods = uncounted
}

// suspendIn tells of a Job that is suspended, at once: its pod may still be at work.
func (s *jobSync) suspendIn(status *batchv1.JobStatus) {
	is := slices.IndexFunc(status.Conditions, func(c batchv1.JobCondition) bool { return c.Type == batchv1.JobSuspended })
	if !isSuspended(s.job) || is >= 0 {
		return
	}
	status.Conditions = append(status.Conditions, batchv1.JobCondition{
		Type: batchv1.JobSuspended, Status: corev1.ConditionTrue, Reason: "JobSuspended", Message: "Job suspended", LastTransitionTime: s.api.now(),
	})
	status.StartTime = nil
}

// letGo releases the pods that are done. Those that failed make the next one wait.
func (s *jobSync) letGo() bool {
	for _, pod := range s.fresh {
		s.waitsOf(s.job.UID).fail(pod)
	}
	return s.release(s.done)
}

// count writes the counters of the pods that were let go, and, when nothing of the Job runs
// any more, the second condition of its end.
func (s *jobSync) count() bool {
	status := s.job.Status.DeepCopy()
	s.catchUp(status)
	ended := s.end != nil && s.terminating == 0 && len(uncountedOf(status).Failed)+len(uncountedOf(status).Succeeded) == 0
	if ended {
		last := *s.end
		last.Type, last.LastTransitionTime = batchv1.JobFailed, s.api.now()
		if s.end.Type == batchv1.JobSuccessCriteriaMet {
			last.Type, status.CompletionTime = batchv1.JobComplete, &last.LastTransitionTime
		}
		status.Conditions = append(status.Conditions, last)
	}
	again := s.waitsOf(s.job.UID).deleted > 0
	s.waitsOf(s.job.UID).deleted = 0
	if equality.Semantic.DeepEqual(&s.job.Status, status) {
		return again
	}
	if ended && s.end.Type == batchv1.JobFailureTarget {
		s.api.Warn("Job", s.job, s.end.Reason, s.end.Message)
	}
	return s.write(status)
}

// catchUp counts the pods that have been let go since they were noted.
func (s *jobSync) catchUp(status *batchv1.JobStatus) {
	uncounted := uncountedOf(status)
	isHeld := func(uid types.UID) bool {
		return slices.ContainsFunc(s.done, func(pod *corev1.Pod) bool { return pod.UID == uid })
	}
	take := func(uids []types.UID) (left []types.UID) {
		for _, uid := range uids {
			if isHeld(uid) {
				left = append(left, uid)
			}
		}
		return left
	}
	failed, succeeded := take(uncounted.Failed), take(uncounted.Succeeded)
	status.Failed += int32(len(uncounted.Failed) - len(failed))
	status.Succeeded += int32(len(uncounted.Succeeded) - len(succeeded))
	if status.UncountedTerminatedPods != nil {
		status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{Failed: failed, Succeeded: succeeded}
	}
}

func (s *jobSync) write(status *batchv1.JobStatus) bool {
	s.api.EditJob(s.job.Name, func(j *batchv1.Job) { j.Status = *status })
	return true
}
