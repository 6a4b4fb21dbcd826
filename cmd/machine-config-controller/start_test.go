package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const soon = 10 * time.Second

func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestServe(t *testing.T) {
	health := &probes{}
	s, err := newServer(t.Context(), "127.0.0.1:0", health)
	require.NoError(t, err)
	t.Cleanup(s.shutdown)

	status, body := get(t, s.address(), "/healthz")
	require.Equal(t, http.StatusOK, status, body)
	status, _ = get(t, s.address(), "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status, "before anything was set up")
	health.rest("nothing to do")
	status, body = get(t, s.address(), "/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "nothing to do\n", body)

	status, body = get(t, s.address(), "/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "go_goroutines")
	_, err = buildMetrics()
	require.NoError(t, err)
	again, err := buildMetrics()
	require.NoError(t, err)
	require.NotNil(t, again, "a second start in one process is no error")
	_, body = get(t, s.address(), "/metrics")
	require.Contains(t, body, "\nmachine_os_builder_working 0\n")
	require.Contains(t, body, "\nmachine_os_builder_build_info{")
	status, _ = get(t, s.address(), "/other")
	require.Equal(t, http.StatusNotFound, status)
}

// TestServeHealth: what may be reached from outside of the pod tells no more than
// whether the process is well.
func TestServeHealth(t *testing.T) {
	health := &probes{}
	s, err := newHealthServer(t.Context(), "127.0.0.1:0", health)
	require.NoError(t, err)
	t.Cleanup(s.shutdown)
	for _, probe := range []struct {
		reason, path string
		ready        bool
		want         int
	}{
		{reason: "the process lives while its caches fill", path: "/healthz", want: http.StatusOK},
		{reason: "but nobody is to count on it yet", path: "/readyz", want: http.StatusServiceUnavailable},
		{reason: "the same readiness as on the other address", path: "/readyz", ready: true, want: http.StatusOK},
		{reason: "metrics are for those who may read them", path: "/metrics", ready: true, want: http.StatusNotFound},
	} {
		health.follow(func() bool { return probe.ready })
		status, _ := get(t, s.address(), probe.path)
		require.Equal(t, probe.want, status, probe.reason)
	}
	_, err = newHealthServer(t.Context(), s.address(), health)
	require.ErrorContains(t, err, "--health-bind-address", "the flag to change is named")

	none, err := newHealthServer(t.Context(), "", health)
	require.NoError(t, err)
	require.Nil(t, none, "no address, no listener")
	none.shutdown()
}

func TestAddressInUse(t *testing.T) {
	s, err := newServer(t.Context(), "127.0.0.1:0", &probes{})
	require.NoError(t, err)
	t.Cleanup(s.shutdown)
	_, err = newServer(t.Context(), s.address(), &probes{})
	require.ErrorContains(t, err, "--bind-address", "an address that is taken is an error of the start")
}

// run executes the program's command line until it returns.
func run(ctx context.Context, args ...string) (string, error) {
	var output bytes.Buffer
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(&output)
	root.SetErr(&output)
	err := root.ExecuteContext(ctx)
	return output.String(), err
}

// TestGateOff: no kubeconfig is read and no cluster is needed.
func TestGateOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := run(ctx, "start", "--bind-address=127.0.0.1:0", "--kubeconfig=does-not-exist")
		done <- err
	}()
	cancel()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(soon):
		require.Fail(t, "the process does not end")
	}
}

func TestStartNamesWhatIsWrong(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(broken, []byte("not: [a kubeconfig"), 0o600))
	for name, test := range map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"no such kubeconfig": {reason: "a typing error", args: []string{"--kubeconfig=does-not-exist"}, want: "does-not-exist"},
		"broken kubeconfig":  {reason: "a damaged file", args: []string{"--kubeconfig=" + broken}, want: "could not read the cluster's address"},
		"bad flag value":     {reason: "flags are checked first", args: []string{"--workers=0"}, want: "--workers"},
		"argument":           {reason: "there is nothing to name", args: []string{"worker"}, want: "worker"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t.Context(), append([]string{"start", "--bind-address=127.0.0.1:0", "--feature-gates=OnClusterBuild=true"}, test.args...)...)
			require.ErrorContains(t, err, test.want, test.reason)
		})
	}
}

func TestVersion(t *testing.T) {
	output, err := run(t.Context(), "version")
	require.NoError(t, err)
	require.Regexp(t, `^machine-config-controller v\d+\.\d+\.\d+\S*\n  commit: `, output)
	_, err = run(t.Context(), "version", "extra")
	require.Error(t, err)
}
