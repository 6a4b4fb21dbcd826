package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// shipped reads one of the manifests that ship.
func shipped(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "hack", "deploy", name))
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(text, into))
}

func containerOf(t *testing.T, pod corev1.PodSpec, name string) corev1.Container {
	t.Helper()
	for _, container := range pod.Containers {
		if container.Name == name {
			return container
		}
	}
	require.Fail(t, "no such container", name)
	return corev1.Container{}
}

// TestShippedFlags: the Deployment's flags are known, and turn on what it is for.
func TestShippedFlags(t *testing.T) {
	var deployment appsv1.Deployment
	shipped(t, "deployment.yaml", &deployment)
	pod := deployment.Spec.Template.Spec
	container := containerOf(t, pod, componentName)
	require.Equal(t, "start", container.Args[0])

	start, flags, err := newRootCommand().Find(container.Args)
	require.NoError(t, err)
	require.NoError(t, start.ParseFlags(flags), "every flag is known")
	var own []string
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "--v=") {
			own = append(own, flag)
		}
	}
	o := parse(t, own...)
	require.NoError(t, o.validate())
	require.True(t, o.featureGates.Enabled(onClusterBuild))
	require.True(t, o.leaderElection.LeaderElect, "two replicas need a leader")
	require.EqualValues(t, 2, *deployment.Spec.Replicas)

	host, port, err := net.SplitHostPort(o.bindAddress)
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), "metrics are read through the proxy only")
	require.Empty(t, containerOf(t, pod, "kube-rbac-proxy").Command)
	upstream := ""
	for _, arg := range containerOf(t, pod, "kube-rbac-proxy").Args {
		if value, found := strings.CutPrefix(arg, "--upstream="); found {
			upstream = value
		}
	}
	address, err := url.Parse(upstream)
	require.NoError(t, err)
	require.Equal(t, net.JoinHostPort(host, port), address.Host, "the proxy asks where metrics are served")

	_, port, err = net.SplitHostPort(o.healthAddress)
	require.NoError(t, err)
	for what, probe := range map[string]*corev1.Probe{"/healthz": container.LivenessProbe, "/readyz": container.ReadinessProbe} {
		require.Equal(t, what, probe.HTTPGet.Path)
		for _, p := range container.Ports {
			if p.Name == probe.HTTPGet.Port.String() {
				require.Equal(t, port, strconv.Itoa(int(p.ContainerPort)), "probes ask where health is served")
			}
		}
		require.Equal(t, container.Ports[0].Name, probe.HTTPGet.Port.String())
	}
}
