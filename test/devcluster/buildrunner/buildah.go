package buildrunner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
)

// BuildahOptions of a Buildah executor. Only Dir is required.
type BuildahOptions struct {
	// Dir holds image storage and work in progress.
	Dir string
	// Command is the buildah binary. Default "buildah" from PATH.
	Command string
	// PullTries and PushTries are how often each is tried, RetryDelay the pause in between. Default 2, 3 and 1 s; the real builder
	// tries each 3 times, 5 s apart.
	PullTries  int
	PushTries  int
	RetryDelay time.Duration
}

// Buildah is the Executor that makes real images. It needs root.
//
// Base images are pulled to one storage that is kept, <dir>/storage. Each build works in a storage of its own on top of it, like the
// real builder in the empty directory of its pod: whatever a build leaves behind, even when killed, goes away with that directory.
type Buildah struct {
	opts BuildahOptions
	// driver is how images are stored, see findDriver.
	driver string
	// pulls are serialized: two builds on the same base should fetch it once.
	pulls sync.Mutex
}

// NewBuildah makes a Buildah executor, or says what the machine lacks. It removes what a killed process has left in Dir.
func NewBuildah(opts BuildahOptions) (*Buildah, error) {
	if opts.Command == "" {
		opts.Command = "buildah"
	}
	if opts.PullTries == 0 {
		opts.PullTries = 2
	}
	if opts.PushTries == 0 {
		opts.PushTries = 3
	}
	if opts.RetryDelay == 0 {
		opts.RetryDelay = time.Second
	}
	if opts.Dir == "" {
		return nil, errors.New("could not set up buildah: no directory given")
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("could not set up buildah: it needs root for chroot isolation")
	}
	command, err := exec.LookPath(opts.Command)
	if err != nil {
		return nil, fmt.Errorf("could not set up buildah: %w", err)
	}
	if opts.Command, err = filepath.Abs(command); err != nil {
		return nil, fmt.Errorf("could not set up buildah: %w", err)
	}
	if opts.Dir, err = filepath.Abs(opts.Dir); err != nil {
		return nil, fmt.Errorf("could not set up buildah: %w", err)
	}
	b := &Buildah{opts: opts}
	if err := os.RemoveAll(b.buildsDir()); err != nil {
		return nil, fmt.Errorf("could not remove left-over builds: %w", err)
	}
	for _, dir := range []string{b.buildsDir(), b.storageDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("could not set up buildah: %w", err)
		}
	}
	b.driver = b.findDriver()
	return b, nil
}

func (b *Buildah) buildsDir() string  { return filepath.Join(b.opts.Dir, "builds") }
func (b *Buildah) storageDir() string { return filepath.Join(b.opts.Dir, "storage") }

// workspace is the directory of one build.
type workspace struct {
	dir      string
	context  string
	pullAuth string
	pushAuth string
	log      io.Writer
}

// Execute implements Executor.
func (b *Buildah) Execute(ctx context.Context, job Job) (result Result, err error) {
	job.OnRunning()
	space, err := b.prepare(job)
	if err != nil {
		return Result{}, err
	}
	defer func() {
		if removeErr := os.RemoveAll(space.dir); removeErr != nil && err == nil {
			err = fmt.Errorf("could not remove the traces of the build: %w", removeErr)
		}
	}()

	for _, image := range job.Images {
		if err := b.pull(ctx, space, image); err != nil {
			return Result{}, NewFailure(buildv1.StatusReasonPullBuilderImageFailed, err)
		}
	}
	// The real builder leaves these to its buildah. Pulled here they are in the storage that builds share.
	for _, image := range job.LateImages {
		if err := b.pull(ctx, space, image); err != nil {
			return Result{}, NewFailure(buildv1.StatusReasonDockerBuildFailed, err)
		}
	}
	if err := writeContext(space.context, job); err != nil {
		return Result{}, NewFailure(buildv1.StatusReasonDockerBuildFailed, err)
	}
	tag := "localhost/build:" + string(job.UID)
	if err := b.bud(ctx, space, job, tag); err != nil {
		return Result{}, NewFailure(buildv1.StatusReasonDockerBuildFailed, err)
	}
	if job.Output == "" {
		return Result{}, nil
	}
	digest, err := b.push(ctx, space, tag, pushDestination(job.Output))
	if err != nil {
		return Result{}, NewFailure(buildv1.StatusReasonPushImageToRegistryFailed, err)
	}
	return Result{Digest: digest}, nil
}

func (b *Buildah) prepare(job Job) (*workspace, error) {
	dir := filepath.Join(b.buildsDir(), string(job.UID))
	space := &workspace{
		dir: dir, context: filepath.Join(dir, "context"), log: job.Log,
		pullAuth: filepath.Join(dir, "pull-auth.json"), pushAuth: filepath.Join(dir, "push-auth.json"),
	}
	for _, sub := range []string{space.context, filepath.Join(dir, "tmp")} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return nil, fmt.Errorf("could not make build directory: %w", err)
		}
	}
	for file, content := range map[string][]byte{space.pullAuth: job.PullAuth, space.pushAuth: job.PushAuth} {
		if len(content) == 0 {
			content = []byte("{}")
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return nil, fmt.Errorf("could not write credentials: %w", err)
		}
	}
	return space, nil
}

