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
	case b.Status.Cancelled && hasCondition(j, batchv1.JobSuspended) && (pod == nil || isOver(pod)):
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

// jobSystem lets every pod's node, and the Job controller for every Job, do what is next.
func (sim *simulation) jobSystem() (progress bool) {
	goesOn := func(who, name string) {
		sim.note("%s: %s goes on", who, name)
		sim.lastDisturbed = sim.clock.Now()
		progress = true
	}
	jobs := map[string]*batchv1.Job{}
	for _, j := range sim.storedJobs() {
		jobs[j.Name] = j
	}
	for _, object := range sim.api.Stored("pods") {
		pod := object.(*corev1.Pod)
		if j := jobs[pod.Labels[batchv1.JobNameLabel]]; sim.stepPod(j, pod) {
			goesOn("node", pod.Name)
		}
	}
	for _, j := range sim.storedJobs() {
		switch {
		case !sim.jobController.Sync(j.Name):
		case sim.refusesPod(j) != "" && sim.api.Job(j.Name).ResourceVersion == j.ResourceVersion:
			// A pod that is refused is asked for again and again. That disturbs nobody.
			progress = true
		default:
			goesOn("Job controller", j.Name)
		}
	}
	if sim.jobController.SyncOrphans() {
		goesOn("Job controller", "a pod without a Job")
	}
	return progress
}

// refusesPod is what the API server has against a pod of the Job.
func (sim *simulation) refusesPod(j *batchv1.Job) string {
	if sim.scenario.outcome(sim.asBuild(j)).stuck {
		return "exceeded quota"
	}
	return ""
}

// jobsDue is when the Job controller has something to do by the clock alone.
func (sim *simulation) jobsDue() (due []time.Time) {
	for _, j := range sim.storedJobs() {
		due = append(due, sim.jobController.Due(j.Name))
	}
	return due
}

// stepPod lets the node of a pod do what is next; the Job is nil for one that is gone.
func (sim *simulation) stepPod(j *batchv1.Job, pod *corev1.Pod) bool {
	switch {
	case sim.lost[pod.Name]:
		return false
	case pod.DeletionTimestamp != nil && isOver(pod):
		if buildtest.IsConfirmed(pod) {
			return false
		}
		sim.api.ConfirmPod(pod.Name)
	case pod.DeletionTimestamp != nil && pod.Status.Phase == corev1.PodPending:
		sim.api.GiveUpPod(pod.Name)
	case pod.DeletionTimestamp != nil:
		sim.api.EndPod(pod.Labels[batchv1.JobNameLabel], 143, "Error", `{"step":"build","reason":"Terminated","message":"told to end"}`)
	case isOver(pod) || j == nil:
		return false
	default:
		return sim.runPod(j, pod)
	}
	return true
}

// runPod takes a pod that is at work one step further.
func (sim *simulation) runPod(j *batchv1.Job, pod *corev1.Pod) bool {
	outcome := sim.scenario.outcome(sim.asBuild(j))
	switch {
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
				sim.api.DeletePod(pod.Name)
			}
		}
	},
	"lose-node": (*simulation).loseNode,
	// Somebody deletes the pods, and with them what they said.
	"delete-pod": func(sim *simulation) {
		for _, j := range sim.storedJobs() {
			for _, pod := range sim.api.PodsOf(j.Name) {
				sim.api.DeletePod(pod.Name)
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

// loseNode has every node fall silent that a pod is on. It is given up, and a few rounds
// later somebody says that nothing runs on it any more.
func (sim *simulation) loseNode() {
	for _, object := range sim.api.Stored("pods") {
		pod := object.(*corev1.Pod)
		name := pod.Labels[batchv1.JobNameLabel]
		if pod.Status.Phase != corev1.PodRunning || sim.lost[pod.Name] {
			continue
		}
		sim.lost[pod.Name] = true
		sim.api.LoseNode(name, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
		sim.api.DeletePod(pod.Name)
	}
	sim.restore(func() {
		for _, object := range sim.api.Stored("pods") {
			if name := object.(*corev1.Pod).Name; sim.lost[name] {
				delete(sim.lost, name)
				sim.api.GiveUpPod(name)
			}
		}
	})
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
