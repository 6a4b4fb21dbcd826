package openshift

import (
	"strconv"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// observation reads a Build. The phase alone decides how far it is: reasons
// appear in phases that are not terminal, and phases may be skipped.
func observation(build *buildv1.Build) imagebuilder.Observation {
	o := mark.Identify(&build.ObjectMeta)
	status := &build.Status
	o.UID = build.UID
	if build.DeletionTimestamp != nil {
		o.Deleting = "its finalizers, " + strings.Join(build.Finalizers, ", ")
		if len(build.Finalizers) == 0 {
			o.Deleting = "its grace period"
		}
	}
	o.Reason = string(status.Reason)
	o.Message = status.Message
	o.Log = status.LogSnippet
	o.Output, o.Containerfile, o.Foreign = outputOf(build), containerfileOf(build), foreignIn(build)
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
		o.Transient = isTransient(status)
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

// imageOf is the repository that was pushed to, by the digest that the builder
// reported. It is empty without a digest: the builder only logs that it could
// not report it.
func imageOf(build *buildv1.Build) string {
	if build.Status.Output.To == nil {
		return ""
	}
	return owned.ImageOf(outputOf(build), build.Status.Output.To.ImageDigest)
}
