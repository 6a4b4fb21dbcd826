package openshift

import (
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

func TestObservation(t *testing.T) {
	finished := metav1.NewTime(time.Unix(1700000000, 0))
	digest := &buildv1.BuildStatusOutputTo{ImageDigest: buildtest.Digest(1)}
	for name, test := range map[string]struct {
		reason string
		status buildv1.BuildStatus
		want   imagebuilder.Phase
		// transient, stopping and image are what is wanted of the observation.
		transient, stopping bool
		image               string
	}{
		"new":                       {reason: "created", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseNew}, want: imagebuilder.PhasePending},
		"no phase":                  {reason: "the API fills it in a moment later", want: imagebuilder.PhasePending},
		"new with a failure reason": {reason: "inputs that the Build system has not seen yet park the Build; that is no failure", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseNew, Reason: buildv1.StatusReasonGenericBuildFailed}, want: imagebuilder.PhasePending},
		"H10 pending with a reason": {reason: "trouble of a pending Build heals by itself", status: buildv1.BuildStatus{Phase: buildv1.BuildPhasePending, Reason: buildv1.StatusReasonMissingPushSecret}, want: imagebuilder.PhasePending},
		"running":                   {reason: "at work", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseRunning}, want: imagebuilder.PhaseRunning},
		"cancelling":                {reason: "the flag asks, the phase tells", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseRunning, Cancelled: true}, want: imagebuilder.PhaseRunning, stopping: true},
		"cancelled":                 {reason: "by flag", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseCancelled, Cancelled: true}, want: imagebuilder.PhaseStopped},
		"complete": {
			reason: "with the digest", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete, Output: buildv1.BuildStatusOutput{To: digest}},
			want: imagebuilder.PhaseSucceeded, image: buildtest.Repository + "@" + buildtest.Digest(1),
		},
		"complete, flag set": {
			reason: "cancelling came too late", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete, Cancelled: true, Output: buildv1.BuildStatusOutput{To: digest}},
			want: imagebuilder.PhaseSucceeded, image: buildtest.Repository + "@" + buildtest.Digest(1),
		},
		"H25 complete without output":  {reason: "the builder could not report", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete}, want: imagebuilder.PhaseSucceeded},
		"H25 complete, empty digest":   {reason: "the same", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete, Output: buildv1.BuildStatusOutput{To: &buildv1.BuildStatusOutputTo{}}}, want: imagebuilder.PhaseSucceeded},
		"H25 complete, spoiled digest": {reason: "what is no digest makes no pullspec", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete, Output: buildv1.BuildStatusOutput{To: &buildv1.BuildStatusOutputTo{ImageDigest: "sha256:1"}}}, want: imagebuilder.PhaseSucceeded},
		"digest while running":         {reason: "the digest comes before the phase, which decides", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseRunning, Output: buildv1.BuildStatusOutput{To: digest}}, want: imagebuilder.PhaseRunning},
		"H11 push failed":              {reason: "networks fail", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPushImageToRegistryFailed}, want: imagebuilder.PhaseFailed, transient: true},
		"push refused": {
			reason: "the same credentials are refused again", want: imagebuilder.PhaseFailed,
			status: buildv1.BuildStatus{
				Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPushImageToRegistryFailed,
				LogSnippet: "error: build error: Failed to push image: trying to reuse blob...: unauthorized: authentication required",
			},
		},
		"pull denied": {
			reason: "the same credentials are refused again", want: imagebuilder.PhaseFailed,
			status: buildv1.BuildStatus{
				Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPullBuilderImageFailed,
				LogSnippet: "reading manifest: denied: requested access to the resource is denied",
			},
		},
		"out of quota while pushing": {
			reason: "a log about something else", want: imagebuilder.PhaseFailed, transient: true,
			status: buildv1.BuildStatus{
				Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPushImageToRegistryFailed,
				LogSnippet: "received unexpected HTTP status: 500 Internal Server Error",
			},
		},
		"evicted while a program was denied something": {
			reason: "only registries refuse credentials", want: imagebuilder.PhaseFailed, transient: true,
			status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonBuildPodEvicted, LogSnippet: "denied: by policy"},
		},
		"H13 pod evicted":                {reason: "nodes run short", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonBuildPodEvicted}, want: imagebuilder.PhaseFailed, transient: true},
		"H13 pod deleted":                {reason: "nodes are drained, by the very roll-out of images", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseError, Reason: buildv1.StatusReasonBuildPodDeleted}, want: imagebuilder.PhaseFailed, transient: true},
		"H13 out of memory":              {reason: "the same again needs as much", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonOutOfMemoryKilled}, want: imagebuilder.PhaseFailed},
		"H18 pod of that name":           {reason: "a fresh name helps", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseError, Reason: buildv1.StatusReasonBuildPodExists}, want: imagebuilder.PhaseFailed, transient: true},
		"pull failed":                    {reason: "networks fail", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPullBuilderImageFailed}, want: imagebuilder.PhaseFailed, transient: true},
		"H43 instructions failed":        {reason: "they fail again", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonDockerBuildFailed}, want: imagebuilder.PhaseFailed},
		"H43 Dockerfile refused":         {reason: "it is refused again", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonManageDockerfileFailed}, want: imagebuilder.PhaseFailed},
		"failed for whatever reason":     {reason: "deadlines and lost nodes are among the unspecific failures", status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonGenericBuildFailed}, want: imagebuilder.PhaseFailed, transient: true},
		"a phase of a later API version": {reason: "the Build system treats it as terminal", status: buildv1.BuildStatus{Phase: "Archived"}, want: imagebuilder.PhaseFailed},
	} {
		t.Run(name, func(t *testing.T) {
			request := testRequest()
			request.Output = buildtest.Repository + ":tag"
			build := buildFor(request)
			build.UID = "uid"
			build.Status = test.status
			build.Status.CompletionTimestamp = &finished

			got := observation(build)
			require.Equal(t, test.want, got.Phase, test.reason)
			require.Equal(t, test.transient, got.Transient, test.reason)
			require.Equal(t, test.stopping, got.Stopping, test.reason)
			require.Equal(t, test.image, got.Image, test.reason)
			require.Equal(t, finished.Time, got.Finished)
			require.EqualValues(t, "uid", got.UID)
			require.EqualValues(t, "pool-uid", got.PoolUID)
			require.Equal(t, request.Fingerprint, got.Fingerprint)
			require.Equal(t, 1, got.Attempt)
		})
	}
}

