package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kubectl puts kubectl, of the version of the API server that the tests run and built from the same module, into the directory.
// What is on the machine may be of any version, or nothing. It takes half a minute once; from then on Go's build cache has it.
func Kubectl(ctx context.Context, dir string) (path string, err error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "kubectl")
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	built, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("could not build kubectl: %w", err)
	}
	path = filepath.Join(dir, "kubectl")
	if err := os.Symlink(strings.TrimSpace(string(built)), path); err != nil {
		return "", fmt.Errorf("could not put kubectl in place: %w", err)
	}
	return path, nil
}
