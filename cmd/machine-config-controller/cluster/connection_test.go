package cluster

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// kubeconfigs are files in a directory of their own: whole has two contexts, clusters and users
// and wants the first, the others have parts of it.
func kubeconfigs(t *testing.T) (file func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	file = func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, change func(*clientcmdapi.Config)) {
		config := clientcmdapi.NewConfig()
		for _, which := range []string{"one", "two"} {
			config.Clusters[which] = &clientcmdapi.Cluster{Server: "https://" + which + ".example.com:6443"}
			config.AuthInfos[which] = &clientcmdapi.AuthInfo{Token: "token of " + which}
			config.Contexts[which] = &clientcmdapi.Context{Cluster: which, AuthInfo: which}
		}
		config.CurrentContext = "one"
		change(config)
		require.NoError(t, clientcmd.WriteToFile(*config, file(name)))
	}
	write("whole", func(*clientcmdapi.Config) {})
	write("clusters", func(c *clientcmdapi.Config) { c.AuthInfos, c.Contexts, c.CurrentContext = nil, nil, "" })
	write("rest", func(c *clientcmdapi.Config) { c.Clusters = nil })
	write("second", func(c *clientcmdapi.Config) { c.CurrentContext = "two" })
	write("undecided", func(c *clientcmdapi.Config) { c.CurrentContext = "" })
	write("dangling", func(c *clientcmdapi.Config) { c.CurrentContext = "three" })
	require.NoError(t, os.WriteFile(file("empty"), nil, 0o600))
	require.NoError(t, os.WriteFile(file("broken"), []byte("not: [a kubeconfig"), 0o600))
	return file
}

// optionsOf reads flags.
func optionsOf(t *testing.T, args ...string) *Options {
	t.Helper()
	o := NewOptions()
	cmd := &cobra.Command{}
	o.AddFlags(cmd)
	require.NoError(t, cmd.ParseFlags(args))
	return &o
}

// noCluster takes away what the machine that tests run on may have.
func noCluster(t *testing.T) {
	t.Helper()
	home := clientcmd.RecommendedHomeFile
	t.Cleanup(func() { clientcmd.RecommendedHomeFile = home })
	clientcmd.RecommendedHomeFile = filepath.Join(t.TempDir(), "config")
	for _, name := range []string{"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} {
		t.Setenv(name, "")
	}
}

// TestR50FoundAsByKubectl: whoever works with kubectl reaches the same cluster as the same user.
func TestR50FoundAsByKubectl(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		// listed are the files of KUBECONFIG, and home is ~/.kube/config.
		listed []string
		home   string
		pod    bool
		args   []string
		host   string
		token  string
		as     rest.ImpersonationConfig
	}{
		"variable":          {reason: "the commonest way", listed: []string{"whole"}, host: "one", token: "one"},
		"list":              {reason: "a file for each concern", listed: []string{"clusters", "rest"}, host: "one", token: "one"},
		"list, turned":      {reason: "the order only decides between equal names", listed: []string{"rest", "clusters"}, host: "one", token: "one"},
		"list with a gap":   {reason: "a file that another tool makes later", listed: []string{"nowhere", "whole"}, host: "one", token: "one"},
		"first counts":      {reason: "as kubectl merges", listed: []string{"second", "whole"}, host: "two", token: "two"},
		"home":              {reason: "nothing was set up but by oc login", home: "whole", host: "one", token: "one"},
		"variable, home":    {reason: "a variable is set on purpose", listed: []string{"second"}, home: "whole", host: "two", token: "two"},
		"flag, variable":    {reason: "a flag is nearer", listed: []string{"whole"}, args: []string{"--kubeconfig", "second"}, host: "two", token: "two"},
		"flag, gone list":   {reason: "the list does not count then", listed: []string{"nowhere"}, args: []string{"--kubeconfig", "second"}, host: "two", token: "two"},
		"context":           {reason: "another cluster", home: "whole", args: []string{"--context", "two"}, host: "two", token: "two"},
		"cluster":           {reason: "the same user elsewhere", home: "whole", args: []string{"--cluster", "two"}, host: "two", token: "one"},
		"user":              {reason: "another user there", home: "whole", args: []string{"--user", "two"}, host: "one", token: "two"},
		"cluster, no other": {reason: "there is no current-context", listed: []string{"undecided"}, args: []string{"--cluster", "two", "--user", "one"}, host: "two", token: "one"},
		"context, no other": {reason: "there is no current-context", listed: []string{"undecided"}, args: []string{"--context", "two"}, host: "two", token: "two"},
		"server":            {reason: "past the balancer", home: "whole", args: []string{"--server", "https://three.example.com:6443"}, host: "three", token: "one"},
		"server, short":     {reason: "as kubectl has it", home: "whole", args: []string{"-s", "https://three.example.com:6443", "--token", "token of two"}, host: "three", token: "two"},
		"server alone":      {reason: "no file is needed", args: []string{"--server", "https://three.example.com:6443", "--token", "token of two"}, host: "three", token: "two"},
		"as":                {reason: "an administrator looks as somebody else", home: "whole", args: []string{"--as", "joe", "--as-group", "a", "--as-group", "b"}, host: "one", token: "one", as: rest.ImpersonationConfig{UserName: "joe", Groups: []string{"a", "b"}, Extra: map[string][]string{}}},
		"in a pod, a file":  {reason: "a pod's account is only for those who say nothing", pod: true, home: "whole", host: "one", token: "one"},
		"in a pod, a flag":  {reason: "likewise", pod: true, args: []string{"--server", "https://three.example.com:6443", "--token", "token of two"}, host: "three", token: "two"},
	} {
		t.Run(name, func(t *testing.T) {
			noCluster(t)
			file := kubeconfigs(t)
			var listed []string
			for _, name := range test.listed {
				listed = append(listed, file(name))
			}
			t.Setenv("KUBECONFIG", strings.Join(listed, string(filepath.ListSeparator)))
			if test.home != "" {
				clientcmd.RecommendedHomeFile = file(test.home)
			}
			if test.pod {
				t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
				t.Setenv("KUBERNETES_SERVICE_PORT", "443")
			}
			if len(test.args) > 0 && test.args[0] == "--kubeconfig" {
				test.args[1] = file(test.args[1])
			}
			o := optionsOf(t, test.args...)
			require.NoError(t, o.Validate())
			config, err := o.restConfig()
			require.NoError(t, err, test.reason)
			require.Equal(t, "https://"+test.host+".example.com:6443", config.Host, test.reason)
			require.Equal(t, "token of "+test.token, config.BearerToken, test.reason)
			if test.as.UserName != "" {
				require.Equal(t, test.as.UserName, config.Impersonate.UserName, test.reason)
				require.Equal(t, test.as.Groups, config.Impersonate.Groups, test.reason)
			}
			require.Equal(t, 30*time.Second, config.Timeout, "no request is waited for for ever")
			require.InDelta(t, 50, config.QPS, 0)
		})
	}
}

