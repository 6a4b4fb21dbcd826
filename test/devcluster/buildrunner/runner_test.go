package buildrunner

import (
	"errors"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
)

func TestEnds(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		build   *buildv1.Build
		script  Script
		phase   buildv1.BuildPhase
		because buildv1.StatusReason
		snippet string
	}{
		{
			reason: "a job that succeeds", build: newBuild("b"), phase: buildv1.BuildPhaseComplete,
		},
		{
			reason: "a Complete build can lack its digest", build: newBuild("b"), script: Script{NoDigest: true}, phase: buildv1.BuildPhaseComplete,
		},
		{
			reason: "a status that the API server did not default", build: newBuild("b", func(b *buildv1.Build) { b.Status.Phase = "" }),
			phase: buildv1.BuildPhaseComplete,
		},
		{
			reason: "the builder names what failed", build: newBuild("b"),
			script: Script{Log: "one\n", Err: NewFailure(buildv1.StatusReasonPushImageToRegistryFailed, errors.New("denied"))},
			phase:  buildv1.BuildPhaseFailed, because: buildv1.StatusReasonPushImageToRegistryFailed, snippet: "denied",
		},
		{
			reason: "a builder that dies without a report", build: newBuild("b"), script: Script{Err: errors.New("boom")},
			phase: buildv1.BuildPhaseFailed, because: buildv1.StatusReasonGenericBuildFailed, snippet: "boom",
		},
		{
			reason: "an empty Dockerfile", build: newBuild("b", withDockerfile("")),
			phase: buildv1.BuildPhaseFailed, because: buildv1.StatusReasonManageDockerfileFailed, snippet: "no instructions",
		},
		{
			reason: "a heredoc in an inline Dockerfile", build: newBuild("b", withDockerfile("FROM a\nRUN <<E\nx\nE\n")),
			phase: buildv1.BuildPhaseFailed, because: buildv1.StatusReasonGenericBuildFailed, snippet: "unterminated heredoc",
		},
		{
			reason: "an inline Dockerfile has no directories", build: newBuild("b", func(b *buildv1.Build) { b.Spec.Source.ContextDir = "sub" }),
			phase: buildv1.BuildPhaseFailed, because: buildv1.StatusReasonManageDockerfileFailed, snippet: "sub",
		},
		{
			reason: "env from references is not resolved", build: newBuild("b", func(b *buildv1.Build) {
				b.Spec.Strategy.DockerStrategy.Env = []corev1.EnvVar{{Name: "E", ValueFrom: &corev1.EnvVarSource{}}}
			}),
			phase: buildv1.BuildPhaseError, because: buildv1.StatusReasonUnresolvableEnvironmentVariable,
		},
		{
			reason: "a Build that was Running when nobody looked has lost its pod",
			build:  newBuild("b", func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning }),
			phase:  buildv1.BuildPhaseError, because: buildv1.StatusReasonBuildPodDeleted,
		},
		{
			reason: "cancelled before it began",
			build:  newBuild("b", func(b *buildv1.Build) { b.Status.Cancelled = true }),
			phase:  buildv1.BuildPhaseCancelled, because: buildv1.StatusReasonCancelledBuild,
		},
		{
			reason: "the builder's report of a failure is completed by the controller",
			build: newBuild("b", func(b *buildv1.Build) {
				b.Status.Phase, b.Status.Reason = buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed
				b.Status.Message = failureMessages[buildv1.StatusReasonDockerBuildFailed]
			}),
			phase: buildv1.BuildPhaseFailed, because: buildv1.StatusReasonDockerBuildFailed,
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := start(t, Options{})
			f.executor.Decide(func(Job) Script { return tc.script })
			f.create(tc.build)
			build := f.wait("b", is(tc.phase, tc.because))
			assert.NotNil(t, build.Status.StartTimestamp)
			assert.Equal(t, failureMessagesOr(tc.because, build.Status.Message), build.Status.Message)
			assert.Contains(t, build.Status.LogSnippet, tc.snippet)
			if tc.phase == buildv1.BuildPhaseComplete {
				assert.Empty(t, build.Status.LogSnippet)
				assert.Equal(t, "r.io/org/img:tag", build.Status.OutputDockerImageReference)
				assert.Equal(t, "b-build", build.Annotations[buildv1.BuildPodNameAnnotation])
				want := FakeDigest("uid-of-b")
				if tc.script.NoDigest {
					want = ""
				}
				assert.Equal(t, want, digestOf(build))
			}
			requireOneTrueCondition(t, build)
		})
	}
}

