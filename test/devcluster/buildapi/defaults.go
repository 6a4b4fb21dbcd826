package buildapi

import (
	"path"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	kindDockerImage      = "DockerImage"
	kindImageStreamTag   = "ImageStreamTag"
	kindImageStreamImage = "ImageStreamImage"

	// reasonOutOfMemoryKilled is the only reason that may replace another one on a failed build.
	reasonOutOfMemoryKilled = buildv1.StatusReason("OutOfMemoryKilled")
)

// setDefaults completes the build, whose stored version is old, or nil on creation.
func setDefaults(build, old *buildv1.Build) {
	strategy := &build.Spec.Strategy
	if strategy.Type == buildv1.DockerBuildStrategyType && strategy.DockerStrategy == nil {
		strategy.DockerStrategy = &buildv1.DockerBuildStrategy{}
	}
	strategy.Type = strategyType(strategy)
	build.Spec.Source.Type = sourceType(&build.Spec.Source)
	if dir := build.Spec.Source.ContextDir; dir != "" {
		if dir = path.Clean(dir); dir == "." {
			dir = ""
		}
		build.Spec.Source.ContextDir = dir
	}
	if strategy.DockerStrategy != nil {
		setDefaultKind(strategy.DockerStrategy.From)
	}
	setDefaultKind(build.Spec.Output.To)

	if old == nil {
		if build.Status.Phase == "" {
			build.Status.Phase = buildv1.BuildPhaseNew
		}
	} else if old.Status.Phase == buildv1.BuildPhaseFailed && build.Status.Reason != reasonOutOfMemoryKilled {
		build.Status.Reason, build.Status.Message = old.Status.Reason, old.Status.Message
	}
	setConditions(&build.Status)
}

// setDefaultKind is a trap of the real API: without a kind a pullspec is taken for the name of a stream's tag.
func setDefaultKind(reference *corev1.ObjectReference) {
	if reference != nil && reference.Kind == "" {
		reference.Kind = kindImageStreamTag
	}
}

func strategyType(strategy *buildv1.BuildStrategy) buildv1.BuildStrategyType {
	switch {
	case strategy.DockerStrategy != nil:
		return buildv1.DockerBuildStrategyType
	case strategy.SourceStrategy != nil:
		return buildv1.SourceBuildStrategyType
	case strategy.CustomStrategy != nil:
		return buildv1.CustomBuildStrategyType
	case strategy.JenkinsPipelineStrategy != nil:
		return buildv1.JenkinsPipelineBuildStrategyType
	default:
		return ""
	}
}

func sourceType(source *buildv1.BuildSource) buildv1.BuildSourceType {
	switch {
	case source.Git != nil:
		return buildv1.BuildSourceGit
	case source.Binary != nil:
		return buildv1.BuildSourceBinary
	case source.Dockerfile != nil:
		return buildv1.BuildSourceDockerfile
	case len(source.Images) > 0:
		return buildv1.BuildSourceImage
	default:
		return buildv1.BuildSourceNone
	}
}

// setConditions keeps one condition for every phase that the build was seen in; the one of the present phase is True.
func setConditions(status *buildv1.BuildStatus) {
	now := metav1.Now()
	current := buildv1.BuildConditionType(status.Phase)
	found := false
	for i := range status.Conditions {
		condition := &status.Conditions[i]
		wanted := corev1.ConditionFalse
		if condition.Type == current {
			found, wanted = true, corev1.ConditionTrue
		}
		if condition.Status != wanted {
			condition.Status, condition.LastTransitionTime, condition.LastUpdateTime = wanted, now, now
		}
		if condition.Type == current && (condition.Reason != string(status.Reason) || condition.Message != status.Message) {
			condition.Reason, condition.Message, condition.LastUpdateTime = string(status.Reason), status.Message, now
		}
	}
	if !found {
		status.Conditions = append(status.Conditions, buildv1.BuildCondition{
			Type:               current,
			Status:             corev1.ConditionTrue,
			LastUpdateTime:     now,
			LastTransitionTime: now,
			Reason:             string(status.Reason),
			Message:            status.Message,
		})
	}
}
