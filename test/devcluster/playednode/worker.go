package playednode

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
)

// worker is what a kubelet does about one pod.
type worker struct {
	node      *Node
	pod       *corev1.Pod // as it was scheduled; its spec does not change
	container *corev1.Container
	started   metav1.Time

	// stopping is closed when the pod is being deleted, with the grace that it has then.
	stopping chan struct{}
	once     sync.Once
	grace    int64
	deadline <-chan time.Time
}

func newWorker(n *Node, pod *corev1.Pod) *worker {
	return &worker{node: n, pod: pod, container: &pod.Spec.Containers[0], stopping: make(chan struct{})}
}

func (w *worker) stop(grace int64) {
	w.once.Do(func() {
		w.grace = grace
		close(w.stopping)
	})
}

// end is why a pod comes to its end other than by itself.
type end struct{ reason, message string }

var (
	deleted  = &end{}
	overtime = &end{"DeadlineExceeded", "Pod was active on the node longer than the specified deadline"}
)

func (w *worker) run(ctx context.Context) {
	w.started = metav1.Now()
	if seconds := w.pod.Spec.ActiveDeadlineSeconds; seconds != nil {
		w.deadline = time.After(time.Duration(*seconds) * time.Second)
	}
	w.report(ctx, corev1.PodPending, waiting("ContainerCreating", ""), nil)
	files, why := w.prepare(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case why != nil:
		w.finish(ctx, why, w.ended(137, unknownStatus, "The container could not be located when the pod was terminated"))
		return
	}
	if message := w.refusesToStart(); message != "" {
		w.warn("Failed", "Error: "+message)
		w.finish(ctx, nil, w.ended(128, "StartError", message))
		return
	}
	state, why := w.execute(ctx, files)
	if ctx.Err() != nil {
		return
	}
	w.finish(ctx, why, state)
}

// prepare does what comes before the container, one after another, each until it works. It returns why the pod ended before that.
func (w *worker) prepare(ctx context.Context) (map[string][]byte, *end) {
	files := map[string][]byte{}
	steps := []func(context.Context) *obstacle{
		func(ctx context.Context) *obstacle { return w.mount(ctx, files) },
		w.image,
		w.configure,
	}
	for _, step := range steps {
		backoff := firstBackoff
		for {
			obstacle := step(ctx)
			if obstacle == nil {
				break
			}
			w.report(ctx, corev1.PodPending, obstacle.state, nil)
			for _, e := range obstacle.events {
				w.warn(e.reason, e.message)
			}
			if why := w.pause(ctx, max(backoff, obstacle.retry)); why != nil {
				return nil, why
			}
			if backoff *= 2; backoff > longestWait {
				backoff = longestWait
			}
		}
	}
	return files, nil
}

// pause waits, and says what ended the pod meanwhile.
func (w *worker) pause(ctx context.Context, duration time.Duration) *end {
	select {
	case <-time.After(duration):
		return nil
	case <-w.stopping:
		return deleted
	case <-w.deadline:
		return overtime
	case <-ctx.Done():
		return deleted
	}
}

// execute plays the container.
func (w *worker) execute(ctx context.Context, files map[string][]byte) (corev1.ContainerState, *end) {
	began := metav1.Now()
	w.report(ctx, corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}}, nil)
	terminate := make(chan struct{})
	c := &Container{
		Command: w.container.Command, Args: w.container.Args, Env: map[string]string{}, Files: files, Terminate: terminate,
		written: map[string]int64{}, changed: make(chan struct{}, 1),
	}
	for _, variable := range w.container.Env {
		c.Env[variable.Name] = variable.Value
	}
	killed, kill := context.WithCancel(ctx)
	defer kill()
	done := make(chan int, 1)
	go func() { done <- w.node.opts.Executor.Execute(killed, c) }()

	why, grace := (*end)(nil), ptr.Deref(w.pod.Spec.TerminationGracePeriodSeconds, 30)
	var code int
	ended := false
	for !ended && why == nil {
		select {
		case code = <-done:
			ended = true
		case <-c.changed:
			if w.starved(c) {
				return w.stateOf(c, began, 137, "OOMKilled"), nil
			}
			why = w.full(c)
		case <-w.stopping:
			why, grace = deleted, w.grace
		case <-w.deadline:
			why = overtime
		case <-ctx.Done():
			return corev1.ContainerState{}, deleted
		}
	}
	if !ended {
		close(terminate)
		select {
		case code = <-done:
		case <-time.After(time.Duration(grace) * time.Second):
			code = 137
		case <-ctx.Done():
		}
	}
	reason := "Error"
	if code == 0 {
		reason = "Completed"
	}
	return w.stateOf(c, began, code, reason), why
}

// starved says that the container uses more memory than it may.
func (w *worker) starved(c *Container) bool {
	limit, found := w.container.Resources.Limits[corev1.ResourceMemory]
	c.mu.Lock()
	defer c.mu.Unlock()
	return found && c.memory > limit.Value()
}

