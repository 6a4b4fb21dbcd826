package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/openshift/machine-config-operator/test/svg"
)

// dashboard is what of Grafana's format is drawn.
type dashboard struct {
	Title  string
	Panels []panel
}

type panel struct {
	Title, Type string
	GridPos     struct{ X, Y, W, H float64 }
	Targets     []struct{ Expr, LegendFormat string }
	Stack       bool
	Format      string
	YAxes       []struct{ Format string }
	NullText    string
}

// Kinds of panels.
const (
	kindStat  = "singlestat"
	kindGraph = "graph"
)

const (
	gridColumns   = 24
	boardWidth    = 1200.0
	boardMargin   = 12.0
	panelGap      = 8.0
	titleHeight   = 40.0
	footerHeight  = 24.0
	gridRowHeight = 23.0
	// queryStep is that of the told time.
	queryStep = time.Minute
	tickEvery = 10 * time.Minute
	// fewSeries is how many series a panel may have before those that were always 0 are left out.
	fewSeries = 3
)

func readDashboard(path string) (*dashboard, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("could not read the dashboard: %w", err)
	}
	d := &dashboard{}
	if err := json.Unmarshal(content, d); err != nil {
		return nil, fmt.Errorf("could not read the dashboard %s: %w", path, err)
	}
	if len(d.Panels) == 0 {
		return nil, fmt.Errorf("could not find a panel in the dashboard %s", path)
	}
	return d, nil
}

// draw draws every panel over what was scraped.
func (d *dashboard) draw(ctx context.Context, s *scraper) (string, error) {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 10000000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: parser.NewParser(parser.Options{}),
	})
	defer func() { _ = engine.Close() }()
	rows := 0.0
	for i := range d.Panels {
		rows = max(rows, d.Panels[i].GridPos.Y+d.Panels[i].GridPos.H)
	}
	length := s.last.Sub(epoch)
	p := &svg.Picture{
		Width: boardWidth, Height: titleHeight + rows*gridRowHeight + footerHeight, Title: "The dashboard " + d.Title,
		Description: "Panels over one run with four pools: pools by state, reasons, builds and the queue, how long builds wait and run, failures, stale images, calls to the API server.",
	}
	p.Rect(svg.Rect{Width: p.Width, Height: p.Height}, 8, svg.Page)
	p.Text(boardMargin+4, 26, d.Title, svg.Heading, svg.Start)
	p.Text(p.Width-boardMargin, 26, fmt.Sprintf("%.0f s, a second of which is told as a minute", (length/stretch).Seconds()), svg.Faint, svg.End)
	for i := range d.Panels {
		panel := &d.Panels[i]
		series, err := panel.evaluate(ctx, engine, s)
		if err != nil {
			return "", fmt.Errorf("could not evaluate panel %q: %w", panel.Title, err)
		}
		if err := panel.draw(p, series, length); err != nil {
			return "", err
		}
	}
	p.Text(boardMargin+4, p.Height-9, "Real controller, real API server, builds played. Values are as scraped; rates per second are of the told time, a sixtieth of what they were.", svg.Faint, svg.Start)
	return p.String(), nil
}

// place is where the panel is in the picture.
func (p *panel) place() svg.Rect {
	column := (boardWidth - 2*boardMargin + panelGap) / gridColumns
	return svg.Rect{
		X: boardMargin + p.GridPos.X*column, Y: titleHeight + p.GridPos.Y*gridRowHeight,
		Width: p.GridPos.W*column - panelGap, Height: p.GridPos.H*gridRowHeight - panelGap,
	}
}

