package buildrunner

import (
	"context"
	"fmt"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// sync brings the status of one Build in line with its pod, and starts or stops that. It gives the time after which to look again.
func (r *Runner) sync(ctx context.Context, name string) (time.Duration, error) {
	build, err := r.buildLister.Builds(r.opts.Namespace).Get(name)
	if apierrors.IsNotFound(err) {
		r.pods.removeExcept(name, "")
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("could not get build %s from cache: %w", name, err)
	}
	r.pods.removeExcept(name, build.UID)

	pod := r.pods.get(build.UID)
	switch {
	case build.Status.Phase != "" && isTerminal(build.Status.Phase):
		if pod != nil {
			pod.stop(errStopped)
		}
		return 0, r.finish(ctx, build, pod)
	case build.Status.Cancelled:
		if pod != nil {
			pod.stop(errStopped)
		}
		return 0, r.end(ctx, build, pod, buildv1.BuildPhaseCancelled, buildv1.StatusReasonCancelledBuild, "")
	case pod == nil && (build.Status.Phase == buildv1.BuildPhasePending || build.Status.Phase == buildv1.BuildPhaseRunning):
		return 0, r.end(ctx, build, nil, buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodDeleted, "")
	case pod == nil:
		return r.syncNew(ctx, build)
	case build.Status.Phase == "" || build.Status.Phase == buildv1.BuildPhaseNew:
		// The pod is there, only the write that says so is missing.
		return 0, r.admit(ctx, build)
	default:
		return 0, r.syncActive(ctx, build, pod)
	}
}

// syncNew creates the pod of a Build, or says why it cannot be created yet. The order of the checks is that of the real controller:
// what makes the pod impossible, what it would mount, what is in its way.
func (r *Runner) syncNew(ctx context.Context, build *buildv1.Build) (time.Duration, error) {
	if output := build.Spec.Output.To; output != nil && output.Kind != "DockerImage" {
		return 0, r.hold(ctx, build, buildv1.StatusReasonInvalidOutputReference, fmt.Sprintf("output.to has kind %q", output.Kind))
	}
	if field := unsupportedField(build); field != "" {
		return 0, r.hold(ctx, build, buildv1.StatusReasonCannotCreateBuildPodSpec, "this build runner does not support "+field)
	}
	for _, variable := range build.Spec.Strategy.DockerStrategy.Env {
		if variable.ValueFrom != nil {
			return 0, r.end(ctx, build, nil, buildv1.BuildPhaseError, buildv1.StatusReasonUnresolvableEnvironmentVariable,
				fmt.Sprintf("Error resolving environment variable %s: this build runner reads no references.", variable.Name))
		}
	}
	missing, err := r.missingSources(ctx, build)
	if err != nil {
		return 0, err
	}
	if len(missing) > 0 {
		return r.opts.RecheckInterval, r.hold(ctx, build, buildv1.StatusReasonGenericBuildFailed, "not found: "+strings.Join(missing, ", "))
	}
	if duplicate := duplicateSource(build); duplicate != "" {
		return 0, r.hold(ctx, build, buildv1.StatusReasonCannotCreateBuildPod, duplicate+" is mounted twice: mountPath must be unique")
	}
	if duplicate := duplicateDestination(build); duplicate != "" {
		return 0, r.hold(ctx, build, buildv1.StatusReasonCannotCreateBuildPodSpec, "two volumes go to "+duplicate)
	}
	if blocked := r.pods.blockedFor(build.Name, build.UID); blocked >= 0 {
		left := r.opts.PodExistsTimeout - blocked
		if left <= 0 {
			return 0, r.end(ctx, build, nil, buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodExists, "")
		}
		return left, nil
	}
	r.startPod(ctx, build)
	return 0, r.admit(ctx, build)
}

// syncActive copies the state of a pod to its Build.
func (r *Runner) syncActive(ctx context.Context, build *buildv1.Build, pod *pod) error {
	state := pod.snapshot()
	switch {
	case state.stage == podPending:
		reason := buildv1.StatusReason("")
		if state.missingPushSecret {
			reason = buildv1.StatusReasonMissingPushSecret
		}
		_, err := r.update(ctx, build, func(live *buildv1.Build) bool {
			return setPhase(live, buildv1.BuildPhasePending, reason, failureMessages[reason], r.now())
		})
		return err
	case state.stage == podRunning:
		return r.markRunning(ctx, build, state, "")
	case state.err == nil && state.digest != "" && digestOf(build) == "":
		// The builder reports the digest right after the push, before the controller notices that it is done.
		return r.markRunning(ctx, build, state, state.digest)
	case state.err == nil:
		return r.end(ctx, build, pod, buildv1.BuildPhaseComplete, "", "")
	case state.reported != nil:
		_, err := r.update(ctx, build, func(live *buildv1.Build) bool {
			return setPhase(live, buildv1.BuildPhaseFailed, state.reported.Reason, state.reported.Message, r.now())
		})
		return err
	default:
		return r.end(ctx, build, pod, buildv1.BuildPhaseFailed, buildv1.StatusReasonGenericBuildFailed, "")
	}
}

// admit writes Pending.
func (r *Runner) admit(ctx context.Context, build *buildv1.Build) error {
	_, err := r.update(ctx, build, func(live *buildv1.Build) bool {
		if !setPhase(live, buildv1.BuildPhasePending, "", "", r.now()) {
			return false
		}
		if live.Annotations == nil {
			live.Annotations = map[string]string{}
		}
		live.Annotations[buildv1.BuildPodNameAnnotation] = podName(live.Name)
		if live.Spec.Output.To != nil {
			live.Status.OutputDockerImageReference = live.Spec.Output.To.Name
		}
		return true
	})
	return err
}

// markRunning writes Running, and the digest once there is one.
func (r *Runner) markRunning(ctx context.Context, build *buildv1.Build, state podState, digest string) error {
	started := false
	changed, err := r.update(ctx, build, func(live *buildv1.Build) bool {
		if isTerminal(live.Status.Phase) && live.Status.Phase != "" {
			return false
		}
		started = setPhase(live, buildv1.BuildPhaseRunning, "", "", r.now())
		if started && live.Status.StartTimestamp == nil && state.start != nil {
			start := state.start.Rfc3339Copy()
			live.Status.StartTimestamp = &start
		}
		if digest == "" || digestOf(live) == digest {
			return started
		}
		live.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: digest}
		return true
	})
	if changed && started {
		r.event(build, "BuildStarted", "is now running")
	}
	return err
}

