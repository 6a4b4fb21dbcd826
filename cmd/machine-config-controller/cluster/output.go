package cluster

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// TextWriter is a report that has a form for people.
type TextWriter interface{ WriteText(io.Writer) error }

// Write writes a report in the form that was asked for.
func Write(out io.Writer, report TextWriter, format string) error {
	var err error
	switch format {
	case JSON, YAML:
		err = WriteData(out, report, format)
	default:
		err = report.WriteText(out)
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
