package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// TestR52CalledAs: the name of the file decides what the program is.
func TestR52CalledAs(t *testing.T) {
	for path, want := range map[string]program{
		"/usr/bin/machine-config-controller":    {name: componentName, shown: componentName},
		"/usr/bin/renamed":                      {name: componentName, shown: componentName},
		"/usr/local/bin/kubectl-machine_os":     {name: "kubectl-machine_os", shown: "kubectl machine-os", plugin: true},
		"kubectl-machine_os.exe":                {name: "kubectl-machine_os", shown: "kubectl machine-os", plugin: true},
		"/usr/local/bin/oc-machine_os":          {name: "oc-machine_os", shown: "oc machine-os", plugin: true},
		"/opt/bin/kubectl_complete-machine_os":  {name: "kubectl-machine_os", shown: "kubectl machine-os", plugin: true, completes: true},
		"/opt/bin/kubectl-machine_os_something": {name: componentName, shown: componentName},
	} {
		require.Equal(t, want, calledAs(path), path)
	}
	require.Equal(t, []string{"__complete", "status", ""}, calledAs("kubectl_complete-machine_os").arguments([]string{"status", ""}))
	require.Equal(t, []string{"status"}, calledAs("kubectl-machine_os").arguments([]string{"status"}))
}

// runAs executes a command line of the program as it was called.
func runAs(t *testing.T, path string, args ...string) (string, error) {
	t.Helper()
	var output bytes.Buffer
	p := calledAs(path)
	root := newRootCommandOf(p)
	root.SetArgs(p.arguments(args))
	root.SetOut(&output)
	root.SetErr(&output)
	err := root.ExecuteContext(t.Context())
	return output.String(), err
}

// TestR52Plugin: under kubectl's name there is what people use, and it says how it was called.
func TestR52Plugin(t *testing.T) {
	help, err := runAs(t, "kubectl-machine_os")
	require.NoError(t, err)
	for _, name := range []string{"status", "doctor", "render-build", "completion", "version"} {
		require.Regexp(t, `(?m)^  `+name+` `, help)
	}
	require.NotRegexp(t, `(?m)^  start `, help, "nobody runs the controller by kubectl")
	_, err = runAs(t, "kubectl-machine_os", "start")
	require.ErrorContains(t, err, `unknown command "start" for "kubectl machine-os"`)
	for _, name := range []string{"status", "doctor", "render-build"} {
		help, err := runAs(t, "kubectl-machine_os", name, "--help")
		require.NoError(t, err)
		require.Contains(t, help, "Usage:\n  kubectl machine-os "+name, "usage as it is typed")
		require.Regexp(t, `Examples:\n  kubectl machine-os `+name, help, "examples that can be copied")
		require.NotContains(t, help, componentName+" ")
	}
	help, err = runAs(t, componentName, "--help")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^  start `, help)
}

// TestR52LogsAreNoMatterOfPeople: flags of the log are in the help of start alone, and accepted
// by all, as scripts may have them.
func TestR52LogsAreNoMatterOfPeople(t *testing.T) {
	for name, shown := range map[string]bool{"start": true, "status": false, "doctor": false, "render-build": false, "version": false} {
		help, err := run(t.Context(), name, "--help")
		require.NoError(t, err)
		require.Equal(t, shown, strings.Contains(help, "--vmodule"), name)
		cmd, rest, err := newRootCommand().Find([]string{name, "--v=2", "--logtostderr"})
		require.NoError(t, err)
		require.NoError(t, cmd.ParseFlags(rest), name)
	}
	root := newRootCommand()
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { require.True(t, f.Hidden, f.Name) })
	_, err := run(t.Context(), "--v=0", "version")
	require.NoError(t, err, "in front, too")
}

// servePools plays an API server with pools of these names.
func servePools(t *testing.T, names ...string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		items := []any{}
		if strings.HasSuffix(r.URL.Path, "/machineconfigpools") {
			for _, name := range names {
				items = append(items, map[string]any{"metadata": map[string]any{
					"name": name, "labels": map[string]string{"machineconfiguration.openshift.io/layering-enabled": ""},
				}})
			}
		}
		w.Header().Set("Content-Type", "application/json")
		parts := strings.Split(r.URL.Path, "/")
		kinds := map[string]string{"machineconfigpools": "MachineConfigPoolList", "builds": "BuildList", "configmaps": "ConfigMapList"}
		version := strings.TrimPrefix(strings.TrimPrefix(strings.Join(parts[1:4], "/"), "apis/"), "api/")
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": kinds[parts[len(parts)-1]], "apiVersion": strings.TrimSuffix(version, "/namespaces"), "items": items})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestR52Completion: what can be typed next is offered, names of pools from the cluster among
// it, and what is in the way of that is not written over what somebody types.
func TestR52Completion(t *testing.T) {
	address := servePools(t, "worker", "infra", "master")
	for name, test := range map[string]struct {
		reason string
		called string
		args   []string
		want   []string
		not    []string
	}{
		"commands":       {reason: "the first word", args: []string{""}, want: []string{"status\t", "doctor\t", "render-build\t", "start\t"}},
		"plugin":         {reason: "kubectl asks a program of that name", called: "kubectl_complete-machine_os", args: []string{"s"}, want: []string{"status\t"}, not: []string{"start"}},
		"pools":          {reason: "of the cluster that the flags name", args: []string{"status", "--server", address, ""}, want: []string{"infra\nmaster\nworker\n"}},
		"pools, begun":   {reason: "those that begin so", args: []string{"status", "--server", address, "w"}, want: []string{"worker\n"}, not: []string{"infra"}},
		"pools, further": {reason: "those that are there are not wanted again", args: []string{"status", "--server", address, "worker", ""}, want: []string{"infra\nmaster\n"}, not: []string{"worker"}},
		"pool, by flag":  {reason: "render-build has a flag for it", args: []string{"render-build", "--server", address, "--pool", ""}, want: []string{"infra\nmaster\nworker\n"}},
		"pools, plugin":  {reason: "as in the shell", called: "kubectl_complete-machine_os", args: []string{"status", "--server", address, ""}, want: []string{"infra\nmaster\nworker\n"}},
		"no cluster":     {reason: "nothing is offered, and no file", args: []string{"status", "--server", "http://127.0.0.1:1", ""}, want: []string{":4\n"}, not: []string{"refused"}},
		"form":           {reason: "there are many", args: []string{"status", "-o", ""}, want: []string{"wide\n", "jsonpath=\n", "custom-columns=\n"}},
		"form, doctor":   {reason: "there is no wide one", args: []string{"doctor", "-o", ""}, want: []string{"json\n"}, not: []string{"wide"}},
		"nothing":        {reason: "doctor takes no name", args: []string{"doctor", ""}, want: []string{":4\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.called == "" {
				test.called, test.args = componentName, append([]string{"__complete"}, test.args...)
			}
			output, err := runAs(t, test.called, test.args...)
			require.NoError(t, err, test.reason)
			for _, want := range test.want {
				require.Contains(t, output, want, test.reason)
			}
			for _, not := range test.not {
				require.NotContains(t, output, not, test.reason)
			}
		})
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := run(t.Context(), "completion", shell)
		require.NoError(t, err, shell)
		require.Contains(t, script, componentName)
	}
}
