package status

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// columns aligns rows that come one after the other: a column is as wide as the widest
// cell so far.
type columns struct{ widths []int }

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

// line lays a row out.
func (c *columns) line(row []string) string {
	c.fit(row)
	var text strings.Builder
	for i, cell := range row {
		text.WriteString(cell)
		if i < len(row)-1 {
			text.WriteString(strings.Repeat(" ", c.widths[i]-utf8.RuneCountInString(cell)) + gap)
		}
	}
	return strings.TrimRight(text.String(), " ") + "\n"
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
	} else if _, err := io.WriteString(out, t.table(&columns{})); err != nil {
		return err
	}
	for _, note := range t.report.NotRead {
		_, _ = fmt.Fprintln(notes, "Not read: "+note)
	}
	return nil
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