func failureMessagesOr(reason buildv1.StatusReason, otherwise string) string {
	if message, found := failureMessages[reason]; found {
		return message
	}
	return otherwise
}

func requireOneTrueCondition(t *testing.T, build *buildv1.Build) {
	t.Helper()
	var trueOnes []string
	for _, condition := range build.Status.Conditions {
		if condition.Status == corev1.ConditionTrue {
			trueOnes = append(trueOnes, string(condition.Type))
		}
	}
	if len(build.Status.Conditions) > 0 {
		require.Equal(t, []string{string(build.Status.Phase)}, trueOnes)
	}
}

func TestHolds(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		build   *buildv1.Build
		phase   buildv1.BuildPhase
		because buildv1.StatusReason
		message string
		remedy  []runtime.Object
	}{
		{
			reason: "missing inputs are all named, and heal",
			build:  newBuild("b", withSecret("s", ""), withConfigMap("c", "")),
			phase:  buildv1.BuildPhaseNew, because: buildv1.StatusReasonGenericBuildFailed, message: `secret "s", configmap "c"`,
			remedy: []runtime.Object{secret("s", nil), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: namespace}}},
		},
		{
			reason: "a missing push secret shows up only once the pod cannot mount it, and heals",
			build:  newBuild("b", withPushSecret("push")),
			phase:  buildv1.BuildPhasePending, because: buildv1.StatusReasonMissingPushSecret, message: "Missing push secret.",
			remedy: []runtime.Object{secret("push", nil)},
		},
		{
			reason: "a missing pull secret keeps the pod from starting without a word",
			build: newBuild("b", func(b *buildv1.Build) {
				b.Spec.Strategy.DockerStrategy.PullSecret = &corev1.LocalObjectReference{Name: "pull"}
			}),
			phase: buildv1.BuildPhasePending, remedy: []runtime.Object{secret("pull", nil)},
		},
		{
			reason: "an empty kind means an image stream, which is never resolved",
			build:  newBuild("b", func(b *buildv1.Build) { b.Spec.Output.To.Kind = "" }),
			phase:  buildv1.BuildPhaseNew, because: buildv1.StatusReasonInvalidOutputReference,
		},
		{
			reason: "what is not imitated is refused",
			build:  newBuild("b", func(b *buildv1.Build) { b.Spec.PostCommit.Script = "true" }),
			phase:  buildv1.BuildPhaseNew, because: buildv1.StatusReasonCannotCreateBuildPodSpec, message: "postCommit",
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := start(t, Options{})
			f.create(tc.build)
			build := f.wait("b", is(tc.phase, tc.because))
			assert.Contains(t, build.Status.Message, tc.message)
			requireOneTrueCondition(t, build)
			require.Empty(t, f.executor.Jobs())
			if tc.remedy == nil {
				return
			}
			for _, object := range tc.remedy {
				f.create(object)
			}
			f.wait("b", is(buildv1.BuildPhaseComplete, ""))
		})
	}
}

func TestSameSourceTwiceCannotGetAPod(t *testing.T) {
	f := start(t, Options{}, secret("s", nil))
	f.create(newBuild("b", withSecret("s", "a"), withSecret("s", "b")))
	build := f.wait("b", is(buildv1.BuildPhaseNew, buildv1.StatusReasonCannotCreateBuildPod))
	assert.Contains(t, build.Status.Message, `secret "s"`)
}

func TestPhasesAppearInOrder(t *testing.T) {
	f := start(t, Options{})
	pending, running := make(chan struct{}), make(chan struct{})
	f.executor.Decide(func(Job) Script { return Script{HoldPending: pending, HoldRunning: running} })
	f.create(newBuild("b"))

	build := f.wait("b", is(buildv1.BuildPhasePending, ""))
	assert.Nil(t, build.Status.StartTimestamp)
	close(pending)
	build = f.wait("b", is(buildv1.BuildPhaseRunning, ""))
	assert.NotNil(t, build.Status.StartTimestamp)
	assert.Nil(t, build.Status.CompletionTimestamp)
	close(running)
	build = f.wait("b", is(buildv1.BuildPhaseComplete, ""))
	assert.Len(t, build.Status.Conditions, 4)

	f.stop()
	var digestBeforeComplete bool
	for _, action := range f.builds.Actions() {
		if update, ok := action.(interface{ GetObject() runtime.Object }); ok && action.GetVerb() == "update" {
			written := update.GetObject().(*buildv1.Build)
			digestBeforeComplete = digestBeforeComplete || written.Status.Phase == buildv1.BuildPhaseRunning && digestOf(written) != ""
			assert.Empty(t, action.GetSubresource(), "builds have no status subresource")
		}
	}
	assert.True(t, digestBeforeComplete, "the builder reports the digest before the controller notices the end")
}

