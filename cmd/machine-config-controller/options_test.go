package main

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, args ...string) *startOptions {
	t.Helper()
	o := newStartOptions()
	flags := pflag.NewFlagSet("start", pflag.ContinueOnError)
	o.addFlags(flags)
	require.NoError(t, flags.Parse(args))
	return o
}

func TestDefaults(t *testing.T) {
	o := parse(t)
	require.NoError(t, o.validate())
	require.False(t, o.featureGates.Enabled(onClusterBuild), "the feature gate is off by default")
	require.False(t, o.leaderElection.LeaderElect)
	require.Equal(t, 137*time.Second, o.leaderElection.LeaseDuration.Duration, "OpenShift's recommendation")
	require.Equal(t, 107*time.Second, o.leaderElection.RenewDeadline.Duration)
	require.Equal(t, 26*time.Second, o.leaderElection.RetryPeriod.Duration)
	require.Equal(t, "openshift-machine-config-operator", o.leaderElection.ResourceNamespace)
	require.Equal(t, "machine-os-build-controller", o.leaderElection.ResourceName, "the lease that the shipped Role permits, and not the operator's")
}

func TestFlags(t *testing.T) {
	o := parse(t, "--feature-gates=OnClusterBuild=true", "--leader-elect", "--leader-elect-lease-duration=15s", "--workers=7", "--kube-api-qps=9.5", "--kube-api-burst=11", "--bind-address=127.0.0.1:0", "--kubeconfig=file")
	require.True(t, o.featureGates.Enabled(onClusterBuild))
	require.True(t, o.leaderElection.LeaderElect)
	require.Equal(t, 15*time.Second, o.leaderElection.LeaseDuration.Duration)
	require.Equal(t, 7, o.workers)
	require.InDelta(t, 9.5, o.qps, 0)
	require.Equal(t, 11, o.burst)
	require.Equal(t, "file", o.kubeconfig)
	require.NoError(t, o.validate())
}

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		args   []string
		want   []string
	}{
		"no workers":   {reason: "nothing would ever be done", args: []string{"--workers=0"}, want: []string{"--workers is 0"}},
		"no requests":  {reason: "zero means no limit to client-go, which nobody expects", args: []string{"--kube-api-qps=0"}, want: []string{"--kube-api-qps"}},
		"no burst":     {reason: "no request would ever be sent", args: []string{"--kube-api-burst=-1"}, want: []string{"--kube-api-burst is -1"}},
		"bad address":  {reason: "it cannot be listened on", args: []string{"--bind-address=8080"}, want: []string{`--bind-address "8080" is not host:port`}},
		"bad health":   {reason: "a port alone is a common mistake", args: []string{"--health-bind-address=8798"}, want: []string{`--health-bind-address "8798" is not host:port`}},
		"all of these": {reason: "every problem is told at once", args: []string{"--workers=0", "--kube-api-qps=0", "--kube-api-burst=0", "--bind-address=x", "--health-bind-address=y"}, want: []string{"--workers", "--kube-api-qps", "--kube-api-burst", `--bind-address "x"`, `--health-bind-address "y"`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := parse(t, test.args...).validate()
			for _, text := range test.want {
				require.ErrorContains(t, err, text, test.reason)
			}
		})
	}
}

func TestUnknownFeatureGate(t *testing.T) {
	o := newStartOptions()
	flags := pflag.NewFlagSet("start", pflag.ContinueOnError)
	o.addFlags(flags)
	require.ErrorContains(t, flags.Parse([]string{"--feature-gates=OnClusterBuilds=true"}), "OnClusterBuilds", "a typing error does not turn the controller off silently")
}
