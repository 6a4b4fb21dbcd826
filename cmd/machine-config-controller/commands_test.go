package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	// Its flag has golden files written anew.
	_ "github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
)

func TestCommandsNameWhatIsWrong(t *testing.T) {
	t.Setenv("KUBECONFIG", "")
	for name, test := range map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"status, form":     {reason: "a typing error", args: []string{"status", "-o", "xml"}, want: `--output "xml" is none of text, wide, yaml, json`},
		"status, all":      {reason: "which is meant?", args: []string{"status", "--all", "worker"}, want: "--all and names of pools"},
		"status, QPS":      {reason: "it would never ask", args: []string{"status", "--kube-api-qps", "0"}, want: "--kube-api-qps"},
		"status, no file":  {reason: "a typing error", args: []string{"status", "--kubeconfig", "nowhere"}, want: "nowhere"},
		"status, nothing":  {reason: "a new user's first try", args: []string{"status"}, want: "name a file by --kubeconfig"},
		"doctor, form":     {reason: "there is no wide one", args: []string{"doctor", "-o", "wide"}, want: `--output "wide" is none of text, yaml, json`},
		"doctor, account":  {reason: "the namespace is missing", args: []string{"doctor", "--service-account", "me"}, want: `--service-account "me" is not namespace/name`},
		"doctor, argument": {reason: "there is nothing to name", args: []string{"doctor", "worker"}, want: "worker"},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := run(t.Context(), test.args...)
			require.ErrorContains(t, err, test.want, test.reason)
			require.Empty(t, output)
		})
	}
}
