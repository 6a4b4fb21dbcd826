package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

func createdAgo(ago time.Duration) func(*Snapshot) {
	return func(s *Snapshot) { s.Config.Created = now.Add(-ago) }
}

func waitingFor(d time.Duration) func(*Snapshot) {
	return func(s *Snapshot) { s.WaitingSince = now.Add(-d) }
}

func TestQuietPeriod(t *testing.T) {
	old := ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, ClaimedAt: now.Add(-time.Minute)}
	for name, test := range map[string]struct {
		reason   string
		snapshot Snapshot
		// wait is for how long nothing starts; zero for a start.
		wait    time.Duration
		state   ledger.State
		effects []string
	}{
		"old config":            {reason: "what did not change for days is not about to", snapshot: with(ready(), createdAgo(24*time.Hour))},
		"config just rendered":  {reason: "another one may follow", snapshot: with(ready(), createdAgo(time.Second)), wait: 4 * time.Second, state: ledger.StateQuiet},
		"exactly quiet":         {reason: "the period is over", snapshot: with(ready(), createdAgo(5*time.Second), waitingFor(5*time.Second))},
		"settings just changed": {reason: "settings decide the image as much as the config", snapshot: with(ready(), createdAgo(time.Hour), func(s *Snapshot) { s.ChangedAt = now.Add(-2 * time.Second) }), wait: 3 * time.Second, state: ledger.StateQuiet},
		"churn":                 {reason: "a wait of more than one period is explained", snapshot: with(ready(), createdAgo(time.Second), waitingFor(10*time.Second)), wait: 4 * time.Second, state: ledger.StateSettling},
		"ceiling near":          {reason: "the ceiling comes before the period is over", snapshot: with(ready(), createdAgo(time.Second), waitingFor(28*time.Second)), wait: 2 * time.Second, state: ledger.StateSettling},
		"ceiling reached":       {reason: "inputs that never stop changing are built all the same", snapshot: with(ready(), createdAgo(time.Second), waitingFor(30*time.Second))},
		"config of the future":  {reason: "the API server's clock runs ahead; that is bounded by the ceiling", snapshot: with(ready(), createdAgo(-time.Hour), waitingFor(time.Second)), wait: 5 * time.Second, state: ledger.StateQuiet},
		"no quiet period":       {reason: "0 turns it off", snapshot: with(ready(), createdAgo(0), func(s *Snapshot) { s.Settings.Values.Limits.QuietPeriod = 0 })},
		"no ceiling":            {reason: "a ceiling of 0 leaves no time to wait", snapshot: with(ready(), createdAgo(0), func(s *Snapshot) { s.Settings.Values.Limits.QuietPeriodCeiling = 0 })},
		"another build runs": {
			reason: "its inputs may come back; it is stopped when the next build is claimed", wait: 4 * time.Second, state: ledger.StateQuiet,
			snapshot: with(ready(), createdAgo(time.Second), record(old), observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs)),
		},
		"a build without use runs": {
			reason: "it is not the newest attempt", wait: 4 * time.Second, state: ledger.StateQuiet, effects: []string{"StopBuild build-2"},
			snapshot: with(ready(), createdAgo(time.Second), record(old), observed("build-2", imagebuilder.PhaseRunning, ofOtherInputs)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := Compute(test.snapshot)
			if test.wait == 0 {
				require.Equal(t, ledger.StatePending, p.State, test.reason)
				require.Equal(t, starting(1), outline(p.Effects), test.reason)
				require.False(t, p.Waiting, test.reason)
				return
			}
			require.Equal(t, test.state, p.State, test.reason)
			require.Equal(t, test.wait, p.RequeueAfter, test.reason)
			require.True(t, p.Waiting, test.reason)
			require.Equal(t, test.effects, outline(p.Effects), test.reason)
			if p.State == ledger.StateSettling {
				require.Equal(t, ledger.ReasonInputsChanging, p.Reason)
				require.Contains(t, p.Message, "keep changing; its build starts when they have not changed for 5s, at the latest 30s after")
			}
		})
	}
}

// TestQuietPeriodIsForChangesOnly: what is asked for, or known, is not waited with.
func TestQuietPeriodIsForChangesOnly(t *testing.T) {
	fresh := createdAgo(0)
	for name, test := range map[string]struct {
		reason   string
		snapshot Snapshot
		state    ledger.State
	}{
		"rebuild":       {"an administrator asked for it", with(ready(), fresh, record(success(claimed(time.Hour))), func(s *Snapshot) { s.Pool.RebuildRequested = "1" }), ledger.StatePending},
		"known image":   {"there is nothing to build", with(ready(), fresh, observed("build-1", imagebuilder.PhaseSucceeded)), ledger.StatePublished},
		"running build": {"there is nothing to start", with(ready(), fresh, observed("build-1", imagebuilder.PhaseRunning)), ledger.StateBuilding},
		"claimed build": {"it was waited for already", with(ready(), fresh, record(claimed(time.Minute))), ledger.StatePending},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.state, Compute(test.snapshot).State, test.reason)
		})
	}
}
