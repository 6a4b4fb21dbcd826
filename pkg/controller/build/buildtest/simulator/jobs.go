package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// jobsPrefix comes before the name of a scenario in which Jobs build. The scenarios, the
// perturbations and what has to hold are the same: whoever looks at builds sees a Job as the
// Build that it would be.
const jobsPrefix = "jobs:"

// runsJobs tells whether Jobs build in the scenario of that name.
func runsJobs(scenario string) bool {
	return strings.HasPrefix(strings.TrimPrefix(scenario, machineOSPrefix), jobsPrefix)
}

// resource is that of the objects that run builds.
func (sim *simulation) resource() string {
	if sim.jobs {
		return "jobs"
	}
	return "builds"
}

// kinds are what a program watches, in the order in which news of them comes. That of a pod
// may come before and after that of its Job.
func (sim *simulation) kinds() []string { return sim.watched }

func kindsOf(scenario string) []string {
	kinds := slices.Clone(buildtest.Kinds)
	if runsJobs(scenario) {
		kinds = slices.Insert(kinds, slices.Index(kinds, "builds"), "jobs", "pods", "events")
	}
	if hasMachineOS(scenario) {
		kinds = append(kinds, machineOSKinds...)
	}
	return kinds
}

// storedJobs are the stored Jobs, to look at only.
func (sim *simulation) storedJobs() []*batchv1.Job {
	return storedIn[*batchv1.Job](sim, "jobs")
}

// jobsAsBuilds are the Jobs as the Builds that they would be.
func (sim *simulation) jobsAsBuilds() []*buildv1.Build {
	var builds []*buildv1.Build
	for _, j := range sim.storedJobs() {
		builds = append(builds, sim.asBuild(j))
	}
	return builds
}

func (sim *simulation) asBuild(j *batchv1.Job) *buildv1.Build {
	b := &buildv1.Build{ObjectMeta: j.ObjectMeta}
	b.Status.Cancelled = ptr.Deref(j.Spec.Suspend, false)
	pod := newestPod(sim.api.PodsOf(j.Name))
	switch {
	case hasCondition(j, batchv1.JobComplete):
		b.Status.Phase = buildv1.BuildPhaseComplete
		if pod != nil && pod.Status.Phase == corev1.PodSucceeded && pod.Status.ContainerStatuses[0].State.Terminated.Message != "" {
			b.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: buildtest.DigestOf(j.Name)}
		}
	case hasCondition(j, batchv1.JobFailed):
		b.Status.Phase = buildv1.BuildPhaseFailed
	case b.Status.Cancelled && hasCondition(j, batchv1.JobSuspended):
		b.Status.Phase = buildv1.BuildPhaseCancelled
	case pod == nil:
		b.Status.Phase = buildv1.BuildPhaseNew
	case pod.Status.Phase == corev1.PodPending:
		b.Status.Phase = buildv1.BuildPhasePending
	default:
		b.Status.Phase = buildv1.BuildPhaseRunning
	}
	return b
}

// isFailing tells of the Job that the build stands for that the Job controller is ending what
// is left of it, as if it had been suspended.
func (sim *simulation) isFailing(b *buildv1.Build) bool {
	return slices.ContainsFunc(sim.storedJobs(), func(j *batchv1.Job) bool {
		return sim.jobs && j.UID == b.UID && hasCondition(j, batchv1.JobFailureTarget)
	})
}

func hasCondition(j *batchv1.Job, of batchv1.JobConditionType) bool {
	return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool { return c.Type == of && c.Status == corev1.ConditionTrue })
}

func newestPod(pods []*corev1.Pod) *corev1.Pod {
	if len(pods) == 0 {
		return nil
	}
	return pods[len(pods)-1]
}

func isOver(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// jobSystem takes every Job one step further, as the Job controller and the kubelet do.
func (sim *simulation) jobSystem() (progress bool) {
	for _, j := range sim.storedJobs() {
		if sim.stepJob(j) {
			sim.note("job system: %s goes on", j.Name)
			sim.lastDisturbed = sim.clock.Now()
			progress = true
		}
	}
	return progress
}

// stepJob takes the Job one step further. An end has two steps, and so has a stop: the pod
// goes first, and the condition comes when it is gone.
func (sim *simulation) stepJob(j *batchv1.Job) bool {
	pod := newestPod(sim.api.PodsOf(j.Name))
	suspended := ptr.Deref(j.Spec.Suspend, false)
	switch {
	case hasCondition(j, batchv1.JobComplete), hasCondition(j, batchv1.JobFailed):
		return false
	case hasCondition(j, batchv1.JobSuccessCriteriaMet):
		sim.api.SetJobCondition(j.Name, batchv1.JobComplete, batchv1.JobReasonCompletionsReached, "")
	case hasCondition(j, batchv1.JobFailureTarget):
		sim.api.SetJobCondition(j.Name, batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	case pod != nil && isOver(pod) && (!suspended || !isDriven(pod)):
		sim.countPod(j, pod)
	case suspended:
		return sim.suspend(j, pod)
	case pod == nil && sim.begun[string(j.UID)]:
		// A pod that somebody deleted counts as one that failed.
		sim.api.SetJobCondition(j.Name, batchv1.JobFailureTarget, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	default:
		return sim.runPod(j, pod)
	}
	return true
}

// countPod has the Job controller count a pod that is over, or replace it.
func (sim *simulation) countPod(j *batchv1.Job, pod *corev1.Pod) {
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
		sim.api.SetJobCondition(j.Name, batchv1.JobSuccessCriteriaMet, batchv1.JobReasonCompletionsReached, "")
	case isDriven(pod):
		sim.api.AddPod(j.Name)
	default:
		sim.api.SetJobCondition(j.Name, batchv1.JobFailureTarget, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	}
}

func isDriven(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.DisruptionTarget })
}

// suspend takes a Job that is to stop one step further. Its counters are behind its pod.
func (sim *simulation) suspend(j *batchv1.Job, pod *corev1.Pod) bool {
	switch {
	case hasCondition(j, batchv1.JobSuspended):
		return false
	case pod != nil && pod.DeletionTimestamp == nil:
		sim.api.EditPod(j.Name, func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: sim.clock.Now()} })
		sim.api.EditJob(j.Name, func(j *batchv1.Job) { j.Status.Active, j.Status.Terminating = 0, ptr.To[int32](1) })
	case pod != nil:
		sim.api.Remove("pods", pod.Namespace, pod.Name)
	default:
		sim.api.EditJob(j.Name, func(j *batchv1.Job) { j.Status.Terminating, j.Status.StartTime = nil, nil })
		sim.api.SetJobCondition(j.Name, batchv1.JobSuspended, "JobSuspended", "Job suspended")
	}
	return true
}

