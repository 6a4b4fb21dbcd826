package job

import "slices"

// class is what a reason means for a build.
type class int

const (
	// transient: another attempt may succeed.
	transient class = iota
	// permanent: another attempt at the same fails in the same way.
	permanent
	// stuck: the build waits to run, and goes on waiting until what is named changes.
	stuck
)

// Reasons that are ours, beside those of Kubernetes.
const (
	reasonPodDeleted       = "PodDeleted"
	reasonEvictedOverLimit = "EvictedOverLimit"
	reasonKilled           = "Killed"
	reasonTerminated       = "Terminated"
	reasonBuilderFailed    = "BuilderFailed"
	reasonPodFailed        = "PodFailed"
	reasonDisrupted        = "Disrupted"
	reasonJobDeadline      = "JobDeadlineExceeded"
	reasonPullFailed       = "PullImageFailed"
	reasonPushFailed       = "PushImageFailed"
	reasonOOM              = "OOMKilled"
	reasonFailedCreate     = "FailedCreate"
	reasonOutOfSpace       = "NoSpace"
	reasonInputs           = "InputsInvalid"
	reasonImageUnusable    = "BuilderImageUnusable"
	reasonStepFailed       = "BuildStepFailed"
	reasonCreating         = "ContainerCreating"
	reasonPodsUnknown      = "PodsUnknown"
	reasonEventsUnknown    = "EventsUnknown"
)

// verdict is a row of the table of reasons. Says is for where nobody gave a message.
type verdict struct {
	reason string
	class  class
	says   string
}

