package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// TestR05AnEndIsJudgedWhenItIsWhole: what the build system writes in several steps.
func TestR05AnEndIsJudgedWhenItIsWhole(t *testing.T) {
	half := func(b *imagebuilder.Observation) { b.Finished = time.Time{} }
	noImage := func(b *imagebuilder.Observation) { b.Image = "" }
	since := func(d time.Duration) func(*Snapshot) {
		return func(s *Snapshot) { s.HalfWritten = HalfWritten{Build: "build-1", Since: s.Now.Add(-d)} }
	}
	ofAnother := func(s *Snapshot) { s.HalfWritten = HalfWritten{Build: "build-0", Since: s.Now.Add(-time.Hour)} }
	for name, test := range map[string]struct {
		reason   string
		snapshot Snapshot
		// waits is for how long; zero for judged.
		waits time.Duration
		state ledger.State
	}{
		"failed, whole":       {reason: "there is no more to come", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent)), state: ledger.StateFailed},
		"failed, half":        {reason: "the log is not there", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, transient, half)), waits: 30 * time.Second},
		"error, half":         {reason: "the same phase to us", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half)), waits: 30 * time.Second},
		"cancelled, half":     {reason: "a cancellation is written in steps, too", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseStopped, half)), waits: 30 * time.Second},
		"complete, no image":  {reason: "the digest may come", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseSucceeded, noImage, half)), waits: 30 * time.Second},
		"complete, image":     {reason: "an image is published at once", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseSucceeded, half)), state: ledger.StatePublished},
		"whole, no image":     {reason: "no digest will come", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseSucceeded, noImage)), state: ledger.StateRetrying},
		"after a while":       {reason: "the rest of the bound", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half), since(20*time.Second)), waits: 10 * time.Second},
		"after the bound":     {reason: "the build system may have crashed", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half), since(30*time.Second)), state: ledger.StateFailed},
		"another build's":     {reason: "each build has its time", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half), ofAnother), waits: 30 * time.Second},
		"clock was set back":  {reason: "no longer than the bound", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half), since(-time.Hour)), waits: 30 * time.Second},
		"the server's ahead":  {reason: "only our own clock counts", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half, func(b *imagebuilder.Observation) { b.Created = now.Add(time.Hour) }), since(30*time.Second)), state: ledger.StateFailed},
		"the server's behind": {reason: "only our own clock counts", snapshot: with(ready(), record(claimed(time.Minute)), observed("build-1", imagebuilder.PhaseFailed, permanent, half, func(b *imagebuilder.Observation) { b.Created = now.Add(-time.Hour) })), waits: 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			test.snapshot.Pool.Record.Build = "build-1"
			p := Compute(test.snapshot)
			if test.waits == 0 {
				require.Equal(t, test.state, p.State, test.reason)
				require.Empty(t, p.HalfWritten)
				return
			}
			require.Equal(t, ledger.StateBuilding, p.State, test.reason)
			require.Equal(t, test.waits, p.RequeueAfter, test.reason)
			require.Equal(t, "build-1", p.HalfWritten)
			require.Contains(t, p.Message, "how it ended is being written")
			require.Empty(t, p.Effects, "nothing is recorded, and nothing started")
		})
	}
}
