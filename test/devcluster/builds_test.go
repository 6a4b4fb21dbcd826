package devcluster

import (
	"context"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"
)

func (f *fixture) testBuilds(t *testing.T) {
	t.Run("every field comes back", f.testBuildRoundTrip)
	t.Run("creation", f.testBuildCreation)
	t.Run("changes", f.testBuildChanges)
	t.Run("from a file without defaults", f.testBuildUntyped)
}

func (f *fixture) testBuildRoundTrip(t *testing.T) {
	ctx := t.Context()
	builds := f.build.BuildV1().Builds(Namespace)
	created, err := builds.Create(ctx, dockerBuild("round-trip"), createOptions)
	require.NoError(t, err)
	require.Equal(t, dockerBuild("").Spec, created.Spec)
	require.Equal(t, buildv1.BuildPhaseNew, created.Status.Phase)
	require.EqualValues(t, 1, created.Generation)

	started := metav1.NewTime(time.Now().Truncate(time.Second))
	created.Status.Phase = buildv1.BuildPhaseComplete
	created.Status.StartTimestamp, created.Status.CompletionTimestamp = &started, &started
	created.Status.Duration = time.Minute
	created.Status.OutputDockerImageReference = created.Spec.Output.To.Name
	created.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: "sha256:" + digits64}
	created.Status.Stages = []buildv1.StageInfo{{Name: buildv1.StageBuild, StartTime: started, DurationMilliseconds: 7}}
	created.Status.LogSnippet = "last\nlines"
	updated, err := builds.Update(ctx, created, updateOptions)
	require.NoError(t, err)
	require.Len(t, updated.Status.Conditions, 2, "one for New, one for Complete")
	require.Equal(t, corev1.ConditionFalse, updated.Status.Conditions[0].Status)
	require.Equal(t, corev1.ConditionTrue, updated.Status.Conditions[1].Status)
	updated.Status.Conditions = created.Status.Conditions
	require.Equal(t, created.Status, updated.Status)
}

func (f *fixture) testBuildCreation(t *testing.T) {
	builds := f.build.BuildV1().Builds(Namespace)
	for _, tc := range []struct {
		name    string
		change  func(*buildv1.Build)
		problem string // empty: accepted
		reason  string
	}{
		{"name with upper case", func(b *buildv1.Build) { b.Name = "Upper" }, "metadata.name", "names are DNS subdomains"},
		{"name of 253 characters", func(b *buildv1.Build) { b.Name = strings.Repeat("a", 253) }, "", "the limit of an object, not of a label"},
		{"no source", func(b *buildv1.Build) { b.Spec.Source = buildv1.BuildSource{} }, "must provide a value for at least one of", "the Docker strategy needs a Dockerfile from somewhere"},
		{"only a secret as source", func(b *buildv1.Build) { b.Spec.Source.Dockerfile = nil }, "must provide a value for at least one of", "files are no source"},
		{"empty Dockerfile", func(b *buildv1.Build) { b.Spec.Source.Dockerfile = ptr.To("") }, "", "it is there; that it is no good shows in the pod"},
		{"no strategy", func(b *buildv1.Build) { b.Spec.Strategy = buildv1.BuildStrategy{} }, "exactly one of", "nothing to do"},
		{"Docker strategy by type only", func(b *buildv1.Build) { b.Spec.Strategy.DockerStrategy = nil }, "", "defaulted"},
		{"Dockerfile of 60000 bytes", func(b *buildv1.Build) { b.Spec.Source.Dockerfile = ptr.To(strings.Repeat("ä", 30000)) }, "", "the limit itself"},
		{"Dockerfile of 60001 bytes", func(b *buildv1.Build) { b.Spec.Source.Dockerfile = ptr.To("a" + strings.Repeat("ä", 30000)) }, "spec.source.dockerfile: Too long", "bytes count, not characters"},
		{"pull secret without name", func(b *buildv1.Build) { b.Spec.Strategy.DockerStrategy.PullSecret.Name = "" }, "pullSecret.name: Required", "an empty reference is not no reference"},
		{"push secret without name", func(b *buildv1.Build) { b.Spec.Output.PushSecret.Name = "" }, "pushSecret.name: Required", "an empty reference is not no reference"},
		{"no secrets", func(b *buildv1.Build) { b.Spec.Output.PushSecret, b.Spec.Strategy.DockerStrategy.PullSecret = nil, nil }, "", "the build controller looks for some"},
		{"secret source without name", func(b *buildv1.Build) { b.Spec.Source.Secrets[0].Secret.Name = "" }, "secrets[0].secret.name: Required", ""},
		{"config map source with bad name", func(b *buildv1.Build) { b.Spec.Source.ConfigMaps[0].ConfigMap.Name = "a_b" }, "configMaps[0].configMap.name", "it must be able to exist"},
		{"absolute destination", func(b *buildv1.Build) { b.Spec.Source.Secrets[0].DestinationDir = "/etc" }, "secrets[0].destinationDir", "relative to the build context"},
		{"destination outside", func(b *buildv1.Build) { b.Spec.Source.ConfigMaps[0].DestinationDir = "a/../../b" }, "configMaps[0].destinationDir", "cleaned before it is looked at"},
		{"destination root", func(b *buildv1.Build) { b.Spec.Source.Secrets[0].DestinationDir = "" }, "", "the context's root"},
		{"label name with two slashes", func(b *buildv1.Build) { b.Spec.Output.ImageLabels[0].Name = "a/b/c" }, "imageLabels[0].name", "qualified names only"},
		{"label twice", func(b *buildv1.Build) {
			b.Spec.Output.ImageLabels = append(b.Spec.Output.ImageLabels, b.Spec.Output.ImageLabels[0])
		}, "imageLabels[1].name: Duplicate", "which one would win"},
		{"deadline of zero", func(b *buildv1.Build) { b.Spec.CompletionDeadlineSeconds = ptr.To[int64](0) }, "completionDeadlineSeconds", "must be positive"},
		{"output without kind", func(b *buildv1.Build) { b.Spec.Output.To.Kind = "" }, "ImageStreamTag", "taken for a stream's tag, which a pullspec is not"},
		{"output with scheme", func(b *buildv1.Build) { b.Spec.Output.To.Name = "https://localhost/os:1" }, "output.to.name", "not a pullspec"},
		{"output with upper case repository", func(b *buildv1.Build) { b.Spec.Output.To.Name = "localhost/OS:1" }, "output.to.name", "not a pullspec"},
		{"output with namespace", func(b *buildv1.Build) { b.Spec.Output.To.Namespace = "other" }, "output.to.namespace", "an image of a registry has none"},
		{"no output", func(b *buildv1.Build) { b.Spec.Output = buildv1.BuildOutput{} }, "", "builds and does not push"},
		{"born complete", func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseComplete }, "", "a status in a new object is kept"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			build := dockerBuild(strings.ReplaceAll(strings.ToLower(tc.name), " ", "-"))
			tc.change(build)
			_, err := builds.Create(t.Context(), build, createOptions)
			if tc.problem == "" {
				require.NoError(t, err, tc.reason)
				return
			}
			require.True(t, apierrors.IsInvalid(err), "%s: got %v", tc.reason, err)
			require.ErrorContains(t, err, tc.problem, tc.reason)
		})
	}
}

