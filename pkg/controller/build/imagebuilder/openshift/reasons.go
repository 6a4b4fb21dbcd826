package openshift

import (
	"slices"

	buildv1 "github.com/openshift/api/build/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// reasonUnknownPhase is the reason of a Build in a phase that the API does not have.
const reasonUnknownPhase = "UnknownPhase"

// reasons are those of the Build API, and ours.
var reasons = []string{
	string(buildv1.StatusReasonError),
	string(buildv1.StatusReasonCannotCreateBuildPodSpec),
	string(buildv1.StatusReasonCannotCreateBuildPod),
	string(buildv1.StatusReasonInvalidOutputReference),
	string(buildv1.StatusReasonInvalidImageReference),
	string(buildv1.StatusReasonCancelBuildFailed),
	string(buildv1.StatusReasonBuildPodDeleted),
	string(buildv1.StatusReasonExceededRetryTimeout),
	string(buildv1.StatusReasonMissingPushSecret),
	string(buildv1.StatusReasonPostCommitHookFailed),
	string(buildv1.StatusReasonPushImageToRegistryFailed),
	string(buildv1.StatusReasonPullBuilderImageFailed),
	string(buildv1.StatusReasonFetchSourceFailed),
	string(buildv1.StatusReasonFetchImageContentFailed),
	string(buildv1.StatusReasonManageDockerfileFailed),
	string(buildv1.StatusReasonInvalidContextDirectory),
	string(buildv1.StatusReasonCancelledBuild),
	string(buildv1.StatusReasonDockerBuildFailed),
	string(buildv1.StatusReasonBuildPodExists),
	string(buildv1.StatusReasonNoBuildContainerStatus),
	string(buildv1.StatusReasonFailedContainer),
	string(buildv1.StatusReasonUnresolvableEnvironmentVariable),
	string(buildv1.StatusReasonGenericBuildFailed),
	string(buildv1.StatusReasonOutOfMemoryKilled),
	string(buildv1.StatusReasonCannotRetrieveServiceAccount),
	string(buildv1.StatusReasonBuildPodEvicted),
	reasonUnknownPhase,
}

// Reasons implements imagebuilder.ImageBuilder.
func (b *Builder) Reasons() []string { return slices.Clone(reasons) }

// isTransient tells of a Build that failed whether another attempt at the same may succeed.
func isTransient(status *buildv1.BuildStatus) bool {
	return !permanentReasons[status.Reason] && !isRefused(status)
}

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

// isRefused tells whether a build failed to pull or push because the registry does not let
// it, which no other attempt with the same credentials can help. The Build system has no
// reason of its own for that.
func isRefused(status *buildv1.BuildStatus) bool {
	switch status.Reason {
	case buildv1.StatusReasonPushImageToRegistryFailed, buildv1.StatusReasonPullBuilderImageFailed, buildv1.StatusReasonFetchImageContentFailed:
		return owned.SaysRefused(status.Message) || owned.SaysRefused(status.LogSnippet)
	}
	return false
}