// full says which of the pod's own limits is exceeded.
func (w *worker) full(c *Container) *end {
	var mounts []string
	for _, mount := range w.container.VolumeMounts {
		mounts = append(mounts, mount.MountPath)
	}
	var why *end
	for _, volume := range w.pod.Spec.Volumes {
		if volume.EmptyDir == nil || volume.EmptyDir.SizeLimit == nil {
			continue
		}
		for _, mount := range w.container.VolumeMounts {
			if mount.Name == volume.Name && c.size(mount.MountPath) > volume.EmptyDir.SizeLimit.Value() {
				why = &end{"Evicted", fmt.Sprintf("Usage of EmptyDir volume %q exceeds the limit %q. ", volume.Name, volume.EmptyDir.SizeLimit.String())}
			}
		}
	}
	if limit, found := w.container.Resources.Limits[corev1.ResourceEphemeralStorage]; found && c.size("/", mounts...) > limit.Value() {
		why = &end{"Evicted", fmt.Sprintf("Pod ephemeral local storage usage exceeds the total limit of containers %s. ", limit.String())}
	}
	if why != nil {
		w.warn(why.reason, why.message)
	}
	return why
}

// stateOf is the state of a container that has ended, with its message as a kubelet finds it.
func (w *worker) stateOf(c *Container, began metav1.Time, code int, reason string) corev1.ContainerState {
	c.mu.Lock()
	message, log := c.message, c.log.String()
	c.mu.Unlock()
	if message == "" && code != 0 && w.container.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError {
		lines := strings.SplitAfter(log, "\n")
		log = strings.Join(lines[max(0, len(lines)-logTailLines-1):], "")
		message = log[max(0, len(log)-logTail):]
	}
	message = message[:min(len(message), termination)]
	state := w.ended(code, reason, message)
	state.Terminated.StartedAt = began
	return state
}

func (w *worker) ended(code int, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: int32(code), Reason: reason, Message: message, FinishedAt: metav1.Now(), StartedAt: w.started, ContainerID: w.id(),
	}}
}

func (w *worker) id() string { return "played://" + string(w.pod.UID) }

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// finish tells the end of the pod, and of one that is being deleted that it can go.
func (w *worker) finish(ctx context.Context, why *end, state corev1.ContainerState) {
	phase := corev1.PodFailed
	if state.Terminated.ExitCode == 0 && (why == nil || why == deleted) {
		phase = corev1.PodSucceeded
	}
	w.report(ctx, phase, state, why)
	select {
	case <-w.stopping:
	default:
		return // when it is deleted later, there is nothing left to do for us
	}
	options := metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(0)), Preconditions: metav1.NewUIDPreconditions(string(w.pod.UID))}
	w.insist(ctx, func(ctx context.Context) error {
		return w.node.client.CoreV1().Pods(w.pod.Namespace).Delete(ctx, w.pod.Name, options)
	})
}

// report writes the status. What others write, such as the reason of a disruption, stays.
func (w *worker) report(ctx context.Context, phase corev1.PodPhase, state corev1.ContainerState, why *end) {
	running := state.Running != nil
	status := corev1.ContainerStatus{Name: w.container.Name, Image: w.container.Image, State: state, Ready: running, Started: ptr.To(running)}
	if running || state.Terminated != nil {
		status.ContainerID = w.id()
	}
	truth := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}
	var conditions []corev1.PodCondition
	for _, condition := range []struct {
		kind corev1.PodConditionType
		met  bool
	}{
		{corev1.PodReadyToStartContainers, running}, {corev1.PodInitialized, true}, {corev1.ContainersReady, running}, {corev1.PodReady, running},
	} {
		conditions = append(conditions, corev1.PodCondition{Type: condition.kind, Status: truth[condition.met], LastTransitionTime: metav1.Now()})
	}
	full := corev1.PodStatus{
		Phase: phase, StartTime: &w.started, Conditions: conditions, ContainerStatuses: []corev1.ContainerStatus{status}, HostIP: "127.0.0.1",
	}
	if why != nil {
		full.Reason, full.Message = why.reason, why.message
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": w.pod.UID}, "status": full})
	if err != nil {
		return // a status always encodes
	}
	w.insist(ctx, func(ctx context.Context) error {
		_, err := w.node.client.CoreV1().Pods(w.pod.Namespace).Patch(ctx, w.pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
		return err
	})
}

// insist repeats a request until it is answered. A pod that is gone, or is another by now, needs nothing more.
func (w *worker) insist(ctx context.Context, request func(context.Context) error) {
	_ = wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		if err := w.node.awaitUp(ctx); err != nil {
			return false, err
		}
		err := request(ctx)
		return err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsInvalid(err), nil
	})
}

func (w *worker) warn(reason, message string) {
	w.node.recorder.Event(w.pod, corev1.EventTypeWarning, reason, message)
}

// refusesToStart is what a runtime says of a command that is not in an image. An image that is there by name alone has its entry
// point, and the programs that the options name.
func (w *worker) refusesToStart() string {
	if len(w.container.Command) == 0 || !slices.Contains(w.node.opts.Images, w.container.Image) {
		return ""
	}
	program := filepath.Clean(w.container.Command[0])
	if slices.Contains(w.node.opts.Programs, program) {
		return ""
	}
	return fmt.Sprintf("failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "+
		"unable to start container process: exec: %q: stat %s: no such file or directory: unknown", program, program)
}