func (f *fixture) testBuildChanges(t *testing.T) {
	builds := f.build.BuildV1().Builds(Namespace)
	for _, tc := range []struct {
		name    string
		from    buildv1.BuildPhase
		change  func(*buildv1.Build)
		problem string
		reason  string
	}{
		{"spec", "", func(b *buildv1.Build) { b.Spec.ServiceAccount = "other" }, "spec is immutable", "whatever the phase"},
		{"spec removed in part", "", func(b *buildv1.Build) { b.Spec.NodeSelector = nil }, "spec is immutable", "absence is a change"},
		{"output", "", func(b *buildv1.Build) { b.Spec.Output.To.Name = "localhost:5000/os/layered:other" }, "spec is immutable", "only the push secret may change"},
		{"push secret", "", func(b *buildv1.Build) { b.Spec.Output.PushSecret.Name = "other" }, "", "the build controller writes the one it found"},
		{"push secret removed", "", func(b *buildv1.Build) { b.Spec.Output.PushSecret = nil }, "", "any change of it"},
		{"strategy type", "", func(b *buildv1.Build) { b.Spec.Strategy.Type = "" }, "", "computed, not stored"},
		{"labels, annotations, owners", buildv1.BuildPhaseComplete, func(b *buildv1.Build) {
			b.Labels["new"], b.Annotations["new"], b.Finalizers = "label", "annotation", []string{"example.com/finalizer"}
		}, "", "metadata is free at any time"},
		{"phase forward", buildv1.BuildPhasePending, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning }, "", "status is written through the main resource"},
		{"phase skipped", "", func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseComplete }, "", "watchers see it in real life"},
		{"leave Complete", buildv1.BuildPhaseComplete, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseRunning }, "terminal", ""},
		{"leave Failed", buildv1.BuildPhaseFailed, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseComplete }, "terminal", ""},
		{"leave Error", buildv1.BuildPhaseError, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseNew }, "terminal", ""},
		{"leave Cancelled", buildv1.BuildPhaseCancelled, func(b *buildv1.Build) { b.Status.Phase = buildv1.BuildPhaseFailed }, "terminal", ""},
		{"cancel a new one", "", func(b *buildv1.Build) { b.Status.Cancelled = true }, "", "any phase"},
		{"cancel a running one", buildv1.BuildPhaseRunning, func(b *buildv1.Build) { b.Status.Cancelled = true }, "", "any phase"},
		{"cancel a finished one", buildv1.BuildPhaseComplete, func(b *buildv1.Build) { b.Status.Cancelled = true }, "", "accepted, without effect"},
		{"digest after the end", buildv1.BuildPhaseComplete, func(b *buildv1.Build) {
			b.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: "sha256:" + digits64}
		}, "", "nothing else of status is guarded"},
		{"no resource version", "", func(b *buildv1.Build) { b.ResourceVersion = "" }, "must be specified for an update", "unconditional updates are refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx := t.Context()
			build := dockerBuild("change-" + strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(tc.name)))
			build.Status.Phase = tc.from
			stored, err := builds.Create(ctx, build, createOptions)
			require.NoError(t, err)
			tc.change(stored)
			_, err = builds.Update(ctx, stored, updateOptions)
			if tc.problem == "" {
				require.NoError(t, err, tc.reason)
				return
			}
			require.True(t, apierrors.IsInvalid(err), "%s: got %v", tc.reason, err)
			require.ErrorContains(t, err, tc.problem, tc.reason)
		})
	}

	t.Run("cancel by patch", func(t *testing.T) {
		_, err := builds.Create(t.Context(), dockerBuild("patched"), createOptions)
		require.NoError(t, err)
		patched, err := builds.Patch(t.Context(), "patched", types.MergePatchType, []byte(`{"status":{"cancelled":true}}`), patchOptions)
		require.NoError(t, err)
		require.True(t, patched.Status.Cancelled)
		_, err = builds.Patch(t.Context(), "patched", types.MergePatchType, []byte(`{"status":{"phase":"Cancelled"}}`), patchOptions, "status")
		require.True(t, apierrors.IsNotFound(err), "there is no status subresource: got %v", err)
	})
	t.Run("stale update", func(t *testing.T) {
		stored, err := builds.Create(t.Context(), dockerBuild("stale"), createOptions)
		require.NoError(t, err)
		stale := stored.DeepCopy()
		stored.Status.Phase = buildv1.BuildPhasePending
		_, err = builds.Update(t.Context(), stored, updateOptions)
		require.NoError(t, err)
		_, err = builds.Update(t.Context(), stale, updateOptions)
		require.True(t, apierrors.IsConflict(err), "got %v", err)
	})
	t.Run("reason of a failed build stays", func(t *testing.T) {
		build := dockerBuild("reason")
		build.Status.Phase, build.Status.Reason, build.Status.Message = buildv1.BuildPhaseFailed, "DockerBuildFailed", "first"
		stored, err := builds.Create(t.Context(), build, createOptions)
		require.NoError(t, err)
		stored.Status.Reason, stored.Status.Message = "GenericBuildFailed", "second"
		stored, err = builds.Update(t.Context(), stored, updateOptions)
		require.NoError(t, err)
		require.EqualValues(t, "DockerBuildFailed", stored.Status.Reason)
		require.Equal(t, "first", stored.Status.Message)
	})
}

