package alerts

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the console's form of the dashboard anew")

const (
	dashboardFile = "../../hack/deploy/dashboard.json"
	consoleFile   = "../../hack/deploy/dashboard.yaml"
)

// dashboard is what of Grafana's format this is about. The console reads the same format.
type dashboard struct {
	Title  string
	UID    string
	Panels []struct {
		ID          int
		Title, Type string
		Description string
		Targets     []struct{ Expr, LegendFormat string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(content, &d))
	return d
}

// libraries are the metrics that come with the libraries of the program.
var libraries = []string{"rest_client_requests_total", "workqueue_depth"}

// TestDashboardOverAWeek: every query is one that Prometheus takes, asks for what there is,
// and has something to show of a week in which everything happened.
func TestDashboardOverAWeek(t *testing.T) {
	storage := promqltest.LoadedStorage(t, week())
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, 0, 10000000)
	text := read(t, guide)
	ids := map[int]string{}
	for _, panel := range readDashboard(t).Panels {
		require.Empty(t, ids[panel.ID], "%s: its number is another's", panel.Title)
		ids[panel.ID] = panel.Title
		require.NotEmpty(t, panel.Description, panel.Title)
		require.Contains(t, []string{"graph", "singlestat", "table"}, panel.Type, "%s: the console knows these", panel.Title)
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			query := strings.ReplaceAll(target.Expr, "$pool", ".+")
			expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
			require.NoError(t, err, panel.Title)
			parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok {
					requireTold(t, panel.Title, text, selector)
				}
				return nil
			})
			ranged, err := engine.NewRangeQuery(context.Background(), storage, nil, query, time.Unix(0, 0), time.Unix(0, 0).Add(weekMinutes*time.Minute), 10*time.Minute)
			require.NoError(t, err, panel.Title)
			result := ranged.Exec(context.Background())
			require.NoError(t, result.Err, panel.Title)
			matrix, err := result.Matrix()
			require.NoError(t, err, panel.Title)
			require.True(t, hasNumbers(matrix), "%s: %s has nothing to show", panel.Title, query)
		}
	}
	require.GreaterOrEqual(t, len(ids), 8)
}

// TestDashboardCountsTheFirst: a counter of the controller's begins with what it counts first,
// which the increase of a series does not tell.
func TestDashboardCountsTheFirst(t *testing.T) {
	storage := promqltest.LoadedStorage(t, `load 1m
  machine_os_builder_builds_finished_total{pool="worker",result="failed",reason="BuildPodEvicted"} _x29 1x300
  machine_os_builder_build_retries_total{pool="worker"} _x29 1x300
  machine_os_builder_images_reused_total{pool="worker"} _x29 1x300
`)
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, 0, 10000000)
	counted := 0
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			if !strings.Contains(target.Expr, "increase(") {
				continue
			}
			query := strings.ReplaceAll(target.Expr, "$pool", ".+")
			for minute, want := range map[int]float64{20: 0, 31: 1, 80: 1, 120: 0} {
				instant, err := engine.NewInstantQuery(context.Background(), storage, nil, query, time.Unix(0, 0).Add(time.Duration(minute)*time.Minute))
				require.NoError(t, err, panel.Title)
				result := instant.Exec(context.Background())
				require.NoError(t, result.Err, panel.Title)
				vector, err := result.Vector()
				require.NoError(t, err, panel.Title)
				sum := 0.0
				for _, sample := range vector {
					sum += sample.F
				}
				require.InDelta(t, want, sum, 0.01, "%s, in minute %d", panel.Title, minute)
			}
			counted++
		}
	}
	require.Equal(t, 4, counted)
}