// writeContext writes the Dockerfile, then the sources in their order over it.
func writeContext(dir string, job Job) error {
	// A root, because a path in a Build must not lead out of the context.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("could not open build context: %w", err)
	}
	files := append([]SourceFile{{Path: dockerfileName, Data: job.Dockerfile}}, job.Sources...)
	for _, file := range files {
		if err := root.MkdirAll(filepath.Dir(file.Path), 0o755); err != nil {
			return errors.Join(fmt.Errorf("could not make directory of %s: %w", file.Path, err), root.Close())
		}
		if err := root.WriteFile(file.Path, file.Data, 0o600); err != nil {
			return errors.Join(fmt.Errorf("could not write %s: %w", file.Path, err), root.Close())
		}
	}
	return root.Close()
}

// pull always asks the registry, even for an image that is there: the storage outlives builds, and one build's credentials must not
// open an image to another. Layers that are there are not fetched again.
func (b *Buildah) pull(ctx context.Context, space *workspace, image string) error {
	b.pulls.Lock()
	defer b.pulls.Unlock()
	return b.try(ctx, space, b.opts.PullTries, "pull image "+image, func() error {
		args := append(b.storageArgs(b.storageDir()), "pull", "--policy", "always", "--authfile", space.pullAuth)
		return b.run(ctx, space, append(args, tlsArgs(image)...), image)
	})
}

func (b *Buildah) bud(ctx context.Context, space *workspace, job Job, tag string) error {
	text, heredocs, err := withoutHeredocs(job.Containerfile())
	if err != nil {
		return err
	}
	containerfile, heredocDir := filepath.Join(space.dir, "Containerfile"), filepath.Join(space.dir, "heredocs")
	if err := os.WriteFile(containerfile, text, 0o600); err != nil {
		return fmt.Errorf("could not write Containerfile: %w", err)
	}
	if err := writeHeredocs(heredocDir, heredocs); err != nil {
		return err
	}
	volumes, err := writeVolumes(filepath.Join(space.dir, "volumes"), job.Volumes)
	if err != nil {
		return err
	}
	args := append(b.buildStorageArgs(space), "bud", "--isolation", "chroot", "--format", "docker", "--pull=false",
		// The cache never carries over between real builds, whose storage is as fresh as their pod.
		"--no-cache", fmt.Sprintf("--layers=%t", !job.SingleLayer),
		"--authfile", space.pullAuth, "--tag", tag, "--file", containerfile)
	if len(heredocs) > 0 {
		args = append(args, "--build-context", heredocContext+"="+heredocDir)
	}
	args = append(args, volumes...)
	for _, arg := range job.BuildArgs {
		args = append(args, "--build-arg", arg)
	}
	// What buildah pulls itself is known to nobody: rely on the registry that the build uses anyway.
	args = append(args, tlsArgs(slices.Concat(job.Images, job.LateImages, []string{job.Output})...)...)
	return b.run(ctx, space, args, space.context)
}

func (b *Buildah) push(ctx context.Context, space *workspace, tag, destination string) (string, error) {
	digestFile := filepath.Join(space.dir, "digest")
	err := b.try(ctx, space, b.opts.PushTries, "push image "+destination, func() error {
		args := append(b.buildStorageArgs(space), "push", "--digestfile", digestFile, "--authfile", space.pushAuth)
		return b.run(ctx, space, append(args, tlsArgs(destination)...), tag, "docker://"+destination)
	})
	if err != nil {
		return "", err
	}
	digest, err := os.ReadFile(digestFile)
	if err != nil {
		return "", fmt.Errorf("could not read digest of pushed image: %w", err)
	}
	return strings.TrimSpace(string(digest)), nil
}

// try does something that depends on a network a few times.
func (b *Buildah) try(ctx context.Context, space *workspace, tries int, what string, do func() error) error {
	var err error
	for attempt := 1; attempt <= tries; attempt++ {
		if attempt > 1 {
			_, _ = fmt.Fprintf(space.log, "Warning: could not %s, retrying in %s: %v\n", what, b.opts.RetryDelay, err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(b.opts.RetryDelay):
			}
		}
		if err = do(); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("could not %s in %d tries: %w", what, tries, err)
}

// pushDestination is where an output goes: a digest in it is dropped, and without a tag it is latest.
func pushDestination(output string) string {
	name, _, _ := strings.Cut(output, "@")
	if strings.LastIndex(name, ":") <= strings.LastIndex(name, "/") {
		name += ":latest"
	}
	return name
}
