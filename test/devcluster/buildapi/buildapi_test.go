package buildapi

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// What clients see of all this is tested against a running cluster; here is what is easier to see from inside.

func build() *buildv1.Build {
	b := &buildv1.Build{}
	b.Spec.Source.Dockerfile = ptr.To("FROM scratch")
	b.Spec.Strategy.DockerStrategy = &buildv1.DockerBuildStrategy{}
	return b
}

func TestDefaults(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*buildv1.Build)
		check  func(*testing.T, *buildv1.Build)
		reason string
	}{
		{"phase", func(*buildv1.Build) {}, func(t *testing.T, b *buildv1.Build) {
			assert.Equal(t, buildv1.BuildPhaseNew, b.Status.Phase)
		}, "typed clients send an empty one"},
		{"wrong types", func(b *buildv1.Build) {
			b.Spec.Strategy.Type, b.Spec.Source.Type = buildv1.CustomBuildStrategyType, buildv1.BuildSourceGit
		}, func(t *testing.T, b *buildv1.Build) {
			assert.Equal(t, buildv1.DockerBuildStrategyType, b.Spec.Strategy.Type)
			assert.Equal(t, buildv1.BuildSourceDockerfile, b.Spec.Source.Type)
		}, "computed from what is set"},
		{"git beats Dockerfile", func(b *buildv1.Build) {
			b.Spec.Source.Git = &buildv1.GitBuildSource{URI: "https://example.com"}
		}, func(t *testing.T, b *buildv1.Build) {
			assert.Equal(t, buildv1.BuildSourceGit, b.Spec.Source.Type)
		}, "the order of the real API"},
		{"context directory", func(b *buildv1.Build) {
			b.Spec.Source.ContextDir = "./"
		}, func(t *testing.T, b *buildv1.Build) {
			assert.Empty(t, b.Spec.Source.ContextDir)
		}, "stored cleaned"},
		{"kinds", func(b *buildv1.Build) {
			b.Spec.Output.To = &corev1.ObjectReference{Name: "os:1"}
			b.Spec.Strategy.DockerStrategy.From = &corev1.ObjectReference{Name: "base:1"}
		}, func(t *testing.T, b *buildv1.Build) {
			assert.Equal(t, kindImageStreamTag, b.Spec.Output.To.Kind)
			assert.Equal(t, kindImageStreamTag, b.Spec.Strategy.DockerStrategy.From.Kind)
		}, "the trap"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := build()
			tc.change(b)
			setDefaults(b, nil)
			tc.check(t, b)
			require.Empty(t, validate(b), tc.reason)

			again := b.DeepCopy()
			setDefaults(again, b)
			require.Equal(t, b, again, "a write that changes nothing must store nothing")
		})
	}
}

func TestConditionsFollowPhase(t *testing.T) {
	b := build()
	for i, phase := range []buildv1.BuildPhase{buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning, buildv1.BuildPhaseFailed} {
		old := b.DeepCopy()
		b.Status.Phase, b.Status.Reason = phase, buildv1.StatusReason("At"+phase)
		setDefaults(b, old)
		require.Len(t, b.Status.Conditions, i+1, "one for each phase seen")
		for _, condition := range b.Status.Conditions {
			wanted := corev1.ConditionFalse
			if condition.Type == buildv1.BuildConditionType(phase) {
				wanted = corev1.ConditionTrue
			}
			assert.Equal(t, wanted, condition.Status, "%s at phase %s", condition.Type, phase)
			assert.Equal(t, "At"+string(condition.Type), condition.Reason)
		}
	}
}

func TestReasonOfFailure(t *testing.T) {
	for _, tc := range []struct {
		name           string
		from           buildv1.BuildPhase
		reason, wanted buildv1.StatusReason
	}{
		{"another reason is dropped", buildv1.BuildPhaseFailed, "GenericBuildFailed", "DockerBuildFailed"},
		{"running out of memory explains more", buildv1.BuildPhaseFailed, "OutOfMemoryKilled", "OutOfMemoryKilled"},
		{"before the end reasons change", buildv1.BuildPhaseRunning, "GenericBuildFailed", "GenericBuildFailed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			old := build()
			old.Status.Phase, old.Status.Reason = tc.from, "DockerBuildFailed"
			b := old.DeepCopy()
			b.Status.Phase, b.Status.Reason = buildv1.BuildPhaseFailed, tc.reason
			setDefaults(b, old)
			assert.Equal(t, tc.wanted, b.Status.Reason)
		})
	}
}
