package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Tools are a node's programs where BuildTools and the Makefile put them.
func Tools(bin string) Options {
	return Options{Kubelet: filepath.Join(bin, "kubelet"), Helper: filepath.Join(bin, "node-helper"), Packages: filepath.Join(bin, "containerd")}
}

// BuildTools compiles kubelet and helper into a directory, unless they are there and current. Root is the repository's.
func BuildTools(ctx context.Context, root, bin string) (Options, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return Options{}, fmt.Errorf("could not resolve directory: %w", err)
	}
	opts := Tools(bin)
	for _, command := range []struct {
		why  string
		env  string
		args []string
	}{
		{"compile the kubelet", "", []string{"go", "build", "-o", opts.Kubelet, "-ldflags", "-s -w", "k8s.io/kubernetes/cmd/kubelet"}},
		{"compile the node's helper", "CGO_ENABLED=0", []string{"go", "build", "-o", opts.Helper, "-ldflags", "-s -w", "./devcluster/node/helper"}},
	} {
		run := exec.CommandContext(ctx, command.args[0], command.args[1:]...)
		run.Dir = filepath.Join(root, "test")
		run.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
		if command.env != "" {
			run.Env = append(run.Env, command.env)
		}
		if output, err := run.CombinedOutput(); err != nil {
			return Options{}, fmt.Errorf("could not %s: %w\n%s", command.why, err, output)
		}
	}
	return opts, nil
}

// FetchContainerd fetches containerd and runc, unless they are there or the machine has them.
func FetchContainerd(ctx context.Context, root string, opts Options) error {
	run := exec.CommandContext(ctx, "hack/fetch-containerd.sh", opts.Packages)
	run.Dir = root
	if output, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("could not fetch containerd: %w\n%s", err, output)
	}
	return nil
}
