package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// row is a line of the table of promises.
type row struct {
	ID        string `json:"id"`
	Metric    string `json:"metric"`
	Yardstick string `json:"yardstick"`
	Floor     string `json:"floor"`
	First     string `json:"first"`
	Goal      string `json:"goal"`
}

// rows are what was promised, with what the first BuildController cost.
var rows = []row{
	{"P1", "API calls per build cycle", "contract minimum", "7", "28 to 39", "<= 9, of which <= 1 read"},
	{"P2", "API calls per no-op sync, per irrelevant event, per settled pool at restart", "-", "0", "1 / 1 / 1", "0 / 0 / 0"},
	{"P3", "calls in ten virtual minutes at rest, 10,000 pools", "-", "0", "GETs for ever", "0"},
	{"P4", "no-op sync: time in look-ups of a lister, allocations", "lister Get", "1, 0", "550, 70, plus a GET", "<= 111 (2 us), <= 8"},
	{"P5", "heap per cached pool and per cached rendered config", "plain typed object", "-", "1.0; 1.0", "<= 0.82; <= 0.02"},
	{"P6", "pool update committed -> Build created", "raw create", "2", "about 11; new pool + 5 s", "p50 <= 4, p99 <= 10"},
	{"P7", "Build complete -> pullspec on the pool", "raw pool patch", "1", ">= 2,500", "p50 <= 4, p99 <= 10"},
	{"P8", "1,000 pools converge", "bare loop, same writes", "1.0", "about 400 throttled, 2.5 not", "<= 1.3"},
	{"P9", "10,000 pools converge / 1,000", "bare loop 10.5", "10", "-", "<= 11.5"},
	{"P10", "restart with 10,000 settled pools: time to idle", "informer sync", "1", "33 min of GETs", "<= 1.5, no call beyond LIST and WATCH"},
	{"P11", "p99 reaction of one pool while 10,000 resync", "idle reaction", "1", "unbounded", "<= 3"},
	{"P12", "requests per pool in ten minutes of 429", "-", "-", "-", "<= 20, exponential, jittered"},
	{"P13", "status writes, and events, per state change", "-", "1", "2-3", "1, <= 1 event"},
	{"P14", "bytes sent per cycle besides the build inputs", "-", "-", "about 32 KB", "<= 6 KB"},
	{"P15", "goroutines and heap after 100,000 cycles", "-", "-", "-", "slope 0"},
	{"P20", "memory of the controller's process with 10,000 pools and 20,000 configs cached", "process with plain objects", "-", "-", "<= 0.5"},
}

// canRun tells whether -only may name it.
func canRun(id string) bool { return id == plots || isRow(id) }

func isRow(id string) bool { return slices.ContainsFunc(rows, func(r row) bool { return r.ID == id }) }

// result is what was measured of a row.
type result struct {
	row
	// Measured is for people; empty when the row was not measured.
	Measured string `json:"measured"`
	OK       bool   `json:"ok"`
	// Values are all numbers, by name.
	Values map[string]estimate `json:"values,omitempty"`
	// Notes say under which conditions, and what bounds it.
	Notes []string `json:"notes,omitempty"`
}

// table collects results, in the order of the rows.
type table struct {
	Commit  string             `json:"commit"`
	Machine string             `json:"machine"`
	Began   string             `json:"began"`
	Flags   map[string]string  `json:"flags"`
	Results map[string]*result `json:"-"`
	Rows    []*result          `json:"rows"`
}

func newTable() *table {
	t := &table{Results: map[string]*result{}}
	for _, r := range rows {
		result := &result{row: r, Values: map[string]estimate{}}
		t.Rows = append(t.Rows, result)
		t.Results[r.ID] = result
	}
	return t
}

// set fills a row in.
func (t *table) set(id string, ok bool, values map[string]estimate, measured string, args ...any) {
	r := t.Results[id]
	r.OK, r.Measured = ok, fmt.Sprintf(measured, args...)
	for name, value := range values {
		r.Values[name] = value
	}
}

func (t *table) note(id, format string, args ...any) {
	r := t.Results[id]
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// verdict is the last column.
func (r *result) verdict() string {
	switch {
	case r.Measured == "":
		return "not run"
	case r.OK:
		return "ok"
	}
	return "MISS"
}

// print writes the table for people.
func (t *table) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "id\tmetric\tyardstick\tfloor\tfirst\tgoal\tmeasured\t")
	for _, r := range t.Rows {
		_, _ = fmt.Fprintln(w, strings.Join([]string{r.ID, r.Metric, r.Yardstick, r.Floor, r.First, r.Goal, orDash(r.Measured), r.verdict()}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("could not print the table: %w", err)
	}
	_, _ = fmt.Fprintln(to)
	for _, r := range t.Rows {
		for _, note := range r.Notes {
			_, _ = fmt.Fprintf(to, "%-4s %s\n", r.ID, note)
		}
	}
	_, err := fmt.Fprintf(to, "\n%s, %s, %s\n[a, b] is the 95 %% interval. MISS marks what misses its goal.\n", t.Machine, t.Commit, t.Began)
	return err
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// save writes the table as text and as JSON.
func (t *table) save(dir string) error {
	var text strings.Builder
	if err := t.print(&text); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.txt"), []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("could not save the table: %w", err)
	}
	document, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("could not encode the table: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(document, '\n'), 0o644); err != nil {
		return fmt.Errorf("could not save the table: %w", err)
	}
	return nil
}

// String renders an estimate with its interval.
func (e estimate) String() string {
	if e.Low == e.High {
		return number(e.Value)
	}
	return fmt.Sprintf("%s [%s, %s]", number(e.Value), number(e.Low), number(e.High))
}

func number(x float64) string {
	switch {
	case x == float64(int64(x)):
		return fmt.Sprintf("%.0f", x)
	case x >= 100 || x <= -100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10 || x <= -10:
		return fmt.Sprintf("%.1f", x)
	case x < 0.1 && x > -0.1:
		return fmt.Sprintf("%.4f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