// requireTold fails for a metric, or a value of its labels, that nobody tells.
func requireTold(t *testing.T, title, text string, selector *parser.VectorSelector) {
	t.Helper()
	name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(selector.Name, "_bucket"), "_sum"), "_count")
	if strings.HasPrefix(name, "machine_os_builder_") {
		require.Contains(t, text, "\n| `"+name+"` |", title)
	} else {
		require.Contains(t, libraries, name, title)
	}
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == "state" || matcher.Name == "result" {
			require.Contains(t, text, "`"+matcher.Value+"`", "%s: %s", title, matcher)
		}
		require.NotEqual(t, "job", matcher.Name, "%s: what the job is called, each cluster decides", title)
	}
}

func hasNumbers(matrix promql.Matrix) bool {
	for _, series := range matrix {
		for _, point := range series.Floats {
			if point.F > 0 {
				return true
			}
		}
	}
	return false
}

const weekMinutes = 7 * 24 * 60

// week is what two replicas tell in a week in which everything happened.
func week() string {
	s := &series{}
	s.pool("worker",
		phase{minutes: 2000, state: "Published", reason: "ImagePublished"},
		phase{minutes: 20, state: "Queued", reason: "Queued", stale: time.Minute},
		phase{minutes: 30, state: "Building", reason: "BuildRunning", stale: 21 * time.Minute},
		phase{minutes: 60, state: "Failed", reason: "BuildFailed", stale: time.Hour},
		phase{minutes: weekMinutes - 2110, state: "Published", reason: "ImagePublished"})
	s.pool("infra", phase{minutes: weekMinutes, state: "Held", reason: "SecretMissing", stale: time.Minute})
	s.working("a", fmt.Sprintf("1x%d", weekMinutes))
	counter := func(name, labels string) { s.add(name, labels, fmt.Sprintf("0+1x%d", weekMinutes)) }
	gauge := func(name, labels string) { s.add(name, labels, fmt.Sprintf("3x%d", weekMinutes)) }
	for _, name := range []string{"builds_pending", "builds_running", "build_usual_seconds"} {
		gauge("machine_os_builder_"+name, `"a",pool="worker"`)
	}
	for _, name := range []string{"builds_started_total", "build_retries_total", "images_reused_total"} {
		counter("machine_os_builder_"+name, `"a",pool="worker"`)
	}
	counter("machine_os_builder_builds_finished_total", `"a",pool="worker",result="succeeded",reason=""`)
	counter("machine_os_builder_builds_finished_total", `"a",pool="worker",result="failed",reason="DockerBuildFailed"`)
	counter("machine_os_builder_sync_errors_total", `"a",kind="conflict"`)
	for _, bucket := range []string{"1", "60", "600", "3600", "+Inf"} {
		counter("machine_os_builder_build_duration_seconds_bucket", `"a",result="succeeded",le="`+bucket+`"`)
		counter("machine_os_builder_build_queue_wait_seconds_bucket", `"a",le="`+bucket+`"`)
		counter("machine_os_builder_sync_duration_seconds_bucket", `"a",le="`+bucket+`"`)
	}
	counter("rest_client_requests_total", `"a",method="PATCH",code="200"`)
	gauge("workqueue_depth", `"a",name="build-controller"`)
	return s.text()
}

// TestConsoleHasTheSame: the console reads the dashboard from a ConfigMap.
func TestConsoleHasTheSame(t *testing.T) {
	content, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	want := consoleObject(string(content))
	if *update {
		require.NoError(t, os.WriteFile(consoleFile, []byte(want), 0o600))
	}
	got, err := os.ReadFile(consoleFile)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "-update writes it anew")
	var object map[string]any
	require.NoError(t, yaml.UnmarshalStrict(got, &object))
}

func consoleObject(content string) string {
	return `# The dashboard of dashboard.json, for the console of OpenShift (Observe, Dashboards).
# Made by go test ./alerts -update, in the directory test.
apiVersion: v1
kind: ConfigMap
metadata:
  name: dashboard-machine-os-builder
  namespace: openshift-config-managed
  labels:
    console.openshift.io/dashboard: "true"
data:
  machine-os-builder.json: |
    ` + strings.ReplaceAll(strings.TrimSpace(content), "\n", "\n    ") + "\n"
}
