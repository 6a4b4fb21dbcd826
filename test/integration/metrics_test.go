package integration

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMetricsOfTwoReplicas: the one that leads tells of the pools, the other one that it
// stands by, and they change roles when the first one goes.
func TestMetricsOfTwoReplicas(t *testing.T) {
	const pool = "measured"
	useSettings(t)
	config := createConfig(t)
	first := startController(t, gateOn, "--leader-elect", "--leader-elect-retry-period=1s")
	second := startController(t, gateOn, "--leader-elect", "--leader-elect-retry-period=1s")
	createPool(t, pool, config)
	awaitImage(t, pool, config)
	tells := func(p *process, line string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(p.metrics(), "\n"+line+"\n") }, soon, 100*time.Millisecond, "%s is missing", line)
	}
	for _, line := range []string{
		`machine_os_builder_working 1`,
		`machine_os_builder_pool_state{pool="measured",state="Published"} 1`,
		`machine_os_builder_pool_reason{pool="measured",reason="ImagePublished"} 1`,
		`machine_os_builder_image_stale_seconds{pool="measured"} 0`,
		`machine_os_builder_builds_started_total{pool="measured"} 1`,
		`machine_os_builder_builds_finished_total{pool="measured",reason="Succeeded",result="succeeded"} 1`,
		`machine_os_builder_build_queue_wait_seconds_count 1`,
		`kubernetes_feature_enabled{name="OnClusterBuild",stage="ALPHA"} 1`,
	} {
		tells(first, line)
	}
	tells(second, `machine_os_builder_working 0`)
	require.NotContains(t, second.metrics(), `pool="`+pool+`"`)
	require.Regexp(t, "^standing by; the leader is .+\n$", body(t, second, "/readyz"))
	require.Equal(t, "ok\n", body(t, second, "/healthz"))

	first.stop()
	tells(second, `machine_os_builder_pool_state{pool="measured",state="Published"} 1`)
	tells(second, `machine_os_builder_builds_started_total{pool="measured"} 0`)
	require.Equal(t, "ok\n", body(t, second, "/readyz"))
}

// body is what a probe gets as an answer.
func body(t *testing.T, p *process, path string) string {
	t.Helper()
	match := serving.FindStringSubmatch(p.ownLog())
	require.NotNil(t, match)
	response, err := http.Get("http://" + match[1] + path)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
