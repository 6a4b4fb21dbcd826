package status

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// tableFor is the table of two pools on a terminal.
func tableFor(terminal cluster.Terminal) string {
	text := statusText{now: time.Unix(0, 0), report: &status.Report{Pools: []status.Pool{
		{Name: "worker", OptedIn: true, State: ledger.StateFailed, Reason: "BuildFailed", Config: "rendered-worker-" + strings.Repeat("0", 32), Image: "registry.example.com/os@sha256:" + strings.Repeat("1", 64)},
		{Name: "a-pool-with-a-long-name", OptedIn: true, State: ledger.StatePublished, Reason: "ImagePublished", Config: "rendered-a-pool-with-a-long-name-" + strings.Repeat("0", 32)},
	}}}
	return text.table(&columns{terminal: terminal})
}

// TestR52TableFitsTheTerminal: no line breaks in two, as long as there is room for anything.
func TestR52TableFitsTheTerminal(t *testing.T) {
	whole := tableFor(cluster.Terminal{})
	widest := func(text string) (widest int) {
		for line := range strings.Lines(text) {
			widest = max(widest, utf8.RuneCountInString(line)-1)
		}
		return widest
	}
	for _, width := range []int{1000, widest(whole), 0} {
		require.Equal(t, whole, tableFor(cluster.Terminal{Width: func() int { return width }}), "there is room, or nothing is known")
	}
	for _, width := range []int{120, 100, 90} {
		narrow := tableFor(cluster.Terminal{Width: func() int { return width }})
		require.LessOrEqual(t, widest(narrow), width, narrow)
		require.Contains(t, narrow, "worker ", narrow)
		require.Contains(t, narrow, "…")
	}
	require.Contains(t, tableFor(cluster.Terminal{Width: func() int { return 10 }}), "Published", "the state is never cut")
}

// TestR52StatesHaveColours: columns are where they are without.
func TestR52StatesHaveColours(t *testing.T) {
	painted := tableFor(cluster.Terminal{Colours: true})
	require.Contains(t, painted, "\x1b[31mFailed\x1b[0m ")
	require.Contains(t, painted, "\x1b[32mPublished\x1b[0m ")
	require.Equal(t, tableFor(cluster.Terminal{}), regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(painted, ""))
}
