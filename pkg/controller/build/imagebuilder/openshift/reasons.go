package openshift

import (
	"slices"

	buildv1 "github.com/openshift/api/build/v1"
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
