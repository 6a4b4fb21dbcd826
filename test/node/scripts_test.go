package node_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// script is something that happens to a build, and what Kubernetes then says.
type script struct {
	name   string
	reason string
	// args are what the container does, see the helper's act.
	args []string
	// job changes the Job.
	job func(st *stage, job *batchv1.Job, pod *corev1.PodSpec, container *corev1.Container)
	// namespace is one for the script alone, and quota tells that it may have no pods.
	namespace func() *corev1.Namespace
	quota     bool
	// then is done once the Job is there.
	then func(ctx context.Context, sc *scene)
	// states are what the API shows in the end, all of it. events are among the warnings.
	states, events []string
	// busy are what it may show instead, where the machine is so busy that the container does
	// not end in the time that it is left, or that the node loses sight of it.
	busy [][]string
}

const running = "container runs"

// mountSecret gives the container a file of a Secret.
func mountSecret(name string) func(*stage, *batchv1.Job, *corev1.PodSpec, *corev1.Container) {
	return func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, container *corev1.Container) {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "inputs", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}})
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: "inputs", MountPath: "/inputs"})
	}
}

func createSecret(name string) func(context.Context, *scene) {
	return func(ctx context.Context, sc *scene) {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{"file": "content"}}
		_, err := sc.client.CoreV1().Secrets(sc.namespace).Create(ctx, secret, metav1.CreateOptions{})
		require.NoError(sc, err)
	}
}

func suspendWhen(line string) func(context.Context, *scene) {
	return func(ctx context.Context, sc *scene) {
		sc.untilLine(ctx, line)
		sc.patchJob(ctx, `{"spec":{"suspend":true}}`)
	}
}

func evictWhenRunning(ctx context.Context, sc *scene) {
	sc.untilLine(ctx, running)
	sc.evict(ctx)
}

const (
	evicted     = "pod's DisruptionTarget is True: EvictionByEvictionAPI: Eviction API: evicting"
	unscheduled = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
	tooLarge    = "0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
	noProgram   = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/none": stat /bin/none: no such file or directory: unknown`
	noRoot      = `container has runAsNonRoot and image will run as root (pod: "POD_NAMESPACE(UID)", container: build)`
	noSecret    = `pod FailedMount: MountVolume.SetUp failed for volume "inputs" : secret "nowhere" not found`
	noLate      = `pod FailedMount: MountVolume.SetUp failed for volume "inputs" : secret "late" not found`
	noImage     = `failed to pull and unpack image "REGISTRY/org/none:1": failed to resolve reference "REGISTRY/org/none:1": REGISTRY/org/none:1: not found`
	noName      = `Failed to apply default image tag "UPPER CASE": couldn't parse image name "UPPER CASE": invalid reference format: repository name (library/UPPER CASE) must be lowercase`
	noPull      = `Container image "localhost/none:1" is not present with pull policy of Never`
	refusedPull = `failed to pull and unpack image "REGISTRY/org/none:2": failed to resolve reference "REGISTRY/org/none:2": pulling from host REGISTRY failed with status code [manifests 2]: 401 Unauthorized`
)

// jobIs are the lines of a Job in its end, and then others.
func jobIs(active, failed, succeeded int, conditions []string, others ...string) []string {
	lines := []string{fmt.Sprintf("job active %d, failed %d, succeeded %d", active, failed, succeeded)}
	return append(append(lines, conditions...), others...)
}

func succeeded(others ...string) []string {
	const why = "CompletionsReached: Reached expected number of succeeded pods"
	return jobIs(0, 0, 1, []string{"job is SuccessCriteriaMet: " + why, "job is Complete: " + why}, others...)
}

func failed(others ...string) []string {
	const why = "BackoffLimitExceeded: Job has reached the specified backoff limit"
	return jobIs(0, 1, 0, []string{"job is FailureTarget: " + why, "job is Failed: " + why}, others...)
}

// busy are the ends that a pod's only container may come to in a hurry.
func busy(pod string) [][]string {
	return [][]string{
		failed(pod, "container ended with 137: Error"),
		failed(pod, "container ended with 137: ContainerStatusUnknown: The container could not be located when the pod was terminated"),
	}
}

func late(others ...string) []string {
	const why = "DeadlineExceeded: Job was active longer than specified deadline"
	return jobIs(0, 1, 0, []string{"job is FailureTarget: " + why, "job is Failed: " + why}, others...)
}

func suspended(others ...string) []string {
	return jobIs(0, 0, 0, []string{"job is Suspended: JobSuspended: Job suspended"}, others...)
}

func active(others ...string) []string { return jobIs(1, 0, 0, nil, others...) }

