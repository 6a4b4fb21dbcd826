package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

func startedFor(d time.Duration) func(*imagebuilder.Observation) {
	return func(b *imagebuilder.Observation) { b.Started = now.Add(-d) }
}

// TestProgress: what is said of a build that runs, and when it is said anew.
func TestProgress(t *testing.T) {
	known := claimed(time.Hour)
	known.Took = []int64{600, 420, 400}
	for name, test := range map[string]struct {
		reason  string
		record  ledger.Record
		running time.Duration
		message string
		requeue time.Duration
	}{
		"just begun": {
			reason: "a duration of seconds is no news", record: claimed(time.Hour), running: 3 * time.Second,
			message: "is running.", requeue: 57 * time.Second,
		},
		"just begun, with a past": {
			reason: "how long it takes is what people want to know first", record: known, running: 3 * time.Second,
			message: "is running, usually 7m.", requeue: 57 * time.Second,
		},
		"minutes": {
			reason: "the text is that of the whole minute, so that it is written once a minute", record: known, running: 190 * time.Second,
			message: "is running, building for 3m, usually 7m.", requeue: 50 * time.Second,
		},
		"on the minute": {
			reason: "the next text is due in a minute, not at once", record: known, running: 4 * time.Minute,
			message: "is running, building for 4m, usually 7m.", requeue: time.Minute,
		},
		"longer than usual": {
			reason: "that is for people to see", record: known, running: 65 * time.Minute,
			message: "is running, building for 1h5m, usually 7m.", requeue: time.Minute,
		},
		"begun in the future": {
			reason: "clocks differ", record: known, running: -time.Hour,
			message: "is running, usually 7m.", requeue: time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := with(ready(), record(test.record), observed("build-1", imagebuilder.PhaseRunning, startedFor(test.running), func(b *imagebuilder.Observation) { b.Created = now.Add(-time.Minute) }))
			p := Compute(s)
			require.Equal(t, ledger.StateBuilding, p.State)
			require.Contains(t, p.Message, test.message, test.reason)
			require.Equal(t, test.requeue, p.RequeueAfter, test.reason)
			require.Empty(t, p.Event, "progress is no event")
		})
	}
}

// TestProgressIsWrittenOnceAMinute: however often the pool is looked at meanwhile.
func TestProgressIsWrittenOnceAMinute(t *testing.T) {
	texts := map[string]bool{}
	for second := range 600 {
		s := with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning, startedFor(time.Duration(second)*time.Second)))
		texts[Compute(s).Message] = true
	}
	require.Len(t, texts, 10)
}

// TestTook: how long a pool's builds take is remembered from those that made an image.
func TestTook(t *testing.T) {
	ran := func(d time.Duration) func(*imagebuilder.Observation) {
		return func(b *imagebuilder.Observation) { b.Started, b.Finished = now.Add(-d), now }
	}
	took := func(p Plan) []int64 {
		for _, effect := range p.Effects {
			switch e := effect.(type) {
			case Publish:
				return e.Record.Took
			case WriteRecord:
				return e.Record.Took
			}
		}
		return nil
	}
	known := claimed(time.Hour)
	known.Took = []int64{5, 4, 3, 2, 1}

	p := Compute(with(ready(), record(known), observed("build-1", imagebuilder.PhaseSucceeded, ran(7*time.Minute))))
	require.Equal(t, []int64{420, 5, 4, 3, 2}, took(p), "newest first, and bounded")
	p = Compute(with(ready(), record(known), observed("build-1", imagebuilder.PhaseSucceeded, func(b *imagebuilder.Observation) { b.Started = time.Time{} })))
	require.Equal(t, known.Took, took(p), "a build without times teaches nothing")
	p = Compute(with(ready(), record(known), observed("build-1", imagebuilder.PhaseFailed, transient, ran(time.Minute))))
	require.Equal(t, known.Took, took(p), "nor does one that failed")

	other := known
	other.Fingerprint, other.Image = "other", image
	require.Equal(t, known.Took, took(Compute(with(ready(), record(other)))), "other inputs are built by the same steps")
	p = Compute(with(ready(), record(other), observed("build-2", imagebuilder.PhaseSucceeded, ran(time.Minute))))
	require.Equal(t, []int64{60, 5, 4, 3, 2}, took(p), "an adopted build counts")

	require.Zero(t, (*ledger.Record)(nil).Usually(), "no record, no experience")
	require.Equal(t, 3*time.Second, known.Usually(), "the median")
}

// TestR44ABuildThatIsBeingDeletedIsNotJustRunning: somebody deleted it, and a finalizer that
// is not ours keeps it.
func TestR44ABuildThatIsBeingDeletedIsNotJustRunning(t *testing.T) {
	deleted := func(b *imagebuilder.Observation) { b.Deleting = "its finalizers, example.com/backup" }
	for phase, state := range map[imagebuilder.Phase]ledger.State{imagebuilder.PhasePending: ledger.StatePending, imagebuilder.PhaseRunning: ledger.StateBuilding} {
		s := with(ready(), record(claimed(time.Minute)), observed("build-1", phase, deleted))
		s.Pool.Record.Build = "build-1"
		p := Compute(s)
		require.Equal(t, state, p.State, "it may end before it is gone")
		require.Contains(t, p.Message, "build-1 of "+wantedConfig+" is being deleted, and its finalizers, example.com/backup keep it")
		require.Positive(t, p.RequeueAfter, "its deadlines hold as ever")
	}
	s := with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, deleted))
	s.Pool.Record.Build = "build-1"
	require.Equal(t, ledger.StateFailed, Compute(s).State, "its end counts")
}
