package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestWithoutWayOut: what is said of a failure stays, what to do about it goes, in every
// state that has it.
func TestWithoutWayOut(t *testing.T) {
	for name, failure := range map[string]Failure{
		"cancelled": {Reason: "CancelledBuild", Interrupted: true},
		"failed":    {Reason: "DockerBuildFailed"},
		"exhausted": {Reason: "BuildPodEvicted", Transient: true},
	} {
		d := decision{Snapshot: &Snapshot{Now: time.Unix(1700000000, 0)}, record: &Record{
			Build: "build-1", Fingerprint: "f", Config: "rendered-worker-1", Attempt: 4, Failure: &failure,
		}}
		p := d.afterFailure(d.record, false)
		require.Contains(t, p.Message, wayOut, name)
		short := WithoutWayOut(p.Message)
		require.Contains(t, short, failure.Reason, name)
		require.True(t, strings.HasSuffix(short, ")."), short)
	}
	require.Equal(t, "Build a runs; b waits.", WithoutWayOut("Build a runs; b waits."))
}

// TestNextAttempt: it is when the controller starts it.
func TestNextAttempt(t *testing.T) {
	var none *Record
	require.Zero(t, none.NextAttempt())
	record := Record{Build: "build-1", Fingerprint: "f", Config: "rendered-worker-1", Attempt: 1}
	require.Zero(t, record.NextAttempt(), "it may succeed")
	now := time.Unix(1700000000, 0)
	record.Failure = &Failure{Reason: "BuildPodEvicted", Transient: true, At: now}
	d := decision{Snapshot: &Snapshot{Now: now, Builds: []imagebuilder.Observation{}}, record: &record}
	d.record.Versions = d.versions()
	require.Equal(t, d.afterFailure(&record, true).RequeueAfter, record.NextAttempt().Sub(now))
}

func TestBuildConditions(t *testing.T) {
	require.Len(t, BuildConditions(), 5)
	for _, conditionType := range BuildConditions() {
		require.True(t, IsOurs(conditionType))
	}
}