// hold parks a Build in New with a reason.
func (r *Runner) hold(ctx context.Context, build *buildv1.Build, reason buildv1.StatusReason, detail string) error {
	message := failureMessages[reason] + " (" + detail + ")"
	if reason == buildv1.StatusReasonGenericBuildFailed {
		// There are no logs to check: the detail is all there is.
		message = "Build inputs " + detail
	}
	_, err := r.update(ctx, build, func(live *buildv1.Build) bool {
		return setPhase(live, buildv1.BuildPhaseNew, reason, message, r.now())
	})
	return err
}

// end makes a Build terminal in one write, as the controller does when no builder reported.
func (r *Runner) end(ctx context.Context, build *buildv1.Build, pod *pod, phase buildv1.BuildPhase, reason buildv1.StatusReason, message string) error {
	if message == "" {
		message = failureMessages[reason]
	}
	changed, err := r.update(ctx, build, func(live *buildv1.Build) bool {
		if !setPhase(live, phase, reason, message, r.now()) {
			return false
		}
		r.complete(live, pod)
		return true
	})
	if changed {
		r.endEvent(build, phase)
	}
	return err
}

// finish adds what the builder's own report of an end lacks.
func (r *Runner) finish(ctx context.Context, build *buildv1.Build, pod *pod) error {
	if build.Status.CompletionTimestamp != nil {
		return nil
	}
	if build.Status.Phase != buildv1.BuildPhaseFailed && build.Status.Phase != buildv1.BuildPhaseComplete {
		return nil
	}
	changed, err := r.update(ctx, build, func(live *buildv1.Build) bool { return r.complete(live, pod) })
	if changed {
		r.endEvent(build, build.Status.Phase)
	}
	return err
}

func (r *Runner) complete(live *buildv1.Build, pod *pod) bool {
	var start *metav1.Time
	if pod != nil {
		state := pod.snapshot()
		start = state.start
		if live.Status.Phase == buildv1.BuildPhaseFailed || live.Status.Phase == buildv1.BuildPhaseError {
			live.Status.LogSnippet = logSnippet(state.log)
		}
	}
	return setCompletion(live, start, r.now())
}

func (r *Runner) endEvent(build *buildv1.Build, phase buildv1.BuildPhase) {
	switch phase {
	case buildv1.BuildPhaseComplete:
		r.event(build, "BuildCompleted", "completed successfully")
	case buildv1.BuildPhaseCancelled:
		r.event(build, "BuildCancelled", "has been cancelled")
	default:
		r.event(build, "BuildFailed", "failed")
	}
}

func (r *Runner) event(build *buildv1.Build, reason, what string) {
	r.events.Eventf(build, corev1.EventTypeNormal, reason, "Build %s/%s %s", build.Namespace, build.Name, what)
}

// update changes the live Build through the main resource, for there is no status subresource. A Build that is gone or replaced by
// another of the same name is left alone. It reports whether there was a write.
func (r *Runner) update(ctx context.Context, build *buildv1.Build, mutate func(live *buildv1.Build) bool) (bool, error) {
	client := r.buildClient.BuildV1().Builds(build.Namespace)
	changed := false
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		live, err := client.Get(ctx, build.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		changed = live.UID == build.UID && mutate(live)
		if !changed {
			return nil
		}
		_, err = client.Update(ctx, live, metav1.UpdateOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("could not update status of build %s: %w", build.Name, err)
	}
	return changed, nil
}

func digestOf(build *buildv1.Build) string {
	if build.Status.Output.To == nil {
		return ""
	}
	return build.Status.Output.To.ImageDigest
}
