package build

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeIsRight: the maintainers' README names files, tests, flags and targets that
// exist.
func TestReadmeIsRight(t *testing.T) {
	const root = "../../.."
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(text)

	for _, match := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readme, -1) {
		require.FileExists(t, match[1], "a link")
	}
	for _, match := range regexp.MustCompile("`([a-z][\\w./]*(?:\\.go|\\.yaml|/))`").FindAllStringSubmatch(readme, -1) {
		_, here := os.Stat(match[1])
		_, there := os.Stat(filepath.Join(root, match[1]))
		require.True(t, here == nil || there == nil, "there is no %s", match[1])
	}

	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(`(?m)^make (\S+)`).FindAllStringSubmatch(readme, -1) {
		require.Contains(t, string(makefile), "\n"+match[1]+":", "a target of make")
	}
	commands := regexp.MustCompile(`(?m)^go test (\S+) -run '([^']+)'(.*)$`).FindAllStringSubmatch(readme, -1)
	require.NotEmpty(t, commands)
	for _, command := range commands {
		for name := range strings.SplitSeq(command[2], "|") {
			require.True(t, hasTest(t, filepath.Join(root, command[1]), strings.TrimSuffix(name, "$")), "there is no %s in %s", name, command[1])
		}
		if strings.HasSuffix(command[1], "/build") {
			for _, match := range regexp.MustCompile(` -(\w+)`).FindAllStringSubmatch(command[3], -1) {
				require.NotNil(t, flag.Lookup(match[1]), "there is no flag -%s", match[1])
			}
		}
		if match := regexp.MustCompile(`-schedule '([^']+)'`).FindStringSubmatch(command[3]); match != nil {
			_, err := parseSchedule(match[1])
			require.NoError(t, err)
		}
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
