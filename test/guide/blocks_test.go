package guide

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

const root = "../.."

var guidePath = filepath.Join(root, "hack", "deploy", "README.md")

// block is a piece of shell code in the guide.
type block struct {
	// line is that of its first command, from 1.
	line int
	text string
	// chapter is the heading above.
	chapter string
	// notRun says why it is not run; empty if it is.
	notRun string
}

var notRun = regexp.MustCompile(`^<!-- not run: (.+) -->$`)

func readBlocks(t *testing.T, text string) []block {
	t.Helper()
	var all []block
	chapter, reason, inside := "", "", false
	for i, line := range strings.Split(text, "\n") {
		switch match := notRun.FindStringSubmatch(line); {
		case inside && line == "```":
			inside = false
		case inside:
			all[len(all)-1].text += line + "\n"
		case line == "```sh":
			all = append(all, block{line: i + 2, chapter: chapter, notRun: reason})
			inside, reason = true, ""
		case strings.HasPrefix(line, "```"):
			require.Fail(t, "a block that is no shell code", "line %d: %s", i+1, line)
		case match != nil:
			reason = match[1]
		case strings.HasPrefix(line, "## "):
			chapter = strings.TrimPrefix(line, "## ")
		}
	}
	require.False(t, inside, "a block without an end")
	require.Empty(t, reason, "a reason without a block")
	return all
}

func readGuide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(guidePath)
	require.NoError(t, err)
	return string(text)
}

func TestReadBlocks(t *testing.T) {
	text := "# Title\n\n## One\n\n```sh\na\nb\n```\n\n<!-- not run: no machine -->\n```sh\nc\n```\n## Two\n```sh\nd\n```\n"
	require.Equal(t, []block{
		{line: 6, text: "a\nb\n", chapter: "One"},
		{line: 12, text: "c\n", chapter: "One", notRun: "no machine"},
		{line: 16, text: "d\n", chapter: "Two"},
	}, readBlocks(t, text))
}

// TestEveryReasonIsExplained: who is given a reason by a pool finds it in the table
// of symptoms, and no reason in there is made up.
func TestEveryReasonIsExplained(t *testing.T) {
	_, symptoms, found := strings.Cut(readGuide(t), "\n## Troubleshoot\n")
	require.True(t, found)
	var explained []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(symptoms, -1) {
		for _, word := range regexp.MustCompile("`([A-Z][A-Za-z]+)`").FindAllStringSubmatch(row[1], -1) {
			explained = append(explained, word[1])
		}
	}
	require.ElementsMatch(t, ledger.ReportedReasons, explained)
}

// TestLinks: what the guide refers to is there.
func TestLinks(t *testing.T) {
	text := readGuide(t)
	links := regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`).FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		target := guidePath
		if link[1] != "" {
			target = filepath.Join(filepath.Dir(guidePath), link[1])
		}
		content, err := os.ReadFile(target)
		require.NoError(t, err)
		if link[2] == "" {
			continue
		}
		var anchors []string
		for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(content), -1) {
			anchors = append(anchors, "#"+strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-"))
		}
		require.Contains(t, anchors, link[2], "in %s", target)
	}
}