// runPod takes the pod of a Job that is at work one step further.
func (sim *simulation) runPod(j *batchv1.Job, pod *corev1.Pod) bool {
	outcome := sim.scenario.outcome(sim.asBuild(j))
	switch {
	case pod == nil && outcome.stuck:
		if !sim.warned[j.Name] {
			sim.warned[j.Name] = true
			sim.api.Warn("Job", j, "FailedCreate", "exceeded quota")
			return true
		}
		return false
	case pod == nil:
		sim.begun[string(j.UID)] = true
		sim.api.AddPod(j.Name)
	case pod.Status.Phase == corev1.PodPending:
		sim.api.RunJob(j.Name)
	case outcome.slow || outcome.waits && len(sim.story) > 0:
		return false
	case outcome.reason == buildv1.StatusReasonDockerBuildFailed:
		sim.api.EndPod(j.Name, 20, "Error", `{"step":"build","reason":"BuildStepFailed","message":"it failed"}`)
	case outcome.reason != "":
		sim.api.EndPod(j.Name, 137, "Error", "")
	case outcome.noDigest:
		sim.api.EndPod(j.Name, 0, "Completed", "")
	default:
		digest := buildtest.DigestOf(j.Name)
		sim.api.EndPod(j.Name, 0, "Completed", fmt.Sprintf(`{"digest":%q}`, digest))
		sim.remember(&j.ObjectMeta, digest)
	}
	return true
}

// jobDisturbances are those that take another form where Jobs build, or are only there.
var jobDisturbances = map[faultKind]func(*simulation){
	"delete-build": (*simulation).removeBuilds,
	// A drain, which the Job survives.
	"evict-build": func(sim *simulation) {
		for _, j := range sim.storedJobs() {
			if pod := newestPod(sim.api.PodsOf(j.Name)); pod != nil && pod.Status.Phase == corev1.PodRunning {
				sim.api.LoseNode(j.Name, "EvictionByEvictionAPI", "Eviction API: evicting")
				sim.api.EndPod(j.Name, 143, "Error", `{"step":"build","reason":"Terminated","message":"told to end"}`)
			}
		}
	},
	// Somebody deletes the pods, and with them what they said.
	"delete-pod": func(sim *simulation) {
		for _, j := range sim.storedJobs() {
			for _, pod := range sim.api.PodsOf(j.Name) {
				sim.api.Remove("pods", pod.Namespace, pod.Name)
			}
		}
	},
	"forge-build": func(sim *simulation) { sim.forgeJob() },
	// Nobody makes a Job that has ended, and what a Job runs does not change.
	"forge-image": func(*simulation) {},
	"alter-build": func(*simulation) {},
}

// deeds are what the environment may do at any round.
func (sim *simulation) deeds() map[faultKind]func(*simulation) { return deedsOf(sim.schedule.scenario) }

func deedsOf(scenario string) map[faultKind]func(*simulation) {
	deeds := maps.Clone(disturbances)
	if runsJobs(scenario) {
		maps.Copy(deeds, jobDisturbances)
	}
	if hasMachineOS(scenario) {
		maps.Copy(deeds, machineOSDisturbances)
	}
	return deeds
}

func (sim *simulation) removeBuilds() {
	for _, b := range sim.builds() {
		sim.api.Remove(sim.resource(), b.Namespace, b.Name)
	}
}

// forgeJob makes a copy of the newest Job under another name, which the controller would
// not make, in one way or another.
func (sim *simulation) forgeJob() {
	var original *batchv1.Job
	for _, j := range sim.storedJobs() {
		if original == nil || original.CreationTimestamp.Before(&j.CreationTimestamp) {
			original = j
		}
	}
	if original == nil {
		return
	}
	j := original.DeepCopy()
	j.Name, j.UID = fmt.Sprintf("machine-os-worker-forged-%d", sim.round), ""
	sim.forged[j.Name] = true
	j.Annotations[constants.BuildNameAnnotation] = j.Name
	j.Annotations[constants.ClaimAnnotation] = strings.ReplaceAll(j.Annotations[constants.ClaimAnnotation], original.Name, j.Name)
	j.CreationTimestamp = metav1.NewTime(sim.clock.Now().Truncate(time.Second))
	j.Status, j.Spec.Suspend = batchv1.JobStatus{}, nil
	container := &j.Spec.Template.Spec.Containers[0]
	switch sim.round % 3 {
	case 0:
		container.Env[0].Value = "evil.example.com/x/y:1"
	case 1:
		container.Command = []string{"sh", "-c", "evil"}
	default:
		container.Env = append(container.Env, corev1.EnvVar{Name: "LD_PRELOAD", Value: "evil"})
	}
	sim.api.Put(j)
}