// testBuildUntyped is what kubectl does with a short file, followed by a typed client that knows more fields.
func (f *fixture) testBuildUntyped(t *testing.T) {
	ctx := t.Context()
	resource := buildv1.GroupVersion.WithResource("builds")
	untyped := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": buildv1.GroupVersion.String(),
		"kind":       "Build",
		"metadata":   map[string]any{"name": "untyped"},
		"spec": map[string]any{
			"source":   map[string]any{"dockerfile": "FROM scratch"},
			"strategy": map[string]any{"dockerStrategy": map[string]any{}},
		},
	}}
	created, err := dynamic.NewForConfigOrDie(f.RESTConfig()).Resource(resource).Namespace(Namespace).Create(ctx, untyped, createOptions)
	require.NoError(t, err)
	phase, _, err := unstructured.NestedString(created.Object, "status", "phase")
	require.NoError(t, err)
	require.Equal(t, "New", phase)

	eventually(t, "a typed client must be able to write it back", func(ctx context.Context) (bool, error) {
		build, err := f.build.BuildV1().Builds(Namespace).Get(ctx, "untyped", getOptions)
		if err != nil {
			return false, err
		}
		build.Status.Phase = buildv1.BuildPhasePending
		_, err = f.build.BuildV1().Builds(Namespace).Update(ctx, build, updateOptions)
		return err == nil, err
	})
}