// TestR50NoClusterIsSaid: whatever keeps a cluster from being found is named, and the way out;
// no address is made up.
func TestR50NoClusterIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		listed string
		pod    bool
		args   []string
		want   []string
	}{
		"nothing":           {reason: "a new user's first try", want: []string{"there is no kubeconfig", "name a file by --kubeconfig"}},
		"gone list":         {reason: "a typing error in a profile", listed: "nowhere", want: []string{"KUBECONFIG is", "nowhere", "--kubeconfig"}},
		"gone list, in pod": {reason: "another cluster than the one that was meant", listed: "nowhere", pod: true, want: []string{"KUBECONFIG is", "nowhere"}},
		"gone file":         {reason: "a typing error", args: []string{"--kubeconfig", "nowhere"}, want: []string{"nowhere"}},
		"empty file":        {reason: "a login that went wrong", args: []string{"--kubeconfig", "empty"}, want: []string{"there is no cluster in --kubeconfig", "empty"}},
		"empty list":        {reason: "likewise", listed: "empty", want: []string{"there is no cluster in the files of KUBECONFIG", "empty"}},
		"broken file":       {reason: "a damaged file", listed: "broken", want: []string{"broken"}},
		"no context chosen": {reason: "client-go would go to localhost:8080", listed: "undecided", want: []string{"has no current-context", "--context", `"one", "two"`}},
		"dangling context":  {reason: "client-go's message does not say what there is", listed: "dangling", want: []string{`no context "three" (current-context)`, `"one", "two"`}},
		"no such context":   {reason: "a typing error", listed: "whole", args: []string{"--context", "tow"}, want: []string{`no context "tow" (--context)`, `"one", "two"`}},
		"no such cluster":   {reason: "a typing error", listed: "whole", args: []string{"--cluster", "tow"}, want: []string{`no cluster "tow" (--cluster)`, `"one", "two"`}},
		"no such user":      {reason: "a typing error", listed: "whole", args: []string{"--user", "tow"}, want: []string{`no user "tow" (--user)`, `"one", "two"`}},
		"no clusters":       {reason: "half of a pair of files", listed: "rest", want: []string{`no cluster "one" (context one)`, "there is none"}},
		"no CA file":        {reason: "a typing error", listed: "whole", args: []string{"--certificate-authority", "/no/ca"}, want: []string{"/no/ca"}},
		"pod without token": {reason: "the account is not mounted", pod: true, want: []string{"serviceaccount/token"}},
	} {
		t.Run(name, func(t *testing.T) {
			noCluster(t)
			file := kubeconfigs(t)
			if test.listed != "" {
				t.Setenv("KUBECONFIG", file(test.listed))
			}
			if test.pod {
				t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
				t.Setenv("KUBERNETES_SERVICE_PORT", "443")
			}
			if len(test.args) > 0 && test.args[0] == "--kubeconfig" {
				test.args[1] = file(test.args[1])
			}
			var log bytes.Buffer
			klog.LogToStderr(false)
			klog.SetOutput(&log)
			defer klog.LogToStderr(true)
			_, err := optionsOf(t, test.args...).restConfig()
			klog.Flush()
			require.Empty(t, log.String(), "it is said once")
			for _, want := range test.want {
				require.ErrorContains(t, err, want, test.reason)
			}
			require.NotContains(t, err.Error(), "localhost:8080", test.reason)
		})
	}
}

func TestR51RequestTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{"5s": 5 * time.Second, "2m": 2 * time.Minute, "7": 7 * time.Second, "0": 0, "0s": 0} {
		timeout, err := optionsOf(t, "--request-timeout", text).requestTimeout()
		require.NoError(t, err, text)
		require.Equal(t, want, timeout, text)
	}
	for _, text := range []string{"soon", "-1s", "-5", ""} {
		require.ErrorContains(t, optionsOf(t, "--request-timeout="+text).Validate(), "--request-timeout", text)
	}
}

func TestChosen(t *testing.T) {
	require.Empty(t, optionsOf(t, "-n", "default", "--request-timeout", "5s", "--cache-dir", "/tmp").Chosen(), "these choose no cluster")
	require.Equal(t, []string{"--as", "--context"}, optionsOf(t, "--context", "two", "--as", "joe").Chosen())
}
