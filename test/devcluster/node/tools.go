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

// BuildTools compiles kubelet and helper into a directory, unless they are there and current, and fetches containerd and runc where
// the machine has none. Root is the repository's.
func BuildTools(ctx context.Context, root, bin string) (Options, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return Options{}, fmt.Errorf("could not resolve directory: %w", err)
	}
	opts := Tools(bin)
	for _, command := range []struct {
		why  string
		dir  string
		env  string
		args []string
	}{
		{"compile the kubelet", "test", "", []string{"go", "build", "-o", opts.Kubelet, "-ldflags", "-s -w", "k8s.io/kubernetes/cmd/kubelet"}},
		{"compile the node's helper", "test", "CGO_ENABLED=0", []string{"go", "build", "-o", opts.Helper, "-ldflags", "-s -w", "./devcluster/node/helper"}},
		{"fetch containerd", "", "", []string{"hack/fetch-containerd.sh", opts.Packages}},
	} {
		run := exec.CommandContext(ctx, command.args[0], command.args[1:]...)
		run.Dir = filepath.Join(root, command.dir)
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