func TestStops(t *testing.T) {
	for _, tc := range []struct {
		reason string
		stop   func(f *fixture)
		check  func(f *fixture)
	}{
		{
			reason: "cancelling stops the work", stop: func(f *fixture) { f.cancel("b") },
			check: func(f *fixture) { f.wait("b", is(buildv1.BuildPhaseCancelled, buildv1.StatusReasonCancelledBuild)) },
		},
		{
			reason: "deleting stops the work", stop: func(f *fixture) { f.delete("b") }, check: func(*fixture) {},
		},
		{
			reason: "the end of the runner stops the work and leaves the Build to the next one", stop: func(f *fixture) { f.stop() },
			check: func(f *fixture) { assert.Equal(f.t, buildv1.BuildPhaseRunning, f.get("b").Status.Phase) },
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := start(t, Options{})
			f.executor.Decide(func(Job) Script { return Script{HoldRunning: make(chan struct{})} })
			f.create(newBuild("b"))
			f.wait("b", is(buildv1.BuildPhaseRunning, ""))
			tc.stop(f)
			require.Eventually(t, func() bool { return strings.Contains(f.log("b"), "error: ") }, patience, tick)
			tc.check(f)
		})
	}
}

func TestDeadline(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1_700_000_000, 0))
	f := start(t, Options{Clock: clock})
	f.executor.Decide(func(Job) Script { return Script{Log: "still at it\n", HoldRunning: make(chan struct{})} })
	f.create(newBuild("b", func(b *buildv1.Build) { b.Spec.CompletionDeadlineSeconds = ptr.To(int64(60)) }))
	f.wait("b", is(buildv1.BuildPhaseRunning, ""))
	clock.Step(time.Minute)
	build := f.wait("b", is(buildv1.BuildPhaseFailed, buildv1.StatusReasonGenericBuildFailed))
	assert.Equal(t, time.Minute, build.Status.Duration)
	assert.Contains(t, build.Status.LogSnippet, "still at it")
}

func TestNameInUse(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1_700_000_000, 0))
	for _, tc := range []struct {
		reason string
		then   func(f *fixture, ended chan struct{})
		want   func(build *buildv1.Build) bool
	}{
		{
			reason: "the new Build runs once the old work has ended",
			then:   func(_ *fixture, ended chan struct{}) { close(ended) },
			want:   is(buildv1.BuildPhaseComplete, ""),
		},
		{
			reason: "the new Build fails if that takes too long",
			then: func(f *fixture, _ chan struct{}) {
				require.Eventually(f.t, func() bool {
					clock.Step(time.Second)
					return f.get("b").Status.Phase != buildv1.BuildPhaseNew
				}, patience, tick)
			},
			want: is(buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodExists),
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := start(t, Options{Clock: clock, PodExistsTimeout: 30 * time.Second})
			ended := make(chan struct{})
			t.Cleanup(func() {
				select {
				case <-ended:
				default:
					close(ended)
				}
			})
			f.executor.Decide(func(job Job) Script {
				if job.UID == "second" {
					return Script{}
				}
				return Script{HoldRunning: make(chan struct{}), HoldStop: ended}
			})
			f.create(newBuild("b"))
			f.wait("b", is(buildv1.BuildPhaseRunning, ""))
			f.delete("b")
			f.create(newBuild("b", func(b *buildv1.Build) { b.UID = "second" }))
			tc.then(f, ended)
			f.wait("b", tc.want)
		})
	}
}

func TestConcurrency(t *testing.T) {
	f := start(t, Options{Concurrency: 1})
	release := make(chan struct{})
	f.executor.Decide(func(Job) Script { return Script{HoldRunning: release} })
	f.create(newBuild("a", withPushSecret("none")))
	f.wait("a", is(buildv1.BuildPhasePending, buildv1.StatusReasonMissingPushSecret))
	f.create(newBuild("b"))
	f.wait("b", is(buildv1.BuildPhaseRunning, ""))
	f.create(newBuild("c"))
	f.wait("c", is(buildv1.BuildPhasePending, ""))
	close(release)
	f.wait("c", is(buildv1.BuildPhaseComplete, ""))
}
