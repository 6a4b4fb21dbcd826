package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

func TestRetryDelay(t *testing.T) {
	for attempt := 1; attempt < 5; attempt++ {
		shortest := firstDelay << (attempt - 1)
		delay := retryDelay("fingerprint", attempt)
		require.GreaterOrEqual(t, delay, shortest, "the delay doubles")
		require.Less(t, delay, shortest+shortest/5, "and the jitter is at most a fifth")
		require.Equal(t, delay, retryDelay("fingerprint", attempt), "and the same on every look")
	}
	require.Less(t, retryDelay("a", 1<<62), 2*longestDelay, "however many attempts there were, and whoever says so")
	require.NotEqual(t, retryDelay("a", 1), retryDelay("b", 1), "pools that failed together do not return together")
}

// TestNextAttempt: it is when the controller starts it.
func TestNextAttempt(t *testing.T) {
	require.Zero(t, NextAttempt(nil))
	record := ledger.Record{Build: "build-1", Fingerprint: "f", Config: "rendered-worker-1", Attempt: 1}
	require.Zero(t, NextAttempt(&record), "it may succeed")
	now := time.Unix(1700000000, 0)
	record.Failure = &ledger.Failure{Reason: "BuildPodEvicted", Transient: true, At: now}
	d := decision{Snapshot: &Snapshot{Now: now, Builds: []imagebuilder.Observation{}}, record: &record}
	d.record.Versions = d.versions()
	require.Equal(t, d.afterFailure(&record, true).RequeueAfter, NextAttempt(&record).Sub(now))
}
