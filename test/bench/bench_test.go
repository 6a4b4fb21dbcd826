package main

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEstimates(t *testing.T) {
	require.InDelta(t, 2.5, quantile([]float64{4, 1, 3, 2}, 0.5), 1e-9, "between the two in the middle")
	require.InDelta(t, 3.97, quantile([]float64{4, 1, 3, 2}, 0.99), 1e-9, "almost the largest one")
	require.True(t, math.IsNaN(median(nil)), "nothing has no median")

	samples := []float64{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	e := medianOf(samples)
	require.Equal(t, e, medianOf(samples), "the same samples give the same interval")
	require.Less(t, e.Low, e.Value)
	require.Greater(t, e.High, e.Value)
	require.GreaterOrEqual(t, e.Low, 10.0)
	require.LessOrEqual(t, e.High, 19.0)

	twice := []float64{20, 22, 24, 26, 28, 30, 32, 34, 36, 38}
	require.InDelta(t, 2, ratioOf(twice, samples, 0.5).Value, 1e-9)
	require.Equal(t, estimate{2, 2, 2, 10}, medianOf(ratiosOf(twice, samples)), "pairs that agree leave no doubt")
}

func TestDescribe(t *testing.T) {
	for _, test := range []struct{ reason, method, url, kind, name string }{
		{"a core kind in a namespace", http.MethodPost, "/api/v1/namespaces/mco/secrets", "create secrets", ""},
		{"one object", http.MethodDelete, "/api/v1/namespaces/mco/secrets/push", "delete secrets", "push"},
		{"a subresource", http.MethodPatch, "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/worker/status", "patch machineconfigpools/status", "worker"},
		{"a read", http.MethodGet, "/apis/machineconfiguration.openshift.io/v1/machineconfigs/rendered-1", "get machineconfigs", "rendered-1"},
		{"a list is no read of a cycle", http.MethodGet, "/apis/build.openshift.io/v1/namespaces/mco/builds?limit=500", "list builds", ""},
		{"nor is a watch", http.MethodGet, "/apis/build.openshift.io/v1/namespaces/mco/builds?watch=true", "watch builds", ""},
		{"discovery", http.MethodGet, "/version", "get /version", ""},
	} {
		kind, name := describe(httptest.NewRequest(test.method, test.url, http.NoBody))
		require.Equal(t, test.kind, kind, test.reason)
		require.Equal(t, test.name, name, test.reason)
	}
}

func TestCounts(t *testing.T) {
	c := counts{
		"list builds": {Calls: 1}, "watch builds": {Calls: 2}, "get machineconfigs": {Calls: 3}, "create events": {Calls: 4},
		patchPools: {Calls: 5, Refusals: 1}, deleteBuilds: {Calls: 6},
	}
	calls, reads, writes := c.calls()
	require.Equal(t, []int{14, 3, 11}, []int{calls, reads, writes}, "lists, watches and events are not calls of a cycle")
	require.Equal(t, 1, c.refusals())
}

// TestYardstickWritesAsMuch: names are replaced by others that are as long, and how often
// a kind is written comes to the controller's average.
func TestYardstickWritesAsMuch(t *testing.T) {
	for name, instead := range disguised {
		require.Len(t, instead, len(name))
	}
	require.Equal(t, `{"type":"BenchPending","machineconfiguratiom.openshift.io/x":1}`,
		string(disguise([]byte(`{"type":"BuildPending","machineconfiguration.openshift.io/x":1}`))))

	b := &bare{}
	b.observeRates(counts{patchStatus: {Calls: 251, Refusals: 1}, "get machineconfigs": {Calls: 100}, "watch builds": {Calls: 1}}, 100)
	require.Equal(t, map[string]float64{patchStatus: 2.5}, b.writes, "it reads nothing, and repeats no refused request")
	total := 0
	for i := range 100 {
		times := b.times(patchStatus, i)
		require.Contains(t, []int{2, 3}, times)
		total += times
	}
	require.Equal(t, 250, total)
	require.Zero(t, b.times(createSecrets, 7))
}

// TestBodiesAreThoseOfThePool: both forms of a patch are locked to the pool's version.
func TestBodiesAreThoseOfThePool(t *testing.T) {
	pool := &barePool{name: "yard-7", uid: "uid-7", version: "700"}
	for reason, test := range map[string]struct{ sent, want string }{
		"a merge patch": {
			`{"metadata":{"annotations":{"a":"of subj-1"},"resourceVersion":"12","uid":"u"}}`,
			`{"metadata":{"annotations":{"a":"of yard-7"},"resourceVersion":"700","uid":"uid-7"}}`,
		},
		"a merge patch without a UID": {`{"metadata":{"resourceVersion":"12"}}`, `{"metadata":{"resourceVersion":"700"}}`},
		"a JSON patch": {
			`[{"op":"replace","path":"/metadata/resourceVersion","value":"12"},{"op":"replace","path":"/status/conditions/6","value":{"message":"subj-1"}}]`,
			`[{"op":"replace","path":"/metadata/resourceVersion","value":"700"},{"op":"replace","path":"/status/conditions/6","value":{"message":"yard-7"}}]`,
		},
	} {
		require.Equal(t, test.want, string(body{text: []byte(test.sent)}.of(pool, "subj-1")), reason)
	}
}

func TestConfigsHaveTheirSize(t *testing.T) {
	for _, size := range []int{1000, 150000} {
		raw := renderedConfig("rendered-worker-1", size).Spec.Config.Raw
		require.InDelta(t, size, len(raw), float64(size)/4+200)
		require.NotEqual(t, string(raw), string(renderedConfig("rendered-worker-2", size).Spec.Config.Raw), "each has its own content")
	}
}

func TestTable(t *testing.T) {
	table := newTable()
	table.set("P1", true, nil, "%s", number(9))
	table.set("P8", false, map[string]estimate{"small": {1.4, 1.35, 1.5, 10}}, "%s", estimate{1.4, 1.35, 1.5, 10})
	table.note("P8", "the machine was busy")
	var text strings.Builder
	require.NoError(t, table.print(&text))
	lines := map[string]string{}
	for _, line := range strings.Split(text.String(), "\n") {
		if fields := strings.Fields(line); len(fields) > 0 && lines[fields[0]] == "" {
			lines[fields[0]] = line
		}
	}
	require.Regexp(t, ` 9 +ok$`, lines["P1"])
	require.Regexp(t, `1\.40 \[1\.35, 1\.50\] +MISS$`, lines["P8"])
	require.Regexp(t, `not run$`, lines["P2"])
	require.Contains(t, text.String(), "P8   the machine was busy")

	dir := t.TempDir()
	require.NoError(t, table.save(dir))
	require.FileExists(t, dir+"/results.txt")
	require.FileExists(t, dir+"/results.json")
}
