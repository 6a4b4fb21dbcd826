package svg

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireWellFormed reads a picture as a browser does, which shows nothing of one that is broken.
func requireWellFormed(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else {
			require.NoError(t, err, text)
		}
	}
}

func TestPicture(t *testing.T) {
	draw := func() string {
		p := &Picture{Width: 300, Height: 200, Title: "a < b", Description: `"both"`}
		p.Rect(Rect{0, 0, 300, 200}, 0, Page)
		p.Text(5, 10, "<&>", Label, End)
		p.Spans(20, Code, []Span{{5, "", "a  b"}, {50.26, Red, "c"}})
		return p.String()
	}
	text := draw()
	requireWellFormed(t, text)
	require.Equal(t, text, draw(), "the same, byte for byte")
	require.Contains(t, text, "<title>a &lt; b</title>")
	require.Contains(t, text, `<text class="label e" x="5" y="10">&lt;&amp;&gt;</text>`)
	require.Contains(t, text, `<tspan x="5">a  b</tspan><tspan class="red" x="50.3">c</tspan>`)
	require.Equal(t, 1, strings.Count(text, "prefers-color-scheme:dark"))
	for _, foreign := range []string{"<script", "href", "url(", "@import", "@font-face"} {
		require.NotContains(t, text, foreign, "a picture refers to nothing")
	}
}

func TestPaths(t *testing.T) {
	nan := math.NaN()
	chart := &Chart{X: Axis{Min: 0, Max: 10}, Y: Axis{Min: 0, Max: 10}}
	plot := Rect{0, 0, 10, 10}
	for name, test := range map[string]struct {
		reason string
		points []Point
		want   string
	}{
		"nothing":     {reason: "a series without values is not drawn", want: ""},
		"one":         {reason: "a point alone has to be seen", points: []Point{{1, 1}}, want: "M1 9h1"},
		"upwards":     {reason: "pictures are counted from the top", points: []Point{{0, 0}, {10, 10}}, want: "M0 10L10 0"},
		"flat":        {reason: "what is on the way makes a picture large and shows nothing", points: []Point{{0, 5}, {1, 5}, {2, 5}, {3, 6}}, want: "M0 5L2 5L3 4"},
		"slope":       {reason: "as above", points: []Point{{0, 0}, {1, 1}, {2, 2}, {3, 0}}, want: "M0 10L2 8L3 10"},
		"there, back": {reason: "a peak is not on the way", points: []Point{{0, 0}, {0, 5}, {0, 1}}, want: "M0 10L0 5L0 9"},
		"gap":         {reason: "a value that is not known is not guessed", points: []Point{{0, 1}, {1, 1}, {2, nan}, {3, 2}, {4, 2}}, want: "M0 9L1 9M3 8L4 8"},
		"infinite":    {reason: "nothing is drawn out of its frame", points: []Point{{0, 1}, {1, math.Inf(1)}, {2, 1}, {3, 1}}, want: "M0 9h1M2 9L3 9"},
		"too high":    {reason: "as above", points: []Point{{0, 20}, {1, 1}}, want: "M0 0L1 9"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, chart.pathOf(plot, test.points), test.reason) })
	}
}

func TestLogarithmicAxis(t *testing.T) {
	axis := Axis{Min: 10, Max: 1000, Log: true}
	require.InDelta(t, 0.5, axis.share(100), 1e-9)
	require.Zero(t, axis.share(10))
	require.InDelta(t, 1, axis.share(1000), 1e-9)
}

func TestStacked(t *testing.T) {
	all := []Series{
		{Name: "a", Points: []Point{{1, 1}, {2, 1}}},
		{Name: "b", Points: []Point{{2, 2}, {3, math.NaN()}}},
	}
	require.Equal(t, []Series{
		{Name: "a", Points: []Point{{1, 1}, {2, 1}, {3, 0}, {3, 0}, {2, 0}, {1, 0}}},
		{Name: "b", Points: []Point{{1, 1}, {2, 3}, {3, 0}, {3, 0}, {2, 1}, {1, 1}}},
	}, stacked(all), "what is missing adds nothing")
	require.InDelta(t, 3, Top(all, true), 0)
	require.InDelta(t, 2, Top(all, false), 0)
}

func TestKeys(t *testing.T) {
	chart := &Chart{Series: []Series{{Name: "first"}, {Name: ""}, {Name: "second"}}}
	require.Equal(t, [][]key{{{0, "first"}, {2, "second"}}}, chart.keys(500), "a series without a name has no key")
	require.Equal(t, [][]key{{{0, "first"}}, {{2, "second"}}}, chart.keys(70))

	many := &Chart{}
	for range 40 {
		many.Series = append(many.Series, Series{Name: "a long name"})
	}
	lines := many.keys(300)
	require.Len(t, lines, keyLines)
	shown := 0
	for _, line := range lines {
		width := 0.0
		for _, k := range line {
			width += k.width()
			if k.series >= 0 {
				shown++
			}
		}
		require.LessOrEqual(t, width, 300.0)
	}
	require.Equal(t, key{-1, "and 29 more"}, lines[keyLines-1][len(lines[keyLines-1])-1])
	require.Equal(t, 40-29, shown, "none is lost")
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		reason string
		top    float64
		want   string
	}{
		{"nothing has a scale, too", 0, "0 0.5 1"},
		{"whole steps", 3, "0 1 2 3"},
		{"the highest is below the last", 3.2, "0 2 4"},
		{"round", 170, "0 100 200"},
		{"small", 0.034, "0 0.02 0.04"},
	} {
		var labels []string
		for _, tick := range Ticks(test.top, 3, Plain) {
			labels = append(labels, tick.Label)
		}
		require.Equal(t, test.want, strings.Join(labels, " "), test.reason)
	}
}

func TestWords(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0", 0.0125: "12.5 ms", 7: "7 s", 119: "119 s", 300: "5 min", 5400: "90 min", 86400: "24 h"} {
		require.Equal(t, want, Duration(seconds))
	}
	for number, want := range map[float64]string{0: "0", 0.5: "0.5", 1000: "1000", 0.0042: "0.004", 2.345: "2.35"} {
		require.Equal(t, want, Plain(number))
	}
}

// TestChart: a chart has its title, its axes, and a name and a line for each series.
func TestChart(t *testing.T) {
	chart := &Chart{
		Title: "Builds & more", X: Axis{Min: 0, Max: 2, Ticks: []Tick{{0, "00:00"}, {2, "00:02"}}, Title: "time"}, Y: Axis{Max: 2, Ticks: Ticks(2, 2, Plain), Title: "number"},
		Series: []Series{{Name: "one", Points: []Point{{0, 1}, {2, 2}}}, {Name: "other", Points: []Point{{0, 2}, {2, 1}}}},
	}
	for _, areStacked := range []bool{false, true} {
		p := &Picture{Width: 400, Height: 200}
		chart.Stacked, chart.Marked = areStacked, !areStacked
		p.Chart(Rect{0, 0, 400, 200}, chart)
		text := p.String()
		requireWellFormed(t, text)
		for _, word := range []string{"Builds &amp; more", "00:02", "one", "other", "time", "number"} {
			require.Contains(t, text, ">"+word+"</text>")
		}
		require.Regexp(t, `class="label m" [^>]+>00:00<`, text)
		require.Regexp(t, `class="label e" x="390" [^>]+>00:02<`, text, "the last one ends where the plot does")
		require.Equal(t, areStacked, strings.Contains(text, `class="area f1" d="M`))
		require.Equal(t, !areStacked, strings.Contains(text, `class="line s1" d="M`))
	}
}
