package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

func TestWritesPending(t *testing.T) {
	at := time.Unix(1700000000, 0)
	version := func(v string) *mcfgv1.MachineConfigPool {
		pool := buildtest.Pool(worker).Object()
		pool.ResourceVersion = v
		return pool
	}
	for name, test := range map[string]struct {
		reason, written, cached string
		after                   time.Duration
		want                    bool
	}{
		"older":               {reason: "the write has not arrived", written: "10", cached: "9", want: true},
		"same":                {reason: "it has", written: "10", cached: "10"},
		"newer":               {reason: "and more with it", written: "9", cached: "10"},
		"older for long":      {reason: "versions ran backwards; waiting for ever would wedge the pool", written: "10", cached: "9", after: writeGrace},
		"not to be compared":  {reason: "a version of another form proves nothing", written: "abc", cached: "9"},
		"other pool's writes": {reason: "nothing was written", cached: "9"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWrites()
			if test.written != "" {
				w.record(version(test.written), at)
			}
			require.Equal(t, test.want, w.pending(version(test.cached), at.Add(test.after)), test.reason)
			if !test.want {
				require.Empty(t, w.newest, "what is settled is not kept")
			}
		})
	}
	w := newWrites()
	w.record(version("10"), at)
	w.forget(worker)
	require.Empty(t, w.newest)
}

// TestOwnWritesCauseNoConflict: a sync that runs before the cache shows the
// previous one's write waits for it, instead of writing on an old version.
func TestOwnWritesCauseNoConflict(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	_, err := h.sync(worker)
	require.NoError(t, err)
	h.deliver("builds", "secrets")
	h.api.ResetCalls()
	p, err := h.syncStale(worker)
	require.NoError(t, err)
	require.Equal(t, ledger.StateUnsettled, p.State)
	require.Empty(t, h.api.Calls())
	h.settle(worker)
	require.Len(t, h.api.Builds(), 1)
}
