package docs

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// largest is how many bytes a picture may have, by where it is.
var largest = map[string]int{"test/pictures": 60 << 10, "test/bench": 30 << 10}

var shown = regexp.MustCompile(`!\[([^\]]*)\]\(([^)]+\.svg)\)`)

// TestPicturesAreThere: each that a page shows is there and says in words what it shows, each that is there is shown, and all can be
// read in light and in dark surroundings.
func TestPicturesAreThere(t *testing.T) {
	shownBy := map[string]string{}
	for _, page := range tracked(t, "*.md") {
		for _, match := range shown.FindAllStringSubmatch(read(t, root, page), -1) {
			require.NotEmpty(t, match[1], "%s: who cannot see %s reads this", page, match[2])
			shownBy[filepath.Join(filepath.Dir(page), match[2])] = page
		}
	}
	require.NotEmpty(t, shownBy)
	pictures := tracked(t, "*.svg")
	for picture, page := range shownBy {
		require.Contains(t, pictures, picture, "%s shows it; `make pictures` makes those of the README, and they have to be added", page)
	}
	for _, picture := range pictures {
		require.Contains(t, shownBy, picture, "no page shows it")
		text := read(t, root, picture)
		require.NotZero(t, largest[filepath.Dir(picture)], "%s: say how large it may be", picture)
		require.LessOrEqual(t, len(text), largest[filepath.Dir(picture)], picture)
		require.Contains(t, text, "prefers-color-scheme:dark", picture)
		for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else {
				require.NoError(t, err, picture)
			}
		}
	}
}

// tracked are the files that are committed, or about to be.
func tracked(t *testing.T, pattern string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "--cached", "--", pattern, ":!vendor")
	files, err := command.Output()
	require.NoError(t, err)
	return strings.Fields(string(files))
}

// TestPictureOfTheDashboard: it has the panels that the dashboard has.
func TestPictureOfTheDashboard(t *testing.T) {
	var dashboard struct{ Panels []struct{ Title string } }
	require.NoError(t, json.Unmarshal([]byte(read(t, deployDir, "dashboard.json")), &dashboard))
	picture := html.UnescapeString(read(t, root, "test/pictures/dashboard.svg"))
	for _, panel := range dashboard.Panels {
		require.Contains(t, picture, ">"+panel.Title+"</text>", "`make pictures` draws it anew")
	}
	require.NotContains(t, picture, ">nothing to show</text>", "the run was too dull for a panel; see test/pictures/script.go")
}