func TestUnknownPhaseIsNamed(t *testing.T) {
	build := buildFor(testRequest())
	build.Status.Phase = "Archived"
	require.Equal(t, "UnknownPhase", observation(build).Reason)
	require.Contains(t, observation(build).Message, `"Archived"`)
}

// TestH05AnythingMayBeMissing: status.output.to of a Build was dereferenced
// without a look; so was much else.
func TestH05AnythingMayBeMissing(t *testing.T) {
	require.NotPanics(t, func() {
		observation(&buildv1.Build{})
		observation(&buildv1.Build{Status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete}})
		observation(&buildv1.Build{Status: buildv1.BuildStatus{Phase: buildv1.BuildPhaseComplete, Output: buildv1.BuildStatusOutput{To: &buildv1.BuildStatusOutputTo{ImageDigest: buildtest.Digest(1)}}}})
	})
}

// FuzzObservation: clients write a Build's status as they like; no status makes
// an image that is not a digest in the repository that was asked for.
func FuzzObservation(f *testing.F) {
	f.Add("Complete", buildtest.Digest(1), "registry.example.com/org/os:tag")
	f.Add("Complete", "sha256:", "")
	f.Add("", "\n", "registry.example.com/org/os@"+buildtest.Digest(2))
	f.Fuzz(func(t *testing.T, phase, digest, output string) {
		request := testRequest()
		request.Output = output
		build := buildFor(request)
		build.Status = buildv1.BuildStatus{Phase: buildv1.BuildPhase(phase), Output: buildv1.BuildStatusOutput{To: &buildv1.BuildStatusOutputTo{ImageDigest: digest}}}
		if image := observation(build).Image; image != "" {
			require.Regexp(t, `^[^@\s]+@sha256:[0-9a-f]{64}$`, image)
		}
	})
}
