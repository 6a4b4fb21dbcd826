package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// result is one image, as it is in result.json.
type result struct {
	Pool           string  `json:"pool"`
	RenderedConfig string  `json:"renderedConfig"`
	Image          string  `json:"image"`
	Build          string  `json:"build"`
	Seconds        float64 `json:"seconds"`
	// MachineOSConfig opts the pool in, and MachineOSBuild is the image's; empty where the label does.
	MachineOSConfig string `json:"machineOSConfig,omitempty"`
	MachineOSBuild  string `json:"machineOSBuild,omitempty"`
}

// optedInBy says what opts the pool in.
func (r *result) optedInBy() string {
	if r.MachineOSConfig == "" {
		return "label"
	}
	return "MachineOSConfig"
}

func roundSeconds(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

func writeResults(path string, results []result) error {
	content, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return fmt.Errorf("could not encode results: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("could not write results: %w", err)
	}
	return nil
}

// resultTable is the summary at the end.
func resultTable(results []result) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	// Neither call fails: a strings.Builder takes all.
	_, _ = fmt.Fprintln(table, "POOL\tOPTED IN BY\tRENDERED CONFIG\tIMAGE\tBUILD\tSECONDS")
	for _, r := range results {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.1f\n", r.Pool, r.optedInBy(), r.RenderedConfig, shortDigest(r.Image), r.Build, r.Seconds)
	}
	_ = table.Flush()
	return text.String()
}

// shortDigest is as much of an image's digest as people compare.
func shortDigest(image string) string {
	_, digest, found := strings.Cut(image, "@")
	if !found {
		return image
	}
	algorithm, hash, _ := strings.Cut(digest, ":")
	return algorithm + ":" + hash[:min(len(hash), 12)]
}
