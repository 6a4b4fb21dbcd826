package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// controllerDir has the controller, its contract and its maintainers' documentation.
var controllerDir = filepath.Join(root, "pkg", "controller", "build")

// read returns a file of the repository.
func read(t *testing.T, name ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(name...))
	require.NoError(t, err)
	return string(content)
}

// tableRows are the cells of a text's rows that begin with a text in backquotes, or
// continue such a row.
func tableRows(text string) [][]string {
	var rows [][]string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "| `") || strings.HasPrefix(line, "| |") {
			rows = append(rows, strings.Split(strings.Trim(line, "|"), "|"))
		}
	}
	return rows
}

var quoted = regexp.MustCompile("`([^`]+)`")

// words are those in backquotes.
func words(cell string) []string {
	var found []string
	for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
		found = append(found, match[1])
	}
	return found
}
