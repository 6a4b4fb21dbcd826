package cluster

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// Report is what a command found.
type Report struct {
	// Value is what tools are given, and Rows what it is a list of.
	Value any
	Rows  []any
	// Names are the objects that it is about, as -o name writes them.
	Names []string
	// Text writes it for people.
	Text func(io.Writer) error
}

// Write writes a report in the form that was asked for.
func (p *Printing) Write(out io.Writer, report Report, form string) error {
	printer, err := p.Printer(form)
	switch {
	case err != nil:
	case printer != nil:
		err = printer(out, report.Value, report.Rows)
	case form == JSON || form == YAML:
		err = WriteData(out, report.Value, form)
	case form == Name:
		for _, name := range report.Names {
			if _, err = fmt.Fprintln(out, name); err != nil {
				break
			}
		}
	default:
		err = report.Text(out)
	}
	if err != nil {
		return fmt.Errorf("could not write the report: %w", err)
	}
	return nil
}

// WriteData writes a value for tools.
func WriteData(out io.Writer, value any, format string) error {
	if format == YAML {
		text, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
