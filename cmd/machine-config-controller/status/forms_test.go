package status

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
)

// TestR52Forms: the forms that people know from kubectl.
func TestR52Forms(t *testing.T) {
	dir := t.TempDir()
	file := func(content string) string {
		name := filepath.Join(dir, strings.Map(func(r rune) rune { return map[bool]rune{true: r, false: '_'}[r >= 'a' && r <= 'z'] }, content))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	for name, test := range map[string]struct {
		reason    string
		output    string
		noHeaders bool
		want      string
	}{
		"name":              {reason: "for xargs", output: "name", want: "machineconfigpool.machineconfiguration.openshift.io/building\nmachineconfigpool.machineconfiguration.openshift.io/healthy\n"},
		"jsonpath":          {reason: "one value", output: "jsonpath={.pools[0].state}", want: "Building"},
		"jsonpath, range":   {reason: "a line for each", output: `jsonpath={range .pools[*]}{.name}{"\t"}{.attempt}{"\n"}{end}`, want: "building\t1\nhealthy\t\n"},
		"jsonpath, filter":  {reason: "some of them", output: `jsonpath={.pools[?(@.state=="Published")].name}`, want: "healthy"},
		"jsonpath, missing": {reason: "it is written as nothing, as by kubectl", output: "jsonpath={.pools[0].nothing}", want: ""},
		"jsonpath-file":     {reason: "long ones", output: "jsonpath-file=" + file("{.pools[1].name}"), want: "healthy"},
		"jsonpath-as-json":  {reason: "with quotes", output: "jsonpath-as-json={.pools[*].name}", want: "[\n    \"building\",\n    \"healthy\"\n]\n"},
		"go-template":       {reason: "another language", output: "go-template={{range .pools}}{{.name}}={{.state}} {{end}}", want: "building=Building healthy=Published "},
		"columns":           {reason: "a table of one's own", output: "custom-columns=NAME:.name,STATE:.state,TRY:.attempt", want: "NAME       STATE       TRY\nbuilding   Building    1\nhealthy    Published   <none>\n"},
		"columns, bare":     {reason: "a path as kubectl takes it, too", output: "custom-columns=NAME:name,STATE:{.state}", want: "NAME       STATE\nbuilding   Building\nhealthy    Published\n"},
		"columns, no title": {reason: "for scripts", output: "custom-columns=NAME:.name", noHeaders: true, want: "building\nhealthy\n"},
		"columns-file":      {reason: "long ones", output: "custom-columns-file=" + file("NAME STATE\n.name .state\n"), want: "NAME       STATE\nbuilding   Building\nhealthy    Published\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clustertest.New(t)
				c.Populate()
				o := &options{output: test.output, pools: []string{"healthy", "building"}, printing: cluster.Printing{NoHeaders: test.noHeaders}, connection: cluster.NewOptions()}
				require.NoError(t, o.validate(), test.reason)
				out, stderr, code := statusOf(t, c, o)
				require.Zero(t, code, stderr)
				require.Equal(t, test.want, out, test.reason)
			})
		})
	}
}

func TestR52NoHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t)
		c.Populate()
		for _, form := range []string{cluster.Text, cluster.Wide} {
			with, _, _ := statusOf(t, c, &options{output: form})
			without, _, _ := statusOf(t, c, &options{output: form, printing: cluster.Printing{NoHeaders: true}})
			require.Equal(t, strings.Count(with, "\n")-1, strings.Count(without, "\n"))
			require.True(t, strings.HasPrefix(with, "POOL "))
			require.True(t, strings.HasPrefix(without, "building "), without)
		}
	})
}

// TestR52FormsThatAreNone: each message says how it is written.
func TestR52FormsThatAreNone(t *testing.T) {
	for output, want := range map[string]string{
		"xml":                              "is none of text, wide, yaml, json, name, jsonpath=…",
		"jsonpath":                         "it takes an argument, as in jsonpath='{.pools[*].name}'",
		"jsonpath=":                        "it takes an argument",
		"jsonpath={.pools[":                `--output "jsonpath={.pools["`,
		"jsonpath-file=/nowhere":           "/nowhere",
		"custom-columns":                   "as in custom-columns=NAME:.name,STATE:.state",
		"custom-columns=NAME":              `"NAME" is not TITLE:path`,
		"custom-columns=NAME:{.name":       `the path "{.name" of column NAME`,
		"custom-columns-file=/nowhere":     "/nowhere",
		"go-template={{":                   `--output "go-template={{"`,
		"Name":                             "is none of",
		"custom-columns=NAME:.name,STATE:": `"STATE:" is not TITLE:path`,
	} {
		o := &options{output: output, connection: cluster.NewOptions()}
		require.ErrorContains(t, o.validate(), want, output)
	}
}

// TestR52WatchInAnyForm: each change is a line of its own, and titles come once.
func TestR52WatchInAnyForm(t *testing.T) {
	for output, want := range map[string][2]string{
		"name":                                        {"machineconfigpool.machineconfiguration.openshift.io/healthy\n", "machineconfigpool.machineconfiguration.openshift.io/healthy\n"},
		`jsonpath={.name} {.state}{"\n"}`:             {"healthy Published\n", "healthy NotReported\n"},
		"custom-columns=NAME:.name,STATE:.state":      {"NAME      STATE\nhealthy   Published\n", "healthy   NotReported\n"},
		`go-template={{.name}} is {{.state}}{{"\n"}}`: {"healthy is Published\n", "healthy is NotReported\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := clustertest.New(t)
			c.Populate()
			w := startWatching(t, c, &options{output: output, pools: []string{"healthy"}})
			require.Equal(t, want[0], w.news(), output)
			c.Edit("healthy", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = clustertest.ConfigOf("other") })
			w.pass(time.Second)
			require.Equal(t, want[1], w.news(), output)
			w.end()
		})
	}
}
