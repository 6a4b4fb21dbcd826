package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner/isolate"
	"github.com/openshift/machine-config-operator/test/devcluster/playednode"
)

const (
	// hostBuilderImage stands for an image with buildah, where no container runs: this machine has it.
	hostBuilderImage = "builder.demo.example.com/tools/buildah:latest"
	// inContainer is where the script of a Job finds everything, unless it is told otherwise.
	inContainer = "/run/machine-os"
	exitKilled  = 137
)

// hostBuilder runs what Jobs run, the very script that comes with them, by this machine's buildah, in a directory instead of a
// container. It has the files of the pod, among them the credentials, and no others.
type hostBuilder struct {
	dir, logs string
}

// startPlayedNode starts the node that takes the pods of Jobs, where none is a real one.
func (d *demo) startPlayedNode(ctx context.Context) error {
	n, err := playednode.Start(ctx, playednode.Options{
		Name: "builder", Config: d.cluster.RESTConfig(), Images: []string{hostBuilderImage}, Programs: []string{"/bin/sh"},
		Executor: &hostBuilder{dir: d.path(dirJobs), logs: d.path(dirBuildLogs)},
	})
	if err != nil {
		return err
	}
	d.cleanup(n.Stop)
	return nil
}

// Execute implements playednode.Executor.
func (b *hostBuilder) Execute(ctx context.Context, c *playednode.Container) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.Terminate:
			cancel()
		case <-ctx.Done():
		}
	}()
	code, message, err := b.build(ctx, c)
	if err != nil {
		message = fmt.Sprintf(`{"step":"inputs","reason":"InputsInvalid","message":%q}`, err.Error())
	}
	c.Tell(message)
	return code
}

// build gives what the script leaves behind: its exit code and its message.
func (b *hostBuilder) build(ctx context.Context, c *playednode.Container) (code int, message string, err error) {
	_, tag, _ := strings.Cut(filepath.Base(c.Env["OUTPUT"]), ":")
	dir := filepath.Join(b.dir, tag)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, empty := range []string{"memory", "storage"} {
		if err := os.MkdirAll(filepath.Join(dir, empty), 0o700); err != nil {
			return 1, "", err
		}
	}
	for path, content := range c.Files {
		path = filepath.Join(dir, strings.TrimPrefix(path, inContainer))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return 1, "", err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return 1, "", err
		}
	}
	if err := os.MkdirAll(b.logs, 0o755); err != nil {
		return 1, "", err
	}
	log, err := os.OpenFile(filepath.Join(b.logs, tag+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 1, "", err
	}
	defer func() { err = errors.Join(err, log.Close()) }()

	ended := filepath.Join(dir, "message")
	env := []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "MACHINE_OS_ROOT=" + dir, "TERMINATION_LOG=" + ended, "CGROUP_ROOT=" + dir}
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	failure := isolate.Run(ctx, isolate.Command{Args: []string{"/bin/sh", filepath.Join(dir, "inputs", "build.sh")}, Dir: dir, Env: env, Log: log})
	if ctx.Err() != nil {
		return exitKilled, "", nil
	}
	text, err := os.ReadFile(ended)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 1, "", err
	}
	var exit *exec.ExitError
	switch {
	case failure == nil:
		return 0, string(text), nil
	case errors.As(failure, &exit):
		return exit.ExitCode(), string(text), nil
	default:
		return 1, string(text), failure
	}
}
