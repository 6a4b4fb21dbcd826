package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestUntouchedPool: the controller has nothing to do for it.
func TestUntouchedPool(t *testing.T) {
	text, err := untouched(cachedPool)
	require.NoError(t, err)
	require.Contains(t, text, placeholder, "each copy has a name of its own")
	var pool mcfgv1.MachineConfigPool
	require.NoError(t, json.Unmarshal([]byte(text), &pool))
	read := ledger.Read(&pool)
	require.False(t, read.Layered)
	require.False(t, read.HasTraces)
	require.NotEmpty(t, pool.Status.Conditions, "those of others are there")
	require.NotEmpty(t, pool.ManagedFields)
}

// TestShelf: there are pools and configs, nothing of other kinds, and nothing can be changed.
func TestShelf(t *testing.T) {
	s, err := newShelf(2, 1000)
	require.NoError(t, err)
	ask := func(method, path string) (int, string) {
		response := httptest.NewRecorder()
		s.ServeHTTP(response, httptest.NewRequest(method, path, http.NoBody))
		return response.Code, response.Body.String()
	}
	for _, test := range []struct {
		reason, method, path string
		code, items          int
	}{
		{"as many as were asked for", http.MethodGet, "/apis/machineconfiguration.openshift.io/v1/machineconfigpools", http.StatusOK, 2},
		{"two for each pool", http.MethodGet, "/apis/machineconfiguration.openshift.io/v1/machineconfigs", http.StatusOK, 4},
		{"an empty list", http.MethodGet, "/apis/build.openshift.io/v1/namespaces/mco/builds", http.StatusOK, 0},
		{"no such API", http.MethodGet, "/apis/machineconfiguration.openshift.io/v1", http.StatusNotFound, 0},
		{"it keeps nothing", http.MethodPatch, "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/worker-000001/status", http.StatusForbidden, 0},
	} {
		code, text := ask(test.method, test.path)
		require.Equal(t, test.code, code, test.reason)
		require.Equal(t, test.items, itemsOf(text), test.reason)
	}
	require.EqualValues(t, 1, s.writes.Load())
}

// itemsOf is how many objects a list has.
func itemsOf(text string) int {
	var list struct{ Items []json.RawMessage }
	_ = json.Unmarshal([]byte(text), &list)
	return len(list.Items)
}

func TestSteady(t *testing.T) {
	same := func(n int, value float64) (all []float64) {
		for range n {
			all = append(all, value)
		}
		return all
	}
	for name, test := range map[string]struct {
		reason string
		seen   []float64
		want   bool
	}{
		"nothing":   {reason: "nobody knows yet"},
		"too short": {reason: "the collector may not have begun", seen: same(steadySeconds-1, 100)},
		"long":      {reason: "nothing changes any more", seen: same(steadySeconds, 100), want: true},
		"a little":  {reason: "a process is never quite the same", seen: append(same(steadySeconds, 100), 100.5), want: true},
		"falling":   {reason: "it gives memory back", seen: append(same(steadySeconds, 100), 98)},
		"long ago":  {reason: "what was is over", seen: append([]float64{900}, same(steadySeconds, 100)...), want: true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, isSteady(test.seen), test.reason) })
	}
}

func TestResident(t *testing.T) {
	bytes, err := residentOf(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, bytes, 1e6)
	_, err = residentOf(-1)
	require.Error(t, err)
}

// TestResidentRow: the row tells of large configs first, and whether anything was extrapolated.
func TestResidentRow(t *testing.T) {
	require.Equal(t, 100, plainPools(100, 1000), "all of them fit")
	require.Less(t, plainPools(10000, 150000), 2000)
	require.Equal(t, 2, plainPools(10000, plainBytes), "a slope needs two")

	b := &bench{table: newTable()}
	b.fillResident([]memoryOf{
		{Pools: 100, Content: 150000, Controller: 10e6, Plain: 100e6, PlainPools: 50},
		{Pools: 100, Content: 1000, Controller: 10e6, Plain: 40e6, PlainPools: 100},
	})
	row := b.table.Results["P20"]
	require.True(t, row.OK)
	require.Equal(t, "0.10 (150 KB); 0.25 (1 KB)", row.Measured)
	require.Equal(t, []string{
		"100 pools and 200 configs of 150 KB: 10 MB, plain objects 100 MB (extrapolated from 50 pools)",
		"100 pools and 200 configs of 1 KB: 10 MB, plain objects 40 MB (measured)",
	}, row.Notes)
	b.fillResident([]memoryOf{{Pools: 100, Content: 150000, Controller: 51e6, Plain: 100e6, PlainPools: 100}})
	require.False(t, row.OK, "half of it is the goal")
}
