package node_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/node"
)

const (
	pollInterval = 200 * time.Millisecond
	// patience is generous: a machine may be busy.
	patience = 2 * time.Minute
)

// stage is a cluster with a node, for all scripts.
type stage struct {
	cluster *devcluster.Cluster
	client  kubernetes.Interface
	machine machine
	// turns has who is played.
	turns chan struct{}
}

// machine is a node, real or played.
type machine interface {
	KillKubelet(ctx context.Context) error
	StartKubelet(ctx context.Context) error
	KillContainerd(ctx context.Context) error
	StartContainerd(ctx context.Context) error
	Stop() error
}

// scene is a script being played: one Job, and what was seen of it and its pods.
type scene struct {
	*testing.T
	*stage
	name      string
	namespace string

	mu   sync.Mutex
	pods []*corev1.Pod // the last state of each, in order of creation
	gone map[types.UID]bool
}

// newJob is a Job as the backend makes them, with one container that does what its arguments say.
func newJob(name string, args ...string) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: batchv1.JobSpec{
			BackoffLimit:         ptr.To(int32(0)),
			PodReplacementPolicy: ptr.To(batchv1.Failed),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
				Action:          batchv1.PodFailurePolicyActionIgnore,
				OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}},
			}}},
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy:                 corev1.RestartPolicyNever,
				HostNetwork:                   true,
				AutomountServiceAccountToken:  ptr.To(false),
				TerminationGracePeriodSeconds: ptr.To(int64(2)),
				Containers: []corev1.Container{{
					Name: "build", Image: node.HelperImage, ImagePullPolicy: corev1.PullIfNotPresent,
					Args:                     append([]string{"act"}, args...),
					TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
				}},
			}},
		},
	}
}

// perform creates the Job, follows it, and has the script act.
func (st *stage) perform(t *testing.T, s script) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	name := strings.ToLower(strings.ReplaceAll(s.name, " ", "-"))
	sc := &scene{T: t, stage: st, name: name, namespace: devcluster.Namespace, gone: map[types.UID]bool{}}
	if s.namespace != nil {
		sc.namespace = name
		namespace := s.namespace()
		namespace.Name = name
		_, err := st.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
		require.NoError(t, err)
		sc.until(ctx, "a service account", func(ctx context.Context) bool {
			_, err := st.client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
			return err == nil
		})
	}
	if s.quota {
		sc.setQuota(ctx)
	}
	job := newJob(name, s.args...)
	pod := &job.Spec.Template.Spec
	if s.job != nil {
		s.job(st, job, pod, &pod.Containers[0])
	}
	stop := sc.follow(ctx)
	defer stop()
	began := time.Now()
	_, err := st.client.BatchV1().Jobs(sc.namespace).Create(ctx, job, metav1.CreateOptions{})
	require.NoError(t, err)
	if s.then != nil {
		s.then(ctx, sc)
	}
	seen := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		states := sc.states(ctx)
		isEnd := func(end []string) bool { return slices.Equal(end, states) }
		return (isEnd(s.states) || slices.ContainsFunc(s.busy, isEnd)) && containsAll(sc.events(ctx), s.events), nil
	})
	if seen != nil {
		states, events := sc.states(t.Context()), sc.events(t.Context())
		t.Logf("states:\n%s\nevents:\n%s", strings.Join(states, "\n"), strings.Join(events, "\n"))
		assert.Equal(t, strings.Join(s.states, "\n"), strings.Join(states, "\n"), s.reason)
		assert.Subset(t, events, s.events, s.reason)
	}
	t.Logf("%.1f s", time.Since(began).Seconds())
	err = st.client.BatchV1().Jobs(sc.namespace).Delete(t.Context(), name, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)})
	if !apierrors.IsNotFound(err) {
		require.NoError(t, err)
	}
}

func containsAll(have, want []string) bool {
	for _, line := range want {
		if !slices.Contains(have, line) {
			return false
		}
	}
	return true
}

// follow remembers the last state of every pod of the Job, since those that end are often gone at once.
func (sc *scene) follow(ctx context.Context) (stop func()) {
	watcher, err := sc.client.CoreV1().Pods(sc.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + sc.name})
	require.NoError(sc, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			if pod, isPod := event.Object.(*corev1.Pod); isPod {
				sc.see(pod, event.Type == watch.Deleted)
			}
		}
	}()
	return func() { watcher.Stop(); <-done }
}

func (sc *scene) see(pod *corev1.Pod, gone bool) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.gone[pod.UID] = gone
	for i, known := range sc.pods {
		if known.UID == pod.UID {
			sc.pods[i] = pod
			return
		}
	}
	sc.pods = append(sc.pods, pod)
}

