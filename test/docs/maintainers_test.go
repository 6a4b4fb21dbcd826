package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeIsRight: the maintainers' README names files, tests and targets that exist.
// Whether the flags of its commands do is tested next to the controller.
func TestReadmeIsRight(t *testing.T) {
	readme := read(t, controllerDir, "README.md")
	for _, match := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readme, -1) {
		require.FileExists(t, filepath.Join(controllerDir, match[1]), "a link")
	}
	for _, match := range regexp.MustCompile("`([a-z][\\w./]*(?:\\.go|\\.yaml|/))`").FindAllStringSubmatch(readme, -1) {
		_, here := os.Stat(filepath.Join(controllerDir, match[1]))
		_, there := os.Stat(filepath.Join(root, match[1]))
		require.True(t, here == nil || there == nil, "there is no %s", match[1])
	}

	makefile := read(t, root, "Makefile")
	for _, match := range regexp.MustCompile(`(?m)^make (\S+)`).FindAllStringSubmatch(readme, -1) {
		require.Contains(t, makefile, "\n"+match[1]+":", "a target of make")
	}
	commands := regexp.MustCompile(`(?m)^go test (\S+) -run '([^']+)'`).FindAllStringSubmatch(readme, -1)
	require.NotEmpty(t, commands)
	for _, command := range commands {
		for name := range strings.SplitSeq(command[2], "|") {
			require.True(t, hasTest(t, filepath.Join(root, command[1]), strings.TrimSuffix(name, "$")), "there is no %s in %s", name, command[1])
		}
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.Contains(read(t, file), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
