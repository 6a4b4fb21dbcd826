package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/util/jsonpath"
)

const (
	customColumns     = "custom-columns"
	customColumnsFile = "custom-columns-file"
)

// column is one that a person has chosen.
type column struct {
	title string
	path  *jsonpath.JSONPath
}

// columns reads which are wanted: TITLE:path,… or, in a file, a line of titles and one of
// paths.
func (p *Printing) columns(form, argument string) (Printer, error) {
	var titles, paths []string
	if form == customColumnsFile {
		content, err := os.ReadFile(argument)
		if err != nil {
			return nil, err
		}
		first, second, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
		titles, paths = strings.Fields(first), strings.Fields(second)
		if len(titles) != len(paths) || len(titles) == 0 {
			return nil, fmt.Errorf("the file has %d titles in its first line and %d paths in its second one", len(titles), len(paths))
		}
	} else {
		for part := range strings.SplitSeq(argument, ",") {
			title, path, found := strings.Cut(part, ":")
			if !found || path == "" {
				return nil, fmt.Errorf("%q is not TITLE:path, as in %s", part, examplesOf[customColumns])
			}
			titles, paths = append(titles, title), append(paths, path)
		}
	}
	var columns []column
	for i := range titles {
		path := jsonpath.New(titles[i]).AllowMissingKeys(true)
		if err := path.Parse(inBraces(paths[i])); err != nil {
			return nil, fmt.Errorf("the path %q of column %s: %w", paths[i], titles[i], err)
		}
		columns = append(columns, column{titles[i], path})
	}
	return func(out io.Writer, _ any, rows []any) error { return p.writeColumns(out, columns, rows) }, nil
}

// inBraces is a path as jsonpath takes it: kubectl takes .a, a and {.a}.
func inBraces(path string) string {
	if strings.HasPrefix(path, "{") {
		return path
	}
	return "{." + strings.TrimPrefix(path, ".") + "}"
}

func (p *Printing) writeColumns(out io.Writer, columns []column, rows []any) error {
	w := printers.GetNewTabWriter(out)
	if !p.NoHeaders {
		var titles []string
		for _, c := range columns {
			titles = append(titles, c.title)
		}
		_, _ = fmt.Fprintln(w, strings.Join(titles, "\t"))
	}
	for _, row := range rows {
		data, err := generic(row)
		if err != nil {
			return err
		}
		var cells []string
		for _, c := range columns {
			cell, err := c.of(data)
			if err != nil {
				return err
			}
			cells = append(cells, cell)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// of is the cell of a row. What is not there is written as kubectl does.
func (c *column) of(data map[string]any) (string, error) {
	found, err := c.path.FindResults(data)
	if err != nil {
		return "", errors.Join(fmt.Errorf("could not find column %s", c.title), err)
	}
	var values []string
	for _, results := range found {
		for _, result := range results {
			if result.IsValid() && result.CanInterface() && result.Interface() != nil {
				values = append(values, strings.Join(strings.Fields(fmt.Sprint(result.Interface())), " "))
			}
		}
	}
	if len(values) == 0 {
		return "<none>", nil
	}
	return strings.Join(values, ","), nil
}