// scripts can be played at the same time.
var scripts = []script{
	{
		name: "success", reason: "the termination message is where the digest is",
		args:   []string{"say:building", `tell:{"digest":"sha256:0"}`, "exit:0"},
		states: succeeded("pod Succeeded", `container ended with 0: Completed: {"digest":"sha256:0"}`),
	},
	{
		name: "failure", reason: "a code says what failed",
		args:   []string{"say:building", `tell:{"step":"push"}`, "exit:31"},
		states: failed("pod Failed", `container ended with 31: Error: {"step":"push"}`),
	},
	{
		name: "failure without a word", reason: "the log's end stands in for the message",
		args:   []string{"say:something is wrong", "exit:1"},
		states: failed("pod Failed", "container ended with 1: Error: something is wrong"),
	},
	{
		name: "no such command", reason: "an image that is no builder",
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Command = []string{"/bin/none"}
		},
		states: failed("pod Failed", "container ended with 128: StartError: "+noProgram),
	},
	{
		name: "drain", reason: "a builder that fails on SIGTERM is replaced when it has ended, and the Job goes on",
		args:   []string{"trap:143", "sleep:600"},
		then:   evictWhenRunning,
		states: active("pod Failed, gone", evicted, "container ended with 143: Error", "pod Running", running),
	},
	{
		name: "drain of a deaf builder", reason: "who does not end in time is killed, with the same outcome",
		args:   []string{"deaf:", "sleep:600"},
		then:   evictWhenRunning,
		states: active("pod Failed, gone", evicted, "container ended with 137: Error", "pod Running", running),
	},
	{
		name: "drain of a builder that ends well", reason: "a pod that succeeds completes the Job, evicted or not",
		args:   []string{"trap:0", "sleep:600"},
		then:   evictWhenRunning,
		states: succeeded("pod Succeeded, gone", evicted, "container ended with 0: Completed"),
	},
	{
		name: "deleted pod", reason: "without DisruptionTarget it is a failure",
		args: []string{"trap:143", "sleep:600"},
		then: func(ctx context.Context, sc *scene) {
			sc.untilLine(ctx, running)
			require.NoError(sc, sc.client.CoreV1().Pods(sc.namespace).Delete(ctx, sc.pod().Name, metav1.DeleteOptions{}))
		},
		states: failed("pod Failed, gone", "container ended with 143: Error"),
	},
	{
		name: "out of memory", reason: "the kernel ends it",
		args: []string{"say:building", "hog:"},
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
		},
		states: failed("pod Failed", "container ended with 137: OOMKilled: building"),
	},
	{
		name: "full emptyDir", reason: "its own limit is no disruption",
		args: []string{"fill:/work/file"},
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, container *corev1.Container) {
			pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse("8Mi"))}}})
			container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: "work", MountPath: "/work"})
		},
		states: failed(`pod Failed: Evicted: Usage of EmptyDir volume "work" exceeds the limit "8Mi". `, "container ended with 2: Error"),
		busy:   busy(`pod Failed: Evicted: Usage of EmptyDir volume "work" exceeds the limit "8Mi". `),
		events: []string{`pod Evicted: Usage of EmptyDir volume "work" exceeds the limit "8Mi". `},
	},
	{
		name: "full disk of the container", reason: "the limit of ephemeral storage is no disruption either",
		args: []string{"fill:/file"},
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("8Mi")}
		},
		states: failed("pod Failed: Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 8Mi. ", "container ended with 2: Error"),
		busy:   busy("pod Failed: Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 8Mi. "),
		events: []string{"pod Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 8Mi. "},
	},
	{
		name: "no such image", reason: "the registry's answer is in the container's state",
		job: func(st *stage, _ *batchv1.Job, pod *corev1.PodSpec, container *corev1.Container) {
			container.Image = st.cluster.Registry().Host() + "/org/none:1"
			pod.ImagePullSecrets = []corev1.LocalObjectReference{{Name: pullSecret}}
		},
		states: active("pod Pending", `container waits: ImagePullBackOff: Back-off pulling image "REGISTRY/org/none:1": ErrImagePull: rpc error: code = NotFound desc = `+noImage),
		events: []string{`pod Failed: Failed to pull image "REGISTRY/org/none:1": rpc error: code = NotFound desc = ` + noImage, "pod Failed: Error: ErrImagePull"},
	},
	{
		name: "image without credentials", reason: "a refusal and a missing image are told apart",
		job: func(st *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Image = st.cluster.Registry().Host() + "/org/none:2"
		},
		states: active("pod Pending", `container waits: ImagePullBackOff: Back-off pulling image "REGISTRY/org/none:2": ErrImagePull: `+refusedPull),
		events: []string{`pod Failed: Failed to pull image "REGISTRY/org/none:2": ` + refusedPull, "pod Failed: Error: ErrImagePull"},
	},
	{
		name: "image that must be there", reason: "nobody tries to pull it",
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Image, container.ImagePullPolicy = "localhost/none:1", corev1.PullNever
		},
		states: active("pod Pending", "container waits: ErrImageNeverPull: "+noPull),
		events: []string{"pod ErrImageNeverPull: " + noPull},
	},
	{
		name: "no image", reason: "a name that is none",
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Image = "UPPER CASE"
		},
		states: active("pod Pending", "container waits: InvalidImageName: "+noName),
		events: []string{"pod InspectFailed: " + noName},
	},
	{
		name: "missing Secret", reason: "only an event says why the pod waits",
		job:    mountSecret("nowhere"),
		states: active("pod Pending", "container waits: ContainerCreating"),
		events: []string{noSecret},
	},
	{
		name: "late Secret", reason: "the kubelet tries again by itself",
		args: []string{"need:/inputs/file", "tell:done"},
		job:  mountSecret("late"),
		then: func(ctx context.Context, sc *scene) {
			sc.untilEvent(ctx, noLate)
			createSecret("late")(ctx, sc)
		},
		states: succeeded("pod Succeeded", "container ended with 0: Completed: done"),
		events: []string{noLate},
	},
	{
		name: "missing key", reason: "environment from a Secret that is not there is a container that cannot be configured",
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			selector := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "nowhere"}, Key: "key"}
			container.Env = []corev1.EnvVar{{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: selector}}}
		},
		states: active("pod Pending", `container waits: CreateContainerConfigError: secret "nowhere" not found`),
		events: []string{`pod Failed: Error: secret "nowhere" not found`},
	},
	{
		name: "root is refused", reason: "the image's user is root, and the pod may not be",
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, _ *corev1.Container) {
			pod.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true)}
		},
		states: active("pod Pending", "container waits: CreateContainerConfigError: "+noRoot),
		events: []string{"pod Failed: Error: " + noRoot},
	},
	{
		name: "deadline of the pod", reason: "a running container is ended, and the pod says why",
		args: []string{"trap:143", "say:building", "sleep:600"},
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, _ *corev1.Container) {
			pod.ActiveDeadlineSeconds = ptr.To(int64(4))
		},
		states: failed("pod Failed: DeadlineExceeded: Pod was active on the node longer than the specified deadline", "container ended with 143: Error: building"),
	},
	{
		name: "deadline of the Job", reason: "the pod is deleted, and with it what it said",
		args: []string{"trap:143", "say:building", "sleep:600"},
		job: func(_ *stage, job *batchv1.Job, _ *corev1.PodSpec, _ *corev1.Container) {
			job.Spec.ActiveDeadlineSeconds = ptr.To(int64(4))
		},
		states: late("pod Failed, gone", "container ended with 143: Error: building"),
		events: []string{"job DeadlineExceeded: Job was active longer than specified deadline"},
	},
	{
		name: "suspended while pending", reason: "a pod that never ran is gone at once",
		job: mountSecret("nowhere"),
		then: func(ctx context.Context, sc *scene) {
			sc.untilEvent(ctx, noSecret)
			suspendWhen("container waits: ContainerCreating")(ctx, sc)
		},
		states: suspended("pod Failed, gone", "container ended with 137: ContainerStatusUnknown: The container could not be located when the pod was terminated"),
		events: []string{noSecret},
	},
	{
		name: "suspended while unscheduled", reason: "and so is one without a node",
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, _ *corev1.Container) {
			pod.NodeSelector = map[string]string{"nowhere": ""}
		},
		then:   suspendWhen("pod Pending"),
		states: suspended("pod Pending, gone", "pod's PodScheduled is False: Unschedulable: "+unscheduled),
	},
	{
		name: "suspended while running", reason: "the builder is ended, and counts neither as failed nor as succeeded",
		args:   []string{"trap:143", "sleep:600"},
		then:   suspendWhen(running),
		states: suspended("pod Failed, gone", "container ended with 143: Error"),
	},
	{
		name: "suspended and well", reason: "the message of a builder that succeeds while it is stopped can still be read by who watches",
		args:   []string{"trap:0", "tell:done", "sleep:600"},
		then:   suspendWhen(running),
		states: suspended("pod Succeeded, gone", "container ended with 0: Completed: done"),
	},
	{
		name: "no node fits", reason: "the scheduler says why",
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, _ *corev1.Container) {
			pod.NodeSelector = map[string]string{"nowhere": ""}
		},
		states: active("pod Pending", "pod's PodScheduled is False: Unschedulable: "+unscheduled),
		events: []string{"pod FailedScheduling: " + unscheduled},
	},
	{
		name: "too large", reason: "as it does for resources",
		job: func(_ *stage, _ *batchv1.Job, _ *corev1.PodSpec, container *corev1.Container) {
			container.Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("10Ti")}
		},
		states: active("pod Pending", "pod's PodScheduled is False: Unschedulable: "+tooLarge),
		events: []string{"pod FailedScheduling: " + tooLarge},
	},
	{
		name: "refused by pod security", reason: "there is no pod, and only an event says why",
		namespace: func() *corev1.Namespace {
			return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"pod-security.kubernetes.io/enforce": "baseline"}}}
		},
		states: jobIs(0, 0, 0, nil),
		events: []string{`job FailedCreate: Error creating: pods "POD" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`},
	},
	{
		name: "refused by a quota", reason: "likewise",
		namespace: func() *corev1.Namespace { return &corev1.Namespace{} }, quota: true,
		states: jobIs(0, 0, 0, nil),
		events: []string{`job FailedCreate: Error creating: pods "POD" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0`},
	},
	{
		name: "no service account", reason: "likewise",
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, _ *corev1.Container) {
			pod.ServiceAccountName = "nobody"
		},
		states: jobIs(0, 0, 0, nil),
		events: []string{`job FailedCreate: Error creating: pods "JOB-" is forbidden: error looking up service account NAMESPACE/nobody: serviceaccount "nobody" not found`},
	},
	{
		name: "no priority class", reason: "likewise",
		job: func(_ *stage, _ *batchv1.Job, pod *corev1.PodSpec, _ *corev1.Container) {
			pod.PriorityClassName = "none"
		},
		states: jobIs(0, 0, 0, nil),
		events: []string{`job FailedCreate: Error creating: pods "JOB-" is forbidden: no PriorityClass with name none was found`},
	},
	{
		name: "deleted Job", reason: "the pod goes with its grace period, by the garbage collector",
		args: []string{"trap:143", "sleep:600"},
		then: func(ctx context.Context, sc *scene) {
			sc.untilLine(ctx, running)
			policy := metav1.DeletePropagationBackground
			require.NoError(sc, sc.client.BatchV1().Jobs(sc.namespace).Delete(ctx, sc.name, metav1.DeleteOptions{PropagationPolicy: &policy}))
		},
		states: []string{"job is gone", "pod Failed, gone", "container ended with 143: Error"},
	},
}

