package main

import (
	"errors"

	"github.com/openshift/machine-config-operator/test/svg"
)

// statusCommand is what the picture says that somebody typed.
const statusCommand = "machine-config-controller status --watch"

const (
	// columnWidth is how wide a character is in most fonts of this size.
	columnWidth = 7.83
	rowHeight   = 18.0
	padding     = 16.0
	barHeight   = 26.0
)

// drawStatus draws a terminal with what the command wrote.
func drawStatus(output []byte) (string, error) {
	lines, err := screenOf(output, terminalColumns)
	if err != nil {
		return "", err
	}
	if len(lines) == 0 {
		return "", errors.New("could not draw a terminal: the command wrote nothing")
	}
	lines = append([][]piece{{{text: "$ " + statusCommand}}}, lines...)
	columns := 0
	for _, line := range lines {
		for _, r := range line {
			columns = max(columns, r.column+len([]rune(r.text)))
		}
	}
	p := &svg.Picture{
		Width: float64(columns)*columnWidth + 2*padding, Height: barHeight + float64(len(lines))*rowHeight + 1.5*padding,
		Title:       statusCommand,
		Description: "A terminal with a line for each change of four pools, from building to published, queued, failed, retried and held.",
	}
	p.Rect(svg.Rect{Width: p.Width, Height: p.Height}, 8, svg.Panel)
	p.Rect(svg.Rect{Width: p.Width, Height: barHeight}, 8, svg.Bar)
	for i, class := range []string{svg.Red, svg.Yellow, svg.Green} {
		p.Rect(svg.Rect{X: padding + 18*float64(i), Y: 8, Width: 10, Height: 10}, 5, class)
	}
	for i, line := range lines {
		var spans []svg.Span
		for _, r := range line {
			spans = append(spans, svg.Span{X: padding + float64(r.column)*columnWidth, Class: r.look.class(), Text: r.text})
		}
		if len(spans) > 0 {
			p.Spans(barHeight+padding/2+float64(i+1)*rowHeight-4, svg.Code, spans)
		}
	}
	return p.String(), nil
}
