package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// stage is a namespace in which a script is played.
type stage struct {
	*testing.T
	client    kubernetes.Interface
	namespace string
	job       *batchv1.Job

	mu sync.Mutex
	// news are of three watches. Versions tell in which order they came about.
	news []sighting
	// steps are those that were begun, each with the newest version of before.
	steps []sighting
	// warned are the warnings that were seen.
	warned map[string]bool
}

// sighting is a piece of news, or a step.
type sighting struct {
	version int
	tell    func(*buildtest.Recorder)
}

func newStage(t *testing.T, client kubernetes.Interface, namespace string, job *batchv1.Job) *stage {
	ctx := t.Context()
	st := &stage{T: t, client: client, namespace: namespace, job: job, warned: map[string]bool{}}
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: constants.BuilderServiceAccount}}
	_, err = client.CoreV1().ServiceAccounts(namespace).Create(ctx, account, metav1.CreateOptions{})
	require.NoError(t, err)
	jobs, err := client.BatchV1().Jobs(namespace).Watch(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	pods, err := client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	events, err := client.CoreV1().Events(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "type=Warning"})
	require.NoError(t, err)
	for _, watcher := range []watch.Interface{jobs, pods, events} {
		t.Cleanup(watcher.Stop)
		go func() {
			for event := range watcher.ResultChan() {
				st.see(event)
			}
		}()
	}
	return st
}

