package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/svg"
)

const plainText = "text/plain; version=0.0.4; charset=utf-8"

// scrapedOf has a text for each second of a run.
func scrapedOf(t *testing.T, seconds int, textAt func(second int) string) *scraper {
	t.Helper()
	s, err := newScraper(t.TempDir(), "http://unused")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.close()) })
	for i := range seconds {
		require.NoError(t, s.add(t.Context(), []byte(textAt(i)), plainText, told(time.Duration(i)*time.Second)))
	}
	return s
}

// TestDashboardOfARun: what was scraped comes out where the dashboard asks for it, in the told time.
func TestDashboardOfARun(t *testing.T) {
	s := scrapedOf(t, 31, func(second int) string {
		reason := "BuildRunning"
		if second >= 10 {
			reason = "ImagePublished"
		}
		return fmt.Sprintf("# TYPE machine_os_builder_pool_reason gauge\nmachine_os_builder_pool_reason{pool=\"worker\",reason=%q} 1\n"+
			"# TYPE machine_os_builder_builds_started_total counter\nmachine_os_builder_builds_started_total{pool=\"worker\"} %d\nzero 0\n", reason, second)
	})
	d := &dashboard{Title: "Builds", Panels: []panel{
		{Title: "Reasons", Type: kindGraph}, {Title: "Rate", Type: kindGraph}, {Title: "Started", Type: kindStat, Format: "short"}, {Title: "Absent", Type: kindStat, NullText: "none"},
	}}
	for i, target := range []struct{ Expr, LegendFormat string }{
		{`sum by (pool, reason) (machine_os_builder_pool_reason{pool=~"$pool"})`, "{{pool}}: {{reason}}"},
		{`rate(machine_os_builder_builds_started_total{namespace="openshift-machine-config-operator"}[5m])`, "rate"},
		{`machine_os_builder_builds_started_total`, ""}, {`nobody_tells_this`, ""},
	} {
		d.Panels[i].Targets = append(d.Panels[i].Targets, target)
		d.Panels[i].GridPos.W, d.Panels[i].GridPos.H = 12, 8
		d.Panels[i].YAxes = []struct{ Format string }{{"short"}}
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1000000, Timeout: time.Minute})
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	reasons, err := d.Panels[0].evaluate(t.Context(), engine, s)
	require.NoError(t, err)
	require.Len(t, reasons, 2)
	require.Equal(t, "worker: BuildRunning", reasons[0].Name)
	require.InDelta(t, 9*60, reasons[0].Points[len(reasons[0].Points)-1].X, 0, "a series that vanishes ends at once, though others are looked back for")
	require.InDelta(t, 10*60, reasons[1].Points[0].X, 0)
	rates, err := d.Panels[1].evaluate(t.Context(), engine, s)
	require.NoError(t, err)
	require.InDelta(t, 1.0/stretch, rates[0].Points[20].Y, 1e-9, "one a second is one a minute as it is told")

	picture, err := d.draw(t.Context(), s)
	require.NoError(t, err)
	for _, want := range []string{">Reasons<", ">worker: ImagePublished<", ">00:30<", ">30</text>", ">none</text>", ">30 s, a second of which is told as a minute<"} {
		require.Contains(t, picture, want)
	}

	d.Panels[3].Type = "heatmap"
	_, err = d.draw(t.Context(), s)
	require.ErrorContains(t, err, `could not draw panel "Absent": a heatmap is none of singlestat, graph`)
}

// serving answers every question for metrics with a text, and says so.
func serving(t *testing.T, text string) (url string, asked <-chan struct{}) {
	t.Helper()
	questions := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", plainText)
		_, _ = w.Write([]byte(text))
		select {
		case questions <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, questions
}

// TestScrapes: over the network, until somebody says that it is enough.
func TestScrapes(t *testing.T) {
	url, asked := serving(t, "up 1\n")
	s, err := newScraper(t.TempDir(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.close()) })
	s.interval = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	for range 3 {
		<-asked
	}
	cancel()
	require.NoError(t, <-ended)
	require.Len(t, s.present, 1)
	require.True(t, s.last.After(epoch))

	s.url, _ = serving(t, "this is no metric\n")
	require.ErrorContains(t, s.run(t.Context()), "could not scrape the controller")
}

func TestLegend(t *testing.T) {
	metric := labels.FromStrings("pool", "worker", "reason", "Queued")
	for format, want := range map[string]string{"": "", "half": "half", "{{pool}}": "worker", "{{ pool }}: {{reason}}": "worker: Queued", "{{other}}": ""} {
		require.Equal(t, want, legend(format, metric), format)
	}
}

func TestGapsAndZeros(t *testing.T) {
	at := func(minutes int64) int64 { return epoch.UnixMilli() + minutes*60000 }
	points := pointsOf([]promql.FPoint{{T: at(0), F: 1}, {T: at(1), F: 2}, {T: at(5), F: 3}})
	require.Len(t, points, 4)
	require.True(t, math.IsNaN(points[2].Y), "what was not there is not drawn")
	require.Equal(t, svg.Point{X: 300, Y: 3}, points[3])

	zero, one := svg.Series{Name: "zero", Points: []svg.Point{{X: 0, Y: 0}}}, svg.Series{Name: "one", Points: []svg.Point{{X: 0, Y: 1}}}
	require.Len(t, withoutZeros([]svg.Series{zero, zero, one}), 3, "few are all shown")
	require.Equal(t, []svg.Series{one}, withoutZeros([]svg.Series{zero, zero, zero, one}))
	require.Len(t, withoutZeros([]svg.Series{zero, zero, zero, zero}), 4, "nothing but zeros is something, too")
}

// TestShippedDashboard: it is one that can be drawn.
func TestShippedDashboard(t *testing.T) {
	d, err := readDashboard("../../hack/deploy/dashboard.json")
	require.NoError(t, err)
	s := scrapedOf(t, 3, func(int) string { return "machine_os_builder_working 1\n" })
	picture, err := d.draw(t.Context(), s)
	require.NoError(t, err)
	for _, panel := range d.Panels {
		require.Contains(t, picture, ">"+panel.Title+"<")
	}
	require.Contains(t, picture, "nothing to show")
}