// states are what the API shows of the Job and its pods, a line each.
func (sc *scene) states(ctx context.Context) []string {
	var lines []string
	job, err := sc.client.BatchV1().Jobs(sc.namespace).Get(ctx, sc.name, metav1.GetOptions{})
	if err != nil {
		lines = append(lines, "job is gone")
	} else {
		lines = append(lines, fmt.Sprintf("job active %d, failed %d, succeeded %d", job.Status.Active, job.Status.Failed, job.Status.Succeeded))
		for _, condition := range job.Status.Conditions {
			if condition.Status == corev1.ConditionTrue {
				lines = append(lines, fmt.Sprintf("job is %s: %s: %s", condition.Type, condition.Reason, condition.Message))
			}
		}
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	for _, pod := range sc.pods {
		lines = append(lines, podLines(pod, sc.gone[pod.UID])...)
	}
	for i, line := range lines {
		lines[i] = sc.plain(line)
	}
	return lines
}

func podLines(pod *corev1.Pod, gone bool) []string {
	line := "pod " + string(pod.Status.Phase)
	if gone {
		line += ", gone"
	} else if pod.DeletionTimestamp != nil {
		line += ", terminating"
	}
	if pod.Status.Reason != "" {
		line += fmt.Sprintf(": %s: %s", pod.Status.Reason, pod.Status.Message)
	}
	lines := []string{line}
	for _, condition := range pod.Status.Conditions {
		scheduled := condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse
		if scheduled || condition.Type == corev1.DisruptionTarget && condition.Status == corev1.ConditionTrue {
			lines = append(lines, fmt.Sprintf("pod's %s is %s: %s: %s", condition.Type, condition.Status, condition.Reason, condition.Message))
		}
	}
	for _, container := range pod.Status.ContainerStatuses {
		state := container.State
		switch {
		case state.Waiting != nil:
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("container waits: %s: %s", state.Waiting.Reason, state.Waiting.Message), ": "))
		case state.Running != nil:
			lines = append(lines, "container runs")
		case state.Terminated != nil:
			ended := state.Terminated
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("container ended with %d: %s: %s", ended.ExitCode, ended.Reason, strings.TrimSpace(ended.Message)), ": "))
		}
	}
	return lines
}

// events are the warnings about Job and pods.
func (sc *scene) events(ctx context.Context) []string {
	list, err := sc.client.CoreV1().Events(sc.namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning"})
	if err != nil {
		return nil // time is up
	}
	var lines []string
	for i := range list.Items {
		event := &list.Items[i]
		if name := event.InvolvedObject.Name; name != sc.name && !podName(sc.name).MatchString(name) {
			continue
		}
		line := sc.plain(fmt.Sprintf("%s %s: %s", strings.ToLower(event.InvolvedObject.Kind), event.Reason, event.Message))
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func podName(job string) *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(job) + `-[a-z0-9]{5}`)
}

// sizes are of measurements that differ from run to run.
var (
	uids  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	hexes = regexp.MustCompile(`[0-9a-f]{64}`)
)

// plain takes out what differs from run to run.
func (sc *scene) plain(text string) string {
	text = podName(sc.name).ReplaceAllString(text, "POD")
	text = strings.ReplaceAll(text, sc.name, "JOB")
	text = strings.ReplaceAll(text, sc.cluster.Registry().Host(), "REGISTRY")
	text = uids.ReplaceAllString(text, "UID")
	text = hexes.ReplaceAllString(text, "HEX")
	return strings.ReplaceAll(text, sc.namespace, "NAMESPACE")
}

func (sc *scene) until(ctx context.Context, what string, condition func(context.Context) bool) {
	sc.Helper()
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) { return condition(ctx), nil })
	if err != nil {
		sc.Logf("seen: %s", strings.Join(append(sc.states(sc.Context()), sc.events(sc.Context())...), "\n"))
	}
	require.NoError(sc, err, "could not wait for %s", what)
}

// untilLine waits until a line is among the states.
func (sc *scene) untilLine(ctx context.Context, line string) {
	sc.Helper()
	sc.until(ctx, line, func(ctx context.Context) bool { return slices.Contains(sc.states(ctx), line) })
}

// untilEvent waits until a warning is there. The kubelet tries at its own pace.
func (sc *scene) untilEvent(ctx context.Context, line string) {
	sc.Helper()
	sc.until(ctx, line, func(ctx context.Context) bool { return slices.Contains(sc.events(ctx), line) })
}

// pod is the last one.
func (sc *scene) pod() *corev1.Pod {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	require.NotEmpty(sc, sc.pods)
	return sc.pods[len(sc.pods)-1]
}

func (sc *scene) evict(ctx context.Context) {
	pod := sc.pod()
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}}
	require.NoError(sc, sc.client.CoreV1().Pods(pod.Namespace).EvictV1(ctx, eviction))
}

// setQuota lets there be no pods. Nobody counts what is used, so that is written as well.
func (sc *scene) setQuota(ctx context.Context) {
	none := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	quotas := sc.client.CoreV1().ResourceQuotas(sc.namespace)
	quota, err := quotas.Create(ctx, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}, metav1.CreateOptions{})
	require.NoError(sc, err)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	_, err = quotas.UpdateStatus(ctx, quota, metav1.UpdateOptions{})
	require.NoError(sc, err)
}

// setOutOfService taints the node, or takes that back, as an administrator does.
func (sc *scene) setOutOfService(ctx context.Context, out bool) {
	nodes := sc.client.CoreV1().Nodes()
	sc.until(ctx, "the node's taint", func(ctx context.Context) bool {
		known, err := nodes.Get(ctx, node.Name, metav1.GetOptions{})
		require.NoError(sc, err)
		known.Spec.Taints = slices.DeleteFunc(known.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
		if out {
			known.Spec.Taints = append(known.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute})
		}
		_, err = nodes.Update(ctx, known, metav1.UpdateOptions{})
		return err == nil
	})
}

func (sc *scene) patchJob(ctx context.Context, patch string) {
	_, err := sc.client.BatchV1().Jobs(sc.namespace).Patch(ctx, sc.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(sc, err)
}
