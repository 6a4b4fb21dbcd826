package buildrunner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

func (r *Runner) startPod(ctx context.Context, build *buildv1.Build) {
	build = build.DeepCopy()
	r.pods.start(ctx, build, func() { r.queue.Add(build.Name) }, func(ctx context.Context, pod *pod) { r.work(ctx, pod, build) })
}

// work is the life of a pod: mount, get a place to run, run.
func (r *Runner) work(ctx context.Context, pod *pod, build *buildv1.Build) {
	deadline := r.opts.DefaultDeadline
	if seconds := build.Spec.CompletionDeadlineSeconds; seconds != nil {
		deadline = time.Duration(*seconds) * time.Second
	}
	created := r.opts.Clock.Now()
	start := metav1.NewTime(created)

	if err := r.mount(ctx, pod, build, deadline); err != nil {
		pod.change(func(state *podState) { state.stage, state.err, state.start = podEnded, err, &start })
		return
	}
	mounted := r.opts.Clock.Now()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		pod.change(func(state *podState) { state.stage, state.err = podEnded, context.Cause(ctx) })
		return
	}
	// A real pod's deadline does not run while it waits to be scheduled.
	start = metav1.NewTime(created.Add(r.opts.Clock.Since(mounted)))
	pod.change(func(state *podState) { state.start = &start })

	log, tail, closeLog := r.openLog(build)
	defer closeLog()
	var result Result
	err := r.withDeadline(ctx, deadline-mounted.Sub(created), func(ctx context.Context) error {
		var err error
		result, err = r.build(ctx, pod, build, log)
		return err
	})
	if err != nil {
		_, _ = fmt.Fprintf(log, "error: %v\n", err)
	}
	pod.change(func(state *podState) {
		state.stage, state.err, state.digest, state.log = podEnded, err, result.Digest, tail.String()
		var failure *Failure
		if errors.As(err, &failure) {
			state.reported = failure
		}
	})
}

// withDeadline runs something that ends early with errDeadline when time is up, or with the cause when ctx ends.
func (r *Runner) withDeadline(ctx context.Context, left time.Duration, run func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := r.opts.Clock.NewTimer(left)
	var group sync.WaitGroup
	group.Go(func() {
		select {
		case <-timer.C():
			cancel(errDeadline)
		case <-ctx.Done():
			timer.Stop()
		}
	})
	err := run(ctx)
	cause := context.Cause(ctx)
	cancel(nil)
	group.Wait()
	if err != nil && cause != nil {
		return cause
	}
	return err
}

// mount waits until all that the pod mounts exists.
func (r *Runner) mount(ctx context.Context, pod *pod, build *buildv1.Build, deadline time.Duration) error {
	return r.withDeadline(ctx, deadline, func(ctx context.Context) error {
		for {
			push, others, err := r.missingMounts(ctx, build)
			if err != nil && ctx.Err() == nil {
				klog.ErrorS(err, "Could not look for what a build mounts, will retry", "build", klog.KObj(build))
			}
			if push != pod.snapshot().missingPushSecret {
				pod.change(func(state *podState) { state.missingPushSecret = push })
			}
			if err == nil && !push && !others {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-r.opts.Clock.After(r.opts.RecheckInterval):
			}
		}
	})
}

func (r *Runner) missingMounts(ctx context.Context, build *buildv1.Build) (push, others bool, err error) {
	if _, err := r.optionalSecret(ctx, build.Namespace, build.Spec.Output.PushSecret); apierrors.IsNotFound(err) {
		push = true
	} else if err != nil {
		return false, false, err
	}
	if _, err := r.optionalSecret(ctx, build.Namespace, build.Spec.Strategy.DockerStrategy.PullSecret); apierrors.IsNotFound(err) {
		others = true
	} else if err != nil {
		return push, false, err
	}
	missing, err := r.missingSources(ctx, build)
	return push, others || len(missing) > 0, err
}
