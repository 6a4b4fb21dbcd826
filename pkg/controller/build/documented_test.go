package build

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// tableRows are the cells of a file's rows that begin with a text in backquotes, or
// continue such a row.
func tableRows(t *testing.T, name string) [][]string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	var rows [][]string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "| `") || strings.HasPrefix(line, "| |") {
			rows = append(rows, strings.Split(strings.Trim(line, "|"), "|"))
		}
	}
	return rows
}

func words(cell string) []string {
	var found []string
	for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
		found = append(found, match[1])
	}
	return found
}

// TestMetricsAreDocumented: metrics.md and the registry agree on names, types and labels.
func TestMetricsAreDocumented(t *testing.T) {
	m := newCounted(t, configA)
	m.settle(worker)
	m.finish(time.Second, time.Minute, m.succeed)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	opted := newMachineOSCounted(t)
	opted.harness.succeed()
	others, err := opted.registry.Gather()
	require.NoError(t, err)
	isOfBuilder := func(name string) bool {
		return strings.HasPrefix(name, metricsPrefix) || strings.HasPrefix(name, "ocl_") || strings.HasPrefix(name, "mco_")
	}
	type metric struct {
		kind   string
		labels []string
	}
	exported := map[string]metric{}
	for _, family := range append(families, others...) {
		if !isOfBuilder(family.GetName()) {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		slices.Sort(labels)
		exported[family.GetName()] = metric{strings.ToLower(family.GetType().String()), labels}
	}
	documented := map[string]metric{}
	for _, row := range tableRows(t, "metrics.md") {
		if name := words(row[0]); len(name) == 1 && isOfBuilder(name[0]) {
			labels := words(row[2])
			slices.Sort(labels)
			documented[name[0]] = metric{strings.TrimSpace(row[1]), labels}
		}
	}
	require.Equal(t, exported, documented)
}

// TestLabelValuesAreDocumented: whoever writes a query needs to know what to ask for.
func TestLabelValuesAreDocumented(t *testing.T) {
	content, err := os.ReadFile("metrics.md")
	require.NoError(t, err)
	values := slices.Concat(errorKinds, ledger.FailureReasons, []string{resultSucceeded, resultFailed, resultInterrupted, resultSuperseded, reasonOther, string(ledger.StateNotReported), string(ledger.StateContradictory)})
	for _, state := range ledger.FoundStates {
		values = append(values, string(state))
	}
	for _, value := range values {
		if value != ledger.FailureSuperseded {
			require.Contains(t, string(content), "`"+value+"`")
		}
	}
}

// TestEventsOfTheConfigMapAreDocumented: whoever meets one finds in metrics.md what it
// means, and no other is made up.
func TestEventsOfTheConfigMapAreDocumented(t *testing.T) {
	var documented []string
	for _, row := range tableRows(t, "metrics.md") {
		if strings.Contains(row[1], "ConfigMap") {
			documented = append(documented, words(row[0])...)
		}
	}
	require.Equal(t, []string{ledger.NoticeUnknownKey}, documented)
}