// pullSecret has the credentials of the registry.
const pullSecret = "pull"

// crashes concern all pods of the node, so each is played alone.
var crashes = []script{
	{
		name: "kubelet killed and back", reason: "pods run on, and what ended meanwhile is told later",
		args: []string{"say:building", "sleep:3", "tell:done"},
		then: func(ctx context.Context, sc *scene) {
			sc.untilLine(ctx, running)
			require.NoError(sc, sc.machine.KillKubelet(ctx))
			time.Sleep(4 * time.Second)
			require.NoError(sc, sc.machine.StartKubelet(ctx))
		},
		states: succeeded("pod Succeeded", "container ended with 0: Completed: done"),
	},
	{
		name: "node given up", reason: "the pod is taken for failed by who speaks for the node, and another one builds when there is a node again",
		args: []string{"trap:143", "sleep:600"},
		then: func(ctx context.Context, sc *scene) {
			sc.untilLine(ctx, running)
			require.NoError(sc, sc.machine.KillKubelet(ctx))
			sc.setOutOfService(ctx, true)
			sc.untilLine(ctx, "pod Failed, gone")
			sc.setOutOfService(ctx, false)
			require.NoError(sc, sc.machine.StartKubelet(ctx))
		},
		states: active("pod Failed, gone", "pod's DisruptionTarget is True: DeletionByTaintManager: Taint manager: deleting due to NoExecute taint", running, "pod Running", running),
	},
	{
		name: "containerd killed and back", reason: "shims keep containers",
		args: []string{"say:building", "sleep:3", "tell:done"},
		then: func(ctx context.Context, sc *scene) {
			sc.untilLine(ctx, running)
			require.NoError(sc, sc.machine.KillContainerd(ctx))
			time.Sleep(time.Second)
			require.NoError(sc, sc.machine.StartContainerd(ctx))
		},
		states: succeeded("pod Succeeded", "container ended with 0: Completed: done"),
	},
}
