package buildtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// QuotaRefusal is what an API server says to a pod that a quota of none is against.
const QuotaRefusal = `pods "POD" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=0, limited: pods=0`

// jobStage plays scripts with the JobSystem.
type jobStage struct {
	Recorder
	api    *API
	clock  *clocktesting.FakeClock
	system *JobSystem
	job    *batchv1.Job
	pods   map[string]*corev1.Pod
	quota  string
	warned map[string]bool
}

// PlayJob plays a script with the JobSystem, and returns what was seen of each step.
func PlayJob(script *JobScript, job *batchv1.Job) (seen []JobStep) {
	clock := clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := &jobStage{clock: clock, api: NewAPI(clock), job: job.DeepCopy(), pods: map[string]*corev1.Pod{}, warned: map[string]bool{}}
	// Its owner is nobody that is there.
	s.job.Namespace, s.job.OwnerReferences = ctrlcommon.MCONamespace, nil
	if script.Edit != nil {
		script.Edit(s.job)
	}
	s.system = NewJobSystem(s.api)
	s.system.Refuse = func(*batchv1.Job) string { return s.quota }
	for _, step := range script.Steps {
		s.Next(step)
		for one := range strings.SplitSeq(step, " and ") {
			s.do(one)
			if !script.Racy {
				s.look()
			}
		}
		for s.look(); s.goesOn(); s.look() {
			// One write at a time.
			continue
		}
		seen = append(seen, s.Seen())
	}
	return seen
}

func (s *jobStage) goesOn() bool {
	for _, job := range s.api.Jobs() {
		if s.system.Sync(job.Name) {
			return true
		}
	}
	return s.system.SyncOrphans() || s.api.CollectGarbage()
}

// look records what is there, and what is not there any more.
func (s *jobStage) look() {
	if jobs := s.api.Jobs(); len(jobs) > 0 {
		s.SeeJob(jobs[0])
	} else if s.Recorder.job != "" {
		s.SeeJob(nil)
	}
	there := map[string]bool{}
	for _, pod := range s.api.PodsOf(s.job.Name) {
		there[pod.Name] = true
		s.pods[pod.Name] = pod
		s.SeePod(pod, false)
	}
	for name, pod := range s.pods {
		if !there[name] {
			s.SeePod(pod, true)
		}
	}
	for _, object := range s.api.All("events") {
		if event := object.(*corev1.Event); !s.warned[event.Name] {
			s.warned[event.Name] = true
			s.Warned(event.Reason, event.Message)
		}
	}
}

func (s *jobStage) do(step string) {
	verb, object, _ := strings.Cut(step, " ")
	name := s.job.Name
	switch {
	case verb == "create":
		s.job.CreationTimestamp = s.api.now()
		s.api.Put(s.job)
	case verb == "run":
		s.api.RunJob(name)
	case verb == "end":
		code, err := strconv.ParseInt(object, 10, 32)
		if err != nil {
			panic(err)
		}
		s.api.EndPod(name, int32(code), "Error", "")
	case verb == "confirm":
		s.api.ConfirmPod(s.newest())
	case verb == "collect":
		s.api.GiveUpPod(s.newest())
		s.look()
		s.api.ConfirmPod(s.newest())
	case step == "delete pod":
		s.api.DeletePod(s.newest())
	case verb == "evict" || verb == "lose":
		s.api.LoseNode(name, "EvictionByEvictionAPI", "Eviction API: evicting")
		s.look()
		s.api.DeletePod(s.newest())
	case verb == "suspend":
		s.api.EditJob(name, func(job *batchv1.Job) { job.Spec.Suspend = ptr.To(true) })
	case verb == "delete":
		_, how, _ := strings.Cut(object, " ")
		s.api.DeleteJob(name, metav1.DeletionPropagation(how))
	case verb == "quota":
		s.quota = QuotaRefusal
	case verb == "allow":
		s.quota = ""
	case verb == "pass":
		s.pass()
	default:
		panic(fmt.Sprintf("there is no step %q", step))
	}
}

// pass goes on to the instant at which the Job controller has something to do.
func (s *jobStage) pass() {
	if due := s.system.Due(s.job.Name); due.After(s.clock.Now()) {
		s.clock.SetTime(due)
	}
}

func (s *jobStage) newest() string {
	pods := s.api.PodsOf(s.job.Name)
	return pods[len(pods)-1].Name
}
