package buildrunner

import (
	"context"
	"fmt"
	"io"
	"path"

	buildv1 "github.com/openshift/api/build/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Executor does the work inside a build pod: make the image, push it.
type Executor interface {
	// Execute runs one job to its end. It stops all work before it returns when ctx ends. An error that is (or wraps) a *Failure
	// decides the reason and message of the Build; any other error counts as a builder that died without a report.
	Execute(ctx context.Context, job Job) (Result, error)
}

// Job is all an Executor needs to know of a Build.
type Job struct {
	Name      string
	Namespace string
	UID       types.UID

	// Dockerfile is the inline Dockerfile after rewriting. A source file of that path replaces it in the context.
	Dockerfile []byte
	// Sources are the files of the Secret and ConfigMap sources in the order in which they are copied: a later file replaces an
	// earlier one of the same path.
	Sources []SourceFile
	// Images are the images that the inline Dockerfile names in FROM and COPY --from, to be pulled before the build.
	Images []string
	// LateImages are those of a Dockerfile among the Sources, which nobody looks into before the build: a failure to pull them is a
	// failure of the build.
	LateImages []string
	// Volumes are mounted while a step runs.
	Volumes []Volume
	// BuildArgs are NAME=value pairs.
	BuildArgs []string
	// Output is the image to push to; empty means that nothing is pushed.
	Output string
	// SingleLayer asks for one layer on top of the base instead of one per instruction.
	SingleLayer bool
	// PullAuth is the content of an auth file for pulls, PushAuth one for the push to Output.
	PullAuth []byte
	PushAuth []byte

	// Log receives what the builder prints. Its tail becomes the logSnippet of a failed Build.
	Log io.Writer
	// OnRunning must be called once the job leaves preparation; the Build becomes Running.
	OnRunning func()
}

// Containerfile is the Dockerfile that is built: the inline one, unless a source replaces it.
func (j Job) Containerfile() []byte {
	if file, found := replacement(j.Sources); found {
		return file
	}
	return j.Dockerfile
}

// replacement is what the sources put in the place of the inline Dockerfile.
func replacement(sources []SourceFile) (text []byte, found bool) {
	for _, file := range sources {
		if path.Clean(file.Path) == dockerfileName {
			text, found = file.Data, true
		}
	}
	return text, found
}

// dockerfileName is where in the context the Dockerfile is.
const dockerfileName = "Dockerfile"

// SourceFile is one file of a Secret or ConfigMap source, Path relative to the build context.
type SourceFile struct {
	Path string
	Data []byte
}

// Result is what a successful job made.
type Result struct {
	// Digest of the pushed manifest, sha256:<hex>; empty if nothing was pushed.
	Digest string
}

// Failure is an end of a job that the builder can put a name to.
type Failure struct {
	Reason  buildv1.StatusReason
	Message string
	// Err is what happened, for the log.
	Err error
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("%s: %s", f.Reason, f.Message)
	}
	return fmt.Sprintf("%s: %s: %v", f.Reason, f.Message, f.Err)
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// failureMessages has the fixed sentence that goes with a reason: users match on them, so they are those of the real builder.
var failureMessages = map[buildv1.StatusReason]string{
	buildv1.StatusReasonManageDockerfileFailed:    "Failed to manage the Dockerfile.",
	buildv1.StatusReasonPullBuilderImageFailed:    "Failed pulling builder image.",
	buildv1.StatusReasonDockerBuildFailed:         "Dockerfile build strategy has failed.",
	buildv1.StatusReasonPushImageToRegistryFailed: "Failed to push the image to the registry.",
	buildv1.StatusReasonGenericBuildFailed:        "Generic Build failure - check logs for details.",
	buildv1.StatusReasonMissingPushSecret:         "Missing push secret.",
	buildv1.StatusReasonCancelledBuild:            "The build was cancelled by the user.",
	buildv1.StatusReasonBuildPodDeleted:           "The pod for this build was deleted before the build completed.",
	buildv1.StatusReasonBuildPodExists:            "The pod for this build already exists and is owned by something else.",
	buildv1.StatusReasonCannotCreateBuildPod:      "Failed creating build pod.",
	buildv1.StatusReasonCannotCreateBuildPodSpec:  "Failed to create pod spec.",
	buildv1.StatusReasonInvalidOutputReference:    "Output image could not be resolved.",
}

// NewFailure makes a Failure with the usual message for its reason.
func NewFailure(reason buildv1.StatusReason, err error) *Failure {
	return &Failure{Reason: reason, Message: failureMessages[reason], Err: err}
}
