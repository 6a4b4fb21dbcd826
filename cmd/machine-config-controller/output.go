package main

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// textWriter is a report that has a form for people.
type textWriter interface{ WriteText(io.Writer) error }

// write writes a report in the form that was asked for.
func write(out io.Writer, report textWriter, format string) error {
	var err error
	switch format {
	case outputJSON, outputYAML:
		err = writeData(out, report, format)
	default:
		err = report.WriteText(out)
	}
	if err != nil {
		return fmt.Errorf("could not write the report: %w", err)
	}
	return nil
}

// writeData writes a value for tools.
func writeData(out io.Writer, value any, format string) error {
	if format == outputYAML {
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
