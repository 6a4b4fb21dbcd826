package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestR41NoWaitIsLongerThanItsLength: each wait, with its instants six hours in the future,
// as where another clock wrote them, or our own was set back since.
func TestR41NoWaitIsLongerThanItsLength(t *testing.T) {
	const future = 6 * time.Hour
	ahead := now.Add(future)
	failed := func(s *Snapshot) {
		r := *s.Pool.Record
		r.Failure = &ledger.Failure{Reason: "PushFailed", Message: "m", Transient: true, At: ahead}
		s.Pool.Record = &r
	}
	claimedAhead := func(s *Snapshot) {
		r := *s.Pool.Record
		r.ClaimedAt = ahead
		s.Pool.Record = &r
	}
	createdAhead := func(b *imagebuilder.Observation) { b.Created = ahead }
	startedAhead := func(b *imagebuilder.Observation) { b.Created, b.Started = ahead, ahead }
	for name, test := range map[string]struct {
		reason   string
		snapshot Snapshot
		from     []ledger.State
		within   time.Duration
	}{
		"quiet period, config":   {reason: "the API server's clock runs ahead", snapshot: with(ready(), createdAgo(-future)), from: []ledger.State{ledger.StateQuiet}, within: 5 * time.Second},
		"quiet period, settings": {reason: "ours was set back since", snapshot: with(ready(), createdAgo(time.Hour), func(s *Snapshot) { s.ChangedAt = ahead }), from: []ledger.State{ledger.StateQuiet}, within: 5 * time.Second},
		"quiet period, ceiling":  {reason: "ours was set back since", snapshot: with(ready(), createdAgo(-future), waitingFor(-future)), from: []ledger.State{ledger.StateQuiet, ledger.StateSettling}, within: 30 * time.Second},
		"config not rendered": {reason: "its event is awaited for moments", snapshot: with(ready(), waitingFor(-future), func(s *Snapshot) { s.Config = RenderedConfig{} }),
			from: []ledger.State{ledger.StateQuiet}, within: claimGrace},
		"retry": {reason: "the build system's clock runs ahead", snapshot: with(ready(), record(claimed(time.Minute)), failed, observed("build-1", imagebuilder.PhaseFailed, transient)),
			from: []ledger.State{ledger.StateRetrying}, within: 13 * time.Second},
		"claim": {reason: "another leader's clock ran ahead", snapshot: with(ready(), record(claimed(time.Minute)), claimedAhead), from: []ledger.State{ledger.StateUnsettled}, within: claimGrace},
		"to run": {reason: "a Build that hangs is given up", snapshot: with(ready(), record(claimed(time.Minute)), claimedAhead, observed("build-1", imagebuilder.PhasePending, createdAhead)),
			from: []ledger.State{ledger.StatePending, ledger.StateStuck}, within: 30 * time.Minute},
		"to end": {reason: "a Build that hangs is given up", snapshot: with(ready(), record(claimed(time.Minute)), claimedAhead, observed("build-1", imagebuilder.PhaseRunning, startedAhead)),
			from: []ledger.State{ledger.StateBuilding}, within: 30*time.Minute + 60*time.Minute + overdueGrace},
		"end in full": {reason: "the rest of an end is awaited for moments", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent,
			func(b *imagebuilder.Observation) { b.Finished = time.Time{} }), func(s *Snapshot) { s.HalfWritten = HalfWritten{Build: "build-1", Since: ahead} }), from: []ledger.State{ledger.StateBuilding}, within: wholeWithin},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.snapshot
			if s.Pool.Record != nil {
				s.Pool.Record.Build = "build-1"
			}
			s.FirstSeen = map[int64]time.Time{}
			begin := s.Now
			for range 1000 {
				p := Compute(s)
				for _, at := range p.Ahead {
					if _, known := s.FirstSeen[at.UnixNano()]; !known {
						s.FirstSeen[at.UnixNano()] = s.Now
					}
				}
				waits := false
				for _, state := range test.from {
					waits = waits || p.State == state
				}
				// Once it acts, it does not wait any more.
				if !waits || p.RequeueAfter == 0 || len(p.Effects) > 0 {
					require.LessOrEqual(t, s.Now.Sub(begin), test.within, test.reason)
					return
				}
				s.Now = s.Now.Add(p.RequeueAfter)
			}
			require.FailNow(t, "it waits for ever", test.reason)
		})
	}
}

// TestR41AClockBehindMakesNoBuildOld: where the API server's clock is hours behind, a build
// is as old as its claim.
func TestR41AClockBehindMakesNoBuildOld(t *testing.T) {
	behind := func(b *imagebuilder.Observation) { b.Created = now.Add(-6 * time.Hour) }
	for phase, want := range map[imagebuilder.Phase]ledger.State{imagebuilder.PhasePending: ledger.StatePending, imagebuilder.PhaseRunning: ledger.StateBuilding} {
		s := with(ready(), record(claimed(time.Minute)), observed("build-1", phase, behind))
		s.Pool.Record.Build = "build-1"
		require.Equal(t, want, Compute(s).State, "it was made a minute ago")
	}
}
