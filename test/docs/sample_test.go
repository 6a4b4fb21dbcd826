package docs

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/program"
)

// TestReadmeShowsRealOutput: the sample is taken from the output, in its order.
func TestReadmeShowsRealOutput(t *testing.T) {
	_, section, found := strings.Cut(read(t, root, "README.md"), "## Look before you build\n")
	require.True(t, found)
	sample := strings.Split(section, "```\n")[3]
	rest := outputOf(t, "render-build", "-f", filepath.Join("test", "render"), "--diff")
	for line := range strings.Lines(sample) {
		if strings.TrimSpace(line) == "…" {
			continue
		}
		_, after, found := strings.Cut(rest, line)
		require.True(t, found, "the command does not print: %s", line)
		rest = after
	}
}

// outputOf is what machine-config-controller prints when it is run in the root.
func outputOf(t *testing.T, args ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "machine-config-controller")
	build := exec.CommandContext(t.Context(), "go", "run", "-mod=vendor", "-buildvcs=false", "-exec", program.RunInto, "./cmd/machine-config-controller", binary)
	build.Dir = root
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))

	command := exec.CommandContext(t.Context(), binary, args...)
	command.Dir = root
	output, err := command.Output()
	// The exit code tells what would be done; there is output in any case but errors.
	var exit *exec.ExitError
	require.True(t, err == nil || errors.As(err, &exit), "it could not be run: %v", err)
	require.NotEmpty(t, output)
	return string(output)
}
