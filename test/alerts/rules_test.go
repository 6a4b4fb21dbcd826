package alerts

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const (
	rulesFile = "../../hack/deploy/prometheus-rules.yaml"
	guide     = "pkg/controller/build/metrics.md"
	namespace = "openshift-machine-config-operator"
)

// readRules reads the object that is deployed, as Prometheus would.
func readRules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	content, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	var object struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Spec any `json:"spec"`
	}
	require.NoError(t, yaml.UnmarshalStrict(content, &object))
	require.Equal(t, "monitoring.coreos.com/v1", object.APIVersion)
	require.Equal(t, "PrometheusRule", object.Kind)
	require.Equal(t, namespace, object.Metadata.Namespace)
	spec, err := yaml.Marshal(object.Spec)
	require.NoError(t, err)
	groups, problems := rulefmt.Parse(spec, false, model.UTF8Validation, parser.NewParser(parser.Options{}))
	require.Empty(t, problems)
	var all []rulefmt.Rule
	for _, group := range groups.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", name))
	require.NoError(t, err)
	return string(content)
}

// TestRulesLeadOn: whoever is woken by an alert is told what it is about and what to do.
func TestRulesLeadOn(t *testing.T) {
	text := read(t, guide)
	for _, rule := range readRules(t) {
		require.NotEmpty(t, rule.Alert)
		require.NotZero(t, rule.For, "%s: what mends itself wakes nobody", rule.Alert)
		require.Contains(t, []string{"warning", "critical"}, rule.Labels["severity"], rule.Alert)
		require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		require.Greater(t, len(rule.Annotations["description"]), 100, rule.Alert)
		page, anchor, found := strings.Cut(rule.Annotations["runbook_url"], "#")
		require.True(t, found, rule.Alert)
		require.True(t, strings.HasSuffix(page, "/"+guide), rule.Alert)
		require.Equal(t, strings.ToLower(rule.Alert), anchor)
		require.Contains(t, text, "\n### "+rule.Alert+"\n", "the guide has a section of it")
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(text, -1) {
		require.True(t, slices.ContainsFunc(readRules(t), func(r rulefmt.Rule) bool { return r.Alert == heading[1] }), "there is no alert %s", heading[1])
	}
}

// TestRulesAskForWhatIsTold: a name or a label value that does not exist makes an alert
// that never fires. That the guide and the README have what there is, is tested next to
// the controller, and in docs.
func TestRulesAskForWhatIsTold(t *testing.T) {
	text := read(t, guide)
	// Where each label's values are.
	places := map[string]string{"state": text, "reason": read(t, "README.md")}
	for _, rule := range readRules(t) {
		expression, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
		require.NoError(t, err)
		parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
			selector, ok := node.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			if selector.Name == "kubernetes_feature_enabled" {
				return nil
			}
			require.Contains(t, text, "\n| `"+selector.Name+"` |", rule.Alert)
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == model.MetricNameLabel {
					continue
				}
				require.Contains(t, places, matcher.Name, rule.Alert)
				for value := range strings.SplitSeq(matcher.Value, "|") {
					require.Contains(t, places[matcher.Name], "`"+value+"`", rule.Alert)
				}
			}
			return nil
		})
	}
}

// firing evaluates the rules every half minute over the series, as Prometheus would, and
// returns the alerts that fire at the end.
func firing(t *testing.T, series string, length time.Duration) []*rules.Alert {
	t.Helper()
	storage := promqltest.LoadedStorage(t, series)
	t.Cleanup(func() { _ = storage.Close() })
	query := rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, 0, 100000), storage)
	var alerts []*rules.Alert
	for _, rule := range readRules(t) {
		expression, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
		require.NoError(t, err)
		alerting := rules.NewAlertingRule(rule.Alert, expression, time.Duration(rule.For), 0, labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations),
			labels.EmptyLabels(), "", true, promslog.NewNopLogger())
		for at := time.Duration(0); at <= length; at += 30 * time.Second {
			_, err := alerting.Eval(context.Background(), 0, time.Unix(0, 0).Add(at), query, &url.URL{}, 0)
			require.NoError(t, err)
		}
		for _, alert := range alerting.ActiveAlerts() {
			if alert.State == rules.StateFiring {
				alerts = append(alerts, alert)
			}
		}
	}
	return alerts
}