// evaluate asks Prometheus' engine what the panel asks for, minute by minute.
func (p *panel) evaluate(ctx context.Context, engine *promql.Engine, s *scraper) ([]svg.Series, error) {
	var all []svg.Series
	for _, target := range p.Targets {
		query, err := engine.NewRangeQuery(ctx, s.db, nil, strings.ReplaceAll(target.Expr, "$pool", ".+"), epoch, s.last, queryStep)
		if err != nil {
			return nil, err
		}
		result := query.Exec(ctx)
		if result.Err != nil {
			return nil, result.Err
		}
		matrix, err := result.Matrix()
		if err != nil {
			return nil, err
		}
		var found []svg.Series
		for _, series := range matrix {
			found = append(found, svg.Series{Name: legend(target.LegendFormat, series.Metric), Points: pointsOf(series.Floats)})
		}
		query.Close()
		all = append(all, svg.Sorted(found)...)
	}
	return withoutZeros(all), nil
}

var labelInLegend = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// legend is the name of a series.
func legend(format string, metric labels.Labels) string {
	return labelInLegend.ReplaceAllStringFunc(format, func(found string) string {
		return metric.Get(labelInLegend.FindStringSubmatch(found)[1])
	})
}

// pointsOf has a gap wherever there was nothing for longer than a step. X is the told time in seconds.
func pointsOf(floats []promql.FPoint) []svg.Point {
	var points []svg.Point
	for i, f := range floats {
		at := float64(f.T-epoch.UnixMilli()) / 1000
		if i > 0 && time.Duration(f.T-floats[i-1].T)*time.Millisecond > queryStep {
			points = append(points, svg.Point{X: at, Y: math.NaN()})
		}
		points = append(points, svg.Point{X: at, Y: f.F})
	}
	return points
}

// withoutZeros leaves out what was always 0, where there is more to see.
func withoutZeros(all []svg.Series) []svg.Series {
	if len(all) <= fewSeries {
		return all
	}
	var some []svg.Series
	for _, series := range all {
		if svg.Top([]svg.Series{series}, false) > 0 {
			some = append(some, series)
		}
	}
	if len(some) == 0 {
		return all
	}
	return some
}

func (p *panel) draw(picture *svg.Picture, series []svg.Series, length time.Duration) error {
	switch p.Type {
	case kindStat:
		p.drawStat(picture, series, length)
	case kindGraph:
		p.drawGraph(picture, series, length)
	default:
		return fmt.Errorf("could not draw panel %q: a %s is none of %s, %s", p.Title, p.Type, kindStat, kindGraph)
	}
	return nil
}

// drawStat shows what is the case at the end.
func (p *panel) drawStat(picture *svg.Picture, series []svg.Series, length time.Duration) {
	place := p.place()
	picture.Rect(place, 6, svg.Panel)
	picture.Text(place.X+10, place.Y+17, p.Title, svg.Heading, svg.Start)
	text := p.NullText
	if len(series) > 0 {
		last := series[0].Points[len(series[0].Points)-1]
		if time.Duration(last.X*float64(time.Second)) > length-2*queryStep {
			text = unit(p.Format)(last.Y)
		}
	}
	picture.Text(place.X+place.Width/2, place.Y+place.Height-18, text, svg.Large, svg.Middle)
}

func (p *panel) drawGraph(picture *svg.Picture, series []svg.Series, length time.Duration) {
	label := unit(p.YAxes[0].Format)
	ticks := svg.Ticks(svg.Top(series, p.Stack), 3, label)
	chart := &svg.Chart{
		Title: p.Title, Series: series, Stacked: p.Stack,
		X: svg.Axis{Max: length.Seconds(), Ticks: clock(length)},
		Y: svg.Axis{Max: ticks[len(ticks)-1].At, Ticks: ticks},
	}
	if len(series) == 0 {
		chart.Series = []svg.Series{{Name: "nothing to show"}}
	}
	picture.Chart(p.place(), chart)
}

// unit is how numbers are written.
func unit(format string) func(float64) string {
	if format == "s" {
		return svg.Duration
	}
	return svg.Plain
}

// clock are marks of the told time.
func clock(length time.Duration) (ticks []svg.Tick) {
	for at := time.Duration(0); at <= length; at += tickEvery {
		ticks = append(ticks, svg.Tick{At: at.Seconds(), Label: epoch.Add(at).Format("15:04")})
	}
	return ticks
}
