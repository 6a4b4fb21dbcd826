package buildrunner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	buildv1 "github.com/openshift/api/build/v1"
)

// build is what happens inside the pod.
func (r *Runner) build(ctx context.Context, pod *pod, build *buildv1.Build, log io.Writer) (Result, error) {
	running := func() { pod.change(func(state *podState) { state.stage = podRunning }) }

	if build.Spec.Source.ContextDir != "" {
		err := fmt.Errorf("could not find context directory %q: an inline Dockerfile is all the source there is", build.Spec.Source.ContextDir)
		return Result{}, NewFailure(buildv1.StatusReasonManageDockerfileFailed, err)
	}
	parsed, err := parseDockerfile(*build.Spec.Source.Dockerfile)
	if err != nil {
		return Result{}, NewFailure(buildv1.StatusReasonManageDockerfileFailed, err)
	}
	if parsed.heredoc {
		// The first step rewrote the file without the body; the second one chokes on it and cannot report why.
		running()
		return Result{}, errors.New("EOF: unterminated heredoc")
	}
	rewriteDockerfile(parsed, build)
	job, err := r.newJob(ctx, build, parsed, log)
	if err != nil {
		if failure := (*Failure)(nil); errors.As(err, &failure) {
			// What the builder can name, it came to see.
			running()
		}
		return Result{}, err
	}
	job.OnRunning = running
	return r.opts.Executor.Execute(ctx, job)
}

func (r *Runner) newJob(ctx context.Context, build *buildv1.Build, parsed *dockerfile, log io.Writer) (Job, error) {
	strategy := build.Spec.Strategy.DockerStrategy
	job := Job{Name: build.Name, Namespace: build.Namespace, UID: build.UID, Dockerfile: []byte(parsed.String()), Log: log}
	args := map[string]string{}
	for _, arg := range strategy.BuildArgs {
		args[arg.Name] = arg.Value
		job.BuildArgs = append(job.BuildArgs, arg.Name+"="+arg.Value)
	}
	job.Images = parsed.images(args)
	if policy := strategy.ImageOptimizationPolicy; policy != nil && *policy != buildv1.ImageOptimizationNone {
		job.SingleLayer = true
	}
	if build.Spec.Output.To != nil {
		job.Output = build.Spec.Output.To.Name
	}
	var err error
	if job.Sources, err = r.collectSources(ctx, build); err != nil {
		return job, err
	}
	if job.Volumes, err = r.collectVolumes(ctx, build); err != nil {
		return job, err
	}
	if text, found := replacement(job.Sources); found {
		if job.LateImages, err = lateImages(text, args); err != nil {
			return job, err
		}
	}
	if job.PullAuth, job.PushAuth, err = r.credentials(ctx, build, slices.Concat(job.Images, job.LateImages)); err != nil {
		return job, err
	}
	return job, nil
}

// lateImages are those of a Dockerfile that replaces the inline one. It is not rewritten, so its heredocs are whole, and what is wrong
// with it comes out in the build.
func lateImages(text []byte, args map[string]string) ([]string, error) {
	plain, _, err := withoutHeredocs(text)
	if err != nil {
		return nil, NewFailure(buildv1.StatusReasonDockerBuildFailed, err)
	}
	parsed, err := parseDockerfile(string(plain))
	if err != nil {
		return nil, NewFailure(buildv1.StatusReasonDockerBuildFailed, err)
	}
	var images []string
	for _, image := range parsed.images(args) {
		if image != heredocContext {
			images = append(images, image)
		}
	}
	return images, nil
}

// credentials gives the auth files for pulls and for the push.
func (r *Runner) credentials(ctx context.Context, build *buildv1.Build, images []string) (pull, push []byte, err error) {
	read := func(what string, data map[string][]byte, err error) (authEntries, error) {
		if err != nil {
			return nil, fmt.Errorf("could not get %s secret: %w", what, err)
		}
		entries, err := secretAuth(data)
		if err != nil {
			return nil, fmt.Errorf("could not use %s secret: %w", what, err)
		}
		return entries, nil
	}
	data, err := r.optionalSecret(ctx, build.Namespace, build.Spec.Strategy.DockerStrategy.PullSecret)
	pullEntries, err := read("pull", data, err)
	if err != nil {
		return nil, nil, err
	}
	data, err = r.optionalSecret(ctx, build.Namespace, build.Spec.Output.PushSecret)
	pushEntries, err := read("push", data, err)
	if err != nil {
		return nil, nil, err
	}
	node, err := r.nodeAuth()
	if err != nil {
		return nil, nil, err
	}
	pullEntries = pullAuth(pullEntries, node, images)
	if pull, err = pullEntries.encode(); err != nil {
		return nil, nil, err
	}
	if build.Spec.Output.To == nil {
		return pull, nil, nil
	}
	push, err = pushAuth(pushEntries, pullEntries, build.Spec.Output.To.Name).encode()
	return pull, push, err
}

func (r *Runner) nodeAuth() (authEntries, error) {
	if r.opts.NodeAuthFile == "" {
		return authEntries{}, nil
	}
	raw, err := os.ReadFile(r.opts.NodeAuthFile)
	if errors.Is(err, os.ErrNotExist) {
		return authEntries{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not read the node's credentials: %w", err)
	}
	return parseAuth(raw)
}