// verdicts is the table: all that a Job, its pod, the node and the script can tell of a
// build, and what it means. The reasons of Kubernetes bear the names that it has for them.
var verdicts = []verdict{
	// The script's, see README.md.
	{reasonInputs, permanent, "the inputs of the build are not as they were made"},
	{reasonPullFailed, transient, "an image could not be pulled"},
	{reasonImageUnusable, permanent, "the builder image lacks what a build needs; see jobBuilderImage"},
	{reasonStepFailed, permanent, "a step of the Containerfile failed"},
	{reasonPushFailed, transient, "the image could not be pushed"},
	{reasonOutOfSpace, transient, "the disk of the node is full"},
	{reasonTerminated, transient, "the pod was told to end, as by a node that shuts down"},
	// The container's.
	{reasonOOM, permanent, "the build needs more memory than its container may have; raise jobLimits"},
	{"StartError", permanent, "the container runtime could not start the builder; see jobBuilderImage"},
	{"ContainerCannotRun", permanent, "the container runtime could not start the builder; see jobBuilderImage"},
	{"ContainerStatusUnknown", transient, "the node lost track of the container, as after a crash"},
	{reasonKilled, transient, "the container was killed"},
	{reasonBuilderFailed, transient, "the builder ended without saying why"},
	// The pod's.
	{"DeadlineExceeded", transient, "the build did not end within its deadline"},
	{reasonEvictedOverLimit, permanent, "the node evicted the pod because it used more storage than it may"},
	{"NodeLost", transient, "the node of the pod was lost"},
	{"NodeAffinity", transient, "the node did not accept the pod"},
	{"NodeShutdown", transient, "the node shuts down"},
	{"Preempting", transient, "the node needed room for a pod of higher priority"},
	{"Shutdown", transient, "the node shuts down"},
	{"UnexpectedAdmissionError", transient, "the node did not accept the pod"},
	{"OutOfcpu", transient, "the node did not accept the pod"},
	{"OutOfmemory", transient, "the node did not accept the pod"},
	{"OutOfpods", transient, "the node did not accept the pod"},
	{"OutOfephemeral-storage", transient, "the node did not accept the pod"},
	{reasonPodDeleted, transient, "somebody deleted the pod"},
	{reasonPodFailed, transient, "the pod failed, and nothing says why"},
	// Disruptions: the Job goes on with another pod, unless it has come to its own end.
	{"EvictionByEvictionAPI", transient, "the node was drained"},
	{"TerminationByKubelet", transient, "the node was short of something, or shut down"},
	{"DeletionByTaintManager", transient, "the node could not be reached, or was tainted"},
	{"PreemptionByScheduler", transient, "a pod of higher priority needed the room"},
	{"DeletionByPodGC", transient, "the node is gone"},
	{reasonDisrupted, transient, "the pod was driven from its node"},
	// The Job's.
	{"BackoffLimitExceeded", transient, "the pod failed and is gone, with what it said"},
	{reasonJobDeadline, transient, "neither the pod nor any that took its place came to an end"},
	{"PodFailurePolicy", transient, "the pod failed"},
	// What keeps a pod from starting.
	{reasonFailedCreate, stuck, "the pod could not be created"},
	{reasonPodsUnknown, stuck, "the pods of Jobs cannot be watched"},
	{reasonEventsUnknown, stuck, "the events of the namespace cannot be watched"},
	{"Unschedulable", stuck, "no node can take the pod"},
	{"SchedulingGated", stuck, "somebody holds the pod back"},
	{"FailedScheduling", stuck, "no node can take the pod"},
	{reasonCreating, stuck, "the container is being created"},
	{"PodInitializing", stuck, "the pod is being set up"},
	{"FailedMount", stuck, "a volume of the pod cannot be mounted"},
	{"FailedAttachVolume", stuck, "a volume of the pod cannot be attached"},
	{"FailedCreatePodSandBox", stuck, "the node cannot make the pod's sandbox"},
	{"FailedCreatePodContainer", stuck, "the node cannot make the pod's container"},
	{"NetworkNotReady", stuck, "the node has no network for pods"},
	{"ErrImagePull", stuck, "the builder image cannot be pulled"},
	{"ImagePullBackOff", stuck, "the builder image cannot be pulled"},
	{"InvalidImageName", stuck, "the name of the builder image is not valid; see jobBuilderImage"},
	{"ErrImageNeverPull", stuck, "the builder image is not on the node"},
	{"ImageInspectError", stuck, "the builder image on the node is damaged"},
	{"RegistryUnavailable", stuck, "the registry of the builder image does not answer"},
	{"SignatureValidationFailed", stuck, "the signature of the builder image is not what the node's policy asks for"},
	{"CreateContainerConfigError", stuck, "the container's configuration cannot be used"},
	{"CreateContainerError", stuck, "the container runtime refuses the container"},
	{"RunContainerError", stuck, "the container runtime cannot run the container"},
}

var verdictOf = func() map[string]*verdict {
	byReason := make(map[string]*verdict, len(verdicts))
	for i := range verdicts {
		byReason[verdicts[i].reason] = &verdicts[i]
	}
	return byReason
}()

// isTransient tells of the reason of a build that ended. One that is not in the table is
// the node's or a runtime's, and not the build's.
func isTransient(reason string) bool {
	v := verdictOf[reason]
	return v == nil || v.class == transient
}

// sentence is the message, or what the table says where there is none.
func sentence(reason, message string) string {
	if v := verdictOf[reason]; message == "" && v != nil {
		return v.says
	}
	return message
}

// Reasons implements imagebuilder.ImageBuilder.
func (b *Builder) Reasons() []string {
	var reasons []string
	for i := range verdicts {
		if verdicts[i].class != stuck {
			reasons = append(reasons, verdicts[i].reason)
		}
	}
	slices.Sort(reasons)
	return reasons
}

// ofExitCode are the reasons of the script's exit codes, should its message be lost.
var ofExitCode = map[int32]string{
	exitInputs: reasonInputs, exitPull: reasonPullFailed, exitImage: reasonImageUnusable, exitBuild: reasonStepFailed,
	exitPush: reasonPushFailed, exitSpace: reasonOutOfSpace, exitMemory: reasonOOM, exitKilled: reasonKilled, exitTerminated: reasonTerminated,
}
