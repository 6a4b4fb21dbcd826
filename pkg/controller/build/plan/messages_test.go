package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestOutcome: what failed is said in the same words on the pool and by commands, which
// say for themselves what to do about it.
func TestOutcome(t *testing.T) {
	for name, failure := range map[string]ledger.Failure{
		"Build build-1 of rendered-worker-1 was cancelled (CancelledBuild)":                                                  {Reason: "CancelledBuild", Interrupted: true},
		"Build build-1 of rendered-worker-1 failed (DockerBuildFailed: no)":                                                  {Reason: "DockerBuildFailed", Message: "no."},
		"All 4 attempts at rendered-worker-1 failed, the last one, build build-1 (BuildPodEvicted), its log ends: one | two": {Reason: "BuildPodEvicted", Transient: true, Log: "one\ntwo\n"},
	} {
		d := decision{Snapshot: &Snapshot{Now: time.Unix(1700000000, 0)}, record: &ledger.Record{
			Build: "build-1", Fingerprint: "f", Config: "rendered-worker-1", Attempt: 4, Failure: &failure,
		}}
		require.Equal(t, name, Outcome(d.record))
		require.Contains(t, d.afterFailure(d.record, false).Message, name+"; ")
		require.Contains(t, d.afterFailure(d.record, false).Message, (&Snapshot{}).wayOut())
	}
}