// see takes notice of a piece of news.
func (st *stage) see(event watch.Event) {
	accessor, err := meta.Accessor(event.Object)
	if err != nil {
		return // the watch is at its end
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	version, err := strconv.Atoi(accessor.GetResourceVersion())
	if err != nil {
		return
	}
	gone := event.Type == watch.Deleted
	news := sighting{version: version}
	switch object := event.Object.(type) {
	case *batchv1.Job:
		news.tell = func(r *buildtest.Recorder) { r.SeeJob(object) }
		if gone {
			news.tell = func(r *buildtest.Recorder) { r.SeeJob(nil) }
		}
	case *corev1.Pod:
		news.tell = func(r *buildtest.Recorder) { r.SeePod(object, gone) }
	case *corev1.Event:
		message := regexp.MustCompile(st.namespace+`-[a-z0-9]*`).ReplaceAllString(object.Message, "POD")
		// What the scheduler has to say of pods is not looked at.
		if object.InvolvedObject.Kind != "Job" || st.warned[object.Reason+message] {
			return
		}
		st.warned[object.Reason+message] = true
		news.tell = func(r *buildtest.Recorder) { r.Warned(object.Reason, message) }
	}
	st.news = append(st.news, news)
}

// begin begins a step.
func (st *stage) begin(do string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	newest := 0
	for _, one := range st.news {
		newest = max(newest, one.version)
	}
	st.steps = append(st.steps, sighting{newest, func(r *buildtest.Recorder) { r.Next(do) }})
}

// seen is what was seen of the last step so far.
func (st *stage) seen() buildtest.JobStep {
	st.mu.Lock()
	defer st.mu.Unlock()
	// A step comes after the news of the same version.
	all := append(slices.Clone(st.news), st.steps...)
	slices.SortStableFunc(all, func(x, y sighting) int { return cmp.Compare(x.version, y.version) })
	var recorder buildtest.Recorder
	for _, one := range all {
		one.tell(&recorder)
	}
	return recorder.Seen()
}

// pod is the newest.
func (st *stage) pod() *corev1.Pod {
	st.Helper()
	list, err := st.client.CoreV1().Pods(st.namespace).List(st.Context(), metav1.ListOptions{})
	require.NoError(st, err)
	require.NotEmpty(st, list.Items)
	return slices.MaxFunc(podsIn(list), func(x, y *corev1.Pod) int { return x.CreationTimestamp.Compare(y.CreationTimestamp.Time) })
}

func podsIn(list *corev1.PodList) (pods []*corev1.Pod) {
	for i := range list.Items {
		pods = append(pods, &list.Items[i])
	}
	return pods
}

// report writes of a pod's status what a node, or who speaks for it, does.
func (st *stage) report(pod *corev1.Pod, status map[string]any) {
	st.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	require.NoError(st, err)
	_, err = st.client.CoreV1().Pods(st.namespace).Patch(st.Context(), pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	require.NoError(st, err)
}

func (st *stage) deletePod(pod *corev1.Pod, grace *int64) {
	st.Helper()
	options := metav1.DeleteOptions{GracePeriodSeconds: grace, Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
	require.NoError(st, ignoreMissing(st.client.CoreV1().Pods(st.namespace).Delete(st.Context(), pod.Name, options)))
}

func (st *stage) do(step string) {
	st.Helper()
	verb, object, _ := strings.Cut(step, " ")
	switch verb {
	case "quota":
		st.setQuota()
	case "allow":
		require.NoError(st, st.client.CoreV1().ResourceQuotas(st.namespace).Delete(st.Context(), "quota", metav1.DeleteOptions{}))
	case "pass": // it passes by itself
	case "create":
		_, err := st.client.BatchV1().Jobs(st.namespace).Create(st.Context(), st.job, metav1.CreateOptions{})
		require.NoError(st, err)
	case "suspend":
		_, err := st.client.BatchV1().Jobs(st.namespace).Patch(st.Context(), st.job.Name, types.MergePatchType, []byte(`{"spec":{"suspend":true}}`), metav1.PatchOptions{})
		require.NoError(st, err)
	case "delete":
		if how, ok := strings.CutPrefix(object, "Job "); ok {
			options := metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletionPropagation(how))}
			require.NoError(st, st.client.BatchV1().Jobs(st.namespace).Delete(st.Context(), st.job.Name, options))
			return
		}
		st.deletePod(st.pod(), nil)
	default:
		st.act(verb, object, st.pod())
	}
}

// act does what concerns the newest pod.
func (st *stage) act(verb, object string, pod *corev1.Pod) {
	st.Helper()
	pods := st.client.CoreV1().Pods(st.namespace)
	now := metav1.Now()
	container := func(state corev1.ContainerState) []corev1.ContainerStatus {
		return []corev1.ContainerStatus{{Name: pod.Spec.Containers[0].Name, Image: pod.Spec.Containers[0].Image, State: state}}
	}
	switch verb {
	case "run":
		binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: nodeName}}
		require.NoError(st, pods.Bind(st.Context(), binding, metav1.CreateOptions{}))
		st.report(pod, map[string]any{"phase": corev1.PodRunning, "startTime": now, "containerStatuses": container(corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}})})
	case "end":
		code, err := strconv.ParseInt(object, 10, 32)
		require.NoError(st, err)
		phase := corev1.PodSucceeded
		if code != 0 {
			phase = corev1.PodFailed
		}
		ended := &corev1.ContainerStateTerminated{ExitCode: int32(code), Reason: "Error", StartedAt: now, FinishedAt: now}
		st.report(pod, map[string]any{"phase": phase, "containerStatuses": container(corev1.ContainerState{Terminated: ended})})
	case "confirm":
		st.deletePod(pod, ptr.To[int64](0))
	case "collect":
		st.report(pod, map[string]any{"phase": corev1.PodFailed})
		st.deletePod(pod, ptr.To[int64](0))
	case "evict":
		eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}}
		require.NoError(st, pods.EvictV1(st.Context(), eviction))
	case "lose":
		driven := corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "DeletionByTaintManager", LastTransitionTime: now}
		st.report(pod, map[string]any{"conditions": []corev1.PodCondition{driven}})
		st.deletePod(pod, nil)
	default:
		require.Fail(st, fmt.Sprintf("there is no step %q", verb))
	}
}

// setQuota lets no pods be made. Nobody counts what is used, so that is written as well.
func (st *stage) setQuota() {
	st.Helper()
	none := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	quotas := st.client.CoreV1().ResourceQuotas(st.namespace)
	quota, err := quotas.Create(st.Context(), &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "quota"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}, metav1.CreateOptions{})
	require.NoError(st, err)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	_, err = quotas.UpdateStatus(st.Context(), quota, metav1.UpdateOptions{})
	require.NoError(st, err)
}
