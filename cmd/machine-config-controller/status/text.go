package status

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// columns aligns rows that come one after the other: a column is as wide as the widest
// cell so far, as long as a terminal has room.
type columns struct {
	widths   []int
	terminal cluster.Terminal
}

const gap = "   "

// fit makes the columns wide enough for the rows.
func (c *columns) fit(rows ...[]string) {
	for _, row := range rows {
		for i, cell := range row {
			if i == len(c.widths) {
				c.widths = append(c.widths, 0)
			}
			c.widths[i] = max(c.widths[i], utf8.RuneCountInString(cell))
		}
	}
}

// Columns, by their place in a row.
const (
	poolColumn   = 0
	stateColumn  = 1
	whyColumn    = 2
	configColumn = 3
	imageColumn  = 4
)

// narrowest is how narrow a column may become.
const narrowest = 8

// within are the widths where a line is not to be longer than the terminal's. What is cut is
// what other commands tell: the config and the image first, the pool's name last.
func (c *columns) within() []int {
	widths := slices.Clone(c.widths)
	if c.terminal.Width == nil || c.terminal.Width() == 0 {
		return widths
	}
	excess := len(gap)*(len(widths)-1) - c.terminal.Width()
	for _, width := range widths {
		excess += width
	}
	for _, i := range []int{imageColumn, configColumn, whyColumn, poolColumn} {
		if i < len(widths) && excess > 0 {
			cut := min(excess, max(widths[i]-narrowest, 0))
			widths[i] -= cut
			excess -= cut
		}
	}
	return widths
}

// line lays a row out.
func (c *columns) line(row []string) string {
	c.fit(row)
	widths := c.within()
	var text strings.Builder
	for i, cell := range row {
		if characters := []rune(cell); len(characters) > widths[i] {
			cell = string(characters[:widths[i]-1]) + "…"
		}
		padding := ""
		if i < len(row)-1 {
			padding = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + gap
		}
		if i == stateColumn {
			cell = c.terminal.Paint(cell, colours[ledger.State(cell)])
		}
		text.WriteString(cell + padding)
	}
	return strings.TrimRight(text.String(), " ") + "\n"
}

// colours tell whether anybody has to do anything: red for what has come to nothing, yellow for
// what waits for somebody, cyan for what goes on by itself.
var colours = map[ledger.State]cluster.Colour{
	ledger.StatePublished: cluster.Green,
	ledger.StateBuilding:  cluster.Cyan, ledger.StatePending: cluster.Cyan, ledger.StateQueued: cluster.Cyan, ledger.StateSettling: cluster.Cyan,
	ledger.StateRetrying: cluster.Yellow, ledger.StateHeld: cluster.Yellow, ledger.StateInterrupted: cluster.Yellow, ledger.StateNotReported: cluster.Yellow,
	ledger.StateFailed: cluster.Red, ledger.StateStuck: cluster.Red, ledger.StateContradictory: cluster.Red,
}

// statusText is the report for people.
type statusText struct {
	report *status.Report
	now    time.Time
	wide   bool
	// noHeaders leaves the titles out.
	noHeaders bool
}

// write writes the table to out, and what is no part of it to notes.
func (t *statusText) write(out, notes io.Writer) error {
	if len(t.report.Pools) == 0 {
		_, _ = fmt.Fprintln(notes, nobodyOptedIn)
	} else if _, err := io.WriteString(out, t.table(newColumns(out, t.wide))); err != nil {
		return err
	}
	for _, note := range t.report.NotRead {
		_, _ = fmt.Fprintln(notes, "Not read: "+note)
	}
	return nil
}

// newColumns are for a terminal, if that is what is written to. In the wide form nothing is cut.
func newColumns(out io.Writer, wide bool) *columns {
	terminal := cluster.TerminalOf(out)
	if wide {
		terminal.Width = nil
	}
	return &columns{terminal: terminal}
}

const nobodyOptedIn = "No MachineConfigPool opted in. Opt one in by\n  oc label machineconfigpool <pool> " + ctrlcommon.LayeringEnabledPoolLabel +
	"=\nor list all by --all."

func (t *statusText) table(c *columns) string {
	var rows [][]string
	if !t.noHeaders {
		rows = append(rows, status.Header(t.wide))
	}
	for i := range t.report.Pools {
		rows = append(rows, t.report.Pools[i].Cells(t.now, t.wide))
	}
	c.fit(rows...)
	var text strings.Builder
	for _, row := range rows {
		text.WriteString(c.line(row))
	}
	return text.String()
}
