package openshift

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"
	buildv1 "github.com/openshift/api/build/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// permanentReasons are why a Build fails again when it is tried again. What
// fails for the network, the registry or a node is not among them, nor are
// reasons that the Build system uses for both.
var permanentReasons = map[buildv1.StatusReason]bool{
	buildv1.StatusReasonDockerBuildFailed:               true,
	buildv1.StatusReasonManageDockerfileFailed:          true,
	buildv1.StatusReasonOutOfMemoryKilled:               true,
	buildv1.StatusReasonUnresolvableEnvironmentVariable: true,
	buildv1.StatusReasonInvalidContextDirectory:         true,
	buildv1.StatusReasonCannotCreateBuildPodSpec:        true,
}

// refusals are how registries, and the clients that ask them, say that the
// credentials are wrong. The Build system has no reason of its own for that.
var refusals = regexp.MustCompile(`(?i)unauthorized|authentication required|invalid username/password|access to the resource is denied|\bdenied: `)

// isRefused tells whether a build failed to pull or push for its credentials,
// which no other attempt with the same ones can help.
func isRefused(status *buildv1.BuildStatus) bool {
	switch status.Reason {
	case buildv1.StatusReasonPushImageToRegistryFailed, buildv1.StatusReasonPullBuilderImageFailed, buildv1.StatusReasonFetchImageContentFailed:
		return refusals.MatchString(status.Message) || refusals.MatchString(status.LogSnippet)
	}
	return false
}

// observation reads a Build. The phase alone decides how far it is: reasons
// appear in phases that are not terminal, and phases may be skipped.
func observation(build *buildv1.Build) imagebuilder.Observation {
	o := identityOf(&build.ObjectMeta)
	status := &build.Status
	o.UID = build.UID
	o.Reason = string(status.Reason)
	o.Message = status.Message
	o.Log = status.LogSnippet
	o.Created = build.CreationTimestamp.Time
	if seconds := build.Spec.CompletionDeadlineSeconds; seconds != nil {
		o.Deadline = time.Duration(*seconds) * time.Second
	}
	if status.StartTimestamp != nil {
		o.Started = status.StartTimestamp.Time
	}
	if status.CompletionTimestamp != nil {
		o.Finished = status.CompletionTimestamp.Time
	}

	switch status.Phase {
	case buildv1.BuildPhaseNew, buildv1.BuildPhasePending, "":
		o.Phase = imagebuilder.PhasePending
		o.Stopping = status.Cancelled
	case buildv1.BuildPhaseRunning:
		o.Phase = imagebuilder.PhaseRunning
		o.Stopping = status.Cancelled
	case buildv1.BuildPhaseComplete:
		o.Phase = imagebuilder.PhaseSucceeded
		o.Image = imageOf(build)
	case buildv1.BuildPhaseCancelled:
		o.Phase = imagebuilder.PhaseStopped
	case buildv1.BuildPhaseFailed, buildv1.BuildPhaseError:
		o.Phase = imagebuilder.PhaseFailed
		o.Transient = !permanentReasons[status.Reason] && !isRefused(status)
	default:
		// The Build system itself treats every other phase as terminal.
		o.Phase = imagebuilder.PhaseFailed
		if o.Reason == "" {
			o.Reason = reasonUnknownPhase
			o.Message = "the Build is in the unknown phase " + strconv.Quote(string(status.Phase))
		}
	}
	return o
}

// identityOf reads what objectMeta wrote.
func identityOf(meta *metav1.ObjectMeta) imagebuilder.Observation {
	// A number that someone spoiled reads as 0; it only serves for messages.
	attempt, _ := strconv.Atoi(meta.Annotations[constants.AttemptAnnotation])
	o := imagebuilder.Observation{
		Name:           buildOf(meta),
		Fingerprint:    meta.Annotations[constants.FingerprintAnnotation],
		RenderedConfig: meta.Annotations[constants.RenderedConfigAnnotation],
		Attempt:        attempt,
	}
	if owner := metav1.GetControllerOfNoCopy(meta); owner != nil {
		o.PoolUID = owner.UID
	}
	return o
}

// poolOf returns the pool that an object was made for; empty when the object
// is not ours or is a copy of ours under another name.
func poolOf(meta *metav1.ObjectMeta) string {
	if meta.Labels[constants.OwnedLabel] != constants.OwnedLabelValue || buildOf(meta) == "" {
		return ""
	}
	return meta.Annotations[constants.PoolAnnotation]
}

// buildOf returns the name of the build that an object is or belongs to; empty when
// the object has another name than that gives it.
func buildOf(meta *metav1.ObjectMeta) string {
	build := meta.Annotations[constants.BuildNameAnnotation]
	if meta.Name != build && !strings.HasPrefix(meta.Name, build+inputsInfix) {
		return ""
	}
	return build
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// imageOf is the repository that was pushed to, by the digest that the builder
// reported. It is empty without a digest: the builder only logs that it could
// not report it.
func imageOf(build *buildv1.Build) string {
	to := build.Status.Output.To
	if to == nil || !digestForm.MatchString(to.ImageDigest) || build.Spec.Output.To == nil {
		return ""
	}
	target, err := reference.ParseNamed(build.Spec.Output.To.Name)
	if err != nil {
		return ""
	}
	return reference.TrimNamed(target).Name() + "@" + to.ImageDigest
}
