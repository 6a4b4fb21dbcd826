package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// finished are builds of other inputs, number i created i minutes ago.
func finished(phase imagebuilder.Phase, prefix string, numbers ...int) func(*Snapshot) {
	return func(s *Snapshot) {
		for _, i := range numbers {
			observed(fmt.Sprintf("%s-%d", prefix, i), phase, ofOtherInputs, withoutInputs, func(b *imagebuilder.Observation) {
				b.Created = now.Add(-time.Duration(i) * time.Minute)
				if b.Image != "" {
					b.Image = fmt.Sprintf("image-of-%s-%d", prefix, i)
				}
			})(s)
		}
	}
}

// ofWantedInputs has all builds be of what the pool wants.
func ofWantedInputs(s *Snapshot) {
	for i := range s.Builds {
		s.Builds[i].Fingerprint, s.Builds[i].RenderedConfig = wantedFingerprint(), wantedConfig
	}
}

func TestRetention(t *testing.T) {
	published := success(claimed(time.Hour))
	published.History = []ledger.PastImage{{Fingerprint: "other-fingerprint", Build: "ok-7", Image: "image-of-ok-7"}}
	own := observed("build-1", imagebuilder.PhaseSucceeded, withoutInputs, func(b *imagebuilder.Observation) { b.Created = now })

	for name, test := range map[string]struct {
		reason   string
		snapshot Snapshot
		deleted  []string
	}{
		"one of each": {
			reason:   "nothing is beyond the limits",
			snapshot: with(ready(), record(published), own, finished(imagebuilder.PhaseFailed, "bad", 1, 2, 3)),
		},
		"older success": {
			reason:   "one successful build is kept, the newest",
			snapshot: with(ready(), record(published), finished(imagebuilder.PhaseSucceeded, "ok", 7, 8), own),
			deleted:  []string{"DeleteBuild ok-7", "DeleteBuild ok-8"},
		},
		"older failures": {
			reason:   "three failed builds are kept, the newest",
			snapshot: with(ready(), record(published), own, finished(imagebuilder.PhaseFailed, "bad", 5, 1, 4, 2, 3)),
			deleted:  []string{"DeleteBuild bad-4", "DeleteBuild bad-5"},
		},
		"more are to be kept": {
			reason: "the limits are the administrator's",
			snapshot: with(ready(), record(published), own, finished(imagebuilder.PhaseSucceeded, "ok", 7), finished(imagebuilder.PhaseFailed, "bad", 1, 2, 3, 4), func(s *Snapshot) {
				s.Settings.Values.Limits.SuccessfulBuildsHistory, s.Settings.Values.Limits.FailedBuildsHistory = 2, 4
			}),
		},
		"none is to be kept": {
			reason: "the build on record stays even so: it answers for the pool's conditions",
			snapshot: with(ready(), record(published), own, finished(imagebuilder.PhaseSucceeded, "ok", 7), func(s *Snapshot) {
				s.Settings.Values.Limits.SuccessfulBuildsHistory = 0
			}),
			deleted: []string{"DeleteBuild ok-7"},
		},
		"while building": {
			reason:   "there is no hurry, but no reason to wait either",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), finished(imagebuilder.PhaseSucceeded, "ok", 7, 8)),
			deleted:  []string{"DeleteBuild ok-8"},
		},
		"while building, of the wanted inputs": {
			reason:   "they may be all that there is if that one fails: nothing is published",
			snapshot: with(ready(), record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning), finished(imagebuilder.PhaseSucceeded, "ok", 7, 8), ofWantedInputs),
		},
		"settings gone": {
			reason:   "what is to be kept is not known",
			snapshot: with(ready(), record(published), own, finished(imagebuilder.PhaseSucceeded, "ok", 7, 8), func(s *Snapshot) { s.Settings = Settings{} }),
		},
		"active builds": {
			reason:   "only what has ended counts",
			snapshot: with(ready(), record(published), own, observed("build-2", imagebuilder.PhaseRunning, stopping)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.deleted, outline(Compute(test.snapshot).Effects), test.reason)
		})
	}
}

// TestRetentionKnowsWhatIsRecorded: a build whose image is on record can go
// without a look at the live pool; any other one cannot.
func TestRetentionKnowsWhatIsRecorded(t *testing.T) {
	published := success(claimed(time.Hour))
	published.History = []ledger.PastImage{{Fingerprint: "f", Build: "ok-7", Image: "image-of-ok-7"}}
	p := Compute(with(ready(), record(published), observed("build-1", imagebuilder.PhaseSucceeded, withoutInputs, func(b *imagebuilder.Observation) { b.Created = now }),
		finished(imagebuilder.PhaseSucceeded, "ok", 7, 8), finished(imagebuilder.PhaseFailed, "bad", 1, 2, 3, 4)))
	require.Equal(t, []Effect{
		DeleteBuild{Name: "ok-7", UID: "uid-of-build", Recorded: true},
		ConfirmPool{},
		DeleteBuild{Name: "ok-8", UID: "uid-of-build"},
		DeleteBuild{Name: "bad-4", UID: "uid-of-build"},
	}, p.Effects)
}

// TestRetentionTakesInputsAlong: a build that goes is not asked to lose its inputs
// as well.
func TestRetentionTakesInputsAlong(t *testing.T) {
	p := Compute(with(ready(), record(success(claimed(time.Hour))), observed("build-1", imagebuilder.PhaseSucceeded, withoutInputs, func(b *imagebuilder.Observation) { b.Created = now }),
		observed("build-0", imagebuilder.PhaseSucceeded, ofOtherInputs)))
	require.Equal(t, []string{"DeleteBuild build-0"}, outline(p.Effects))
}

// TestSupersededWhileHeld: a build of inputs that are not wanted any more is
// stopped also when the wanted ones cannot be built, but not before that is on
// record: should they be wanted again, no one is to take it for cancelled.
func TestSupersededWhileHeld(t *testing.T) {
	old := ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 2, ClaimedAt: now.Add(-time.Minute)}
	held := with(ready(), record(old), observed("build-0", imagebuilder.PhaseRunning, ofOtherInputs), func(s *Snapshot) { s.PushSecret = Secret{} })

	first := Compute(held)
	require.Equal(t, ledger.ReasonSecretMissing, first.Reason)
	require.Equal(t, []string{"WriteRecord 2 Superseded"}, outline(first.Effects), "the record comes first")

	recorded := with(held, record(first.Effects[0].(WriteRecord).Record))
	require.Equal(t, []string{"StopBuild build-0"}, outline(Compute(recorded).Effects), "then the build is stopped")

	wanted := claimed(time.Minute)
	wanted.Attempt = 2
	back := with(ready(), record(failure(wanted, ledger.Failure{Reason: ledger.FailureSuperseded, Transient: true})), observed("build-1", imagebuilder.PhaseStopped, withoutInputs))
	p := Compute(back)
	require.Equal(t, ledger.StatePending, p.State, "wanted again, they are built again, at once")
	require.Equal(t, []string{"LoadConfig " + wantedConfig, "WriteRecord 2", "DeleteBuild build-1", "StartBuild"}, outline(p.Effects), "and that is no further attempt")
}

// TestImageOfASupersededBuildIsRemembered: a build that ended all the same before
// the next one was claimed made an image that may be wanted again.
func TestImageOfASupersededBuildIsRemembered(t *testing.T) {
	old := ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, ClaimedAt: now.Add(-time.Minute)}
	p := Compute(with(ready(), record(old), observed("build-0", imagebuilder.PhaseSucceeded, ofOtherInputs, func(b *imagebuilder.Observation) { b.Image = otherImage })))
	require.Equal(t, []ledger.PastImage{{Fingerprint: "other-fingerprint", Build: "build-0", Image: otherImage}}, p.Effects[1].(WriteRecord).Record.History)
}

// TestConcurrencyLimit: a slot is taken after the claim, so that what is in its
// way is stopped first, and before the config is read again.
func TestConcurrencyLimit(t *testing.T) {
	limited := func(s *Snapshot) { s.Settings.Values.Limits.MaxConcurrentBuilds = 2 }
	p := Compute(with(ready(), limited))
	require.Equal(t, []string{"LoadConfig rendered-worker-1", "WriteRecord 1", "TakeSlot", "StartBuild"}, outline(p.Effects))
	claim := p.Effects[1].(WriteRecord).Record
	limits := ready().Settings.Values.Limits
	limits.MaxConcurrentBuilds = 2
	require.Equal(t, TakeSlot{Build: claim.Build, Config: wantedConfig, Limit: 2, Limits: limits}, p.Effects[2])

	p = Compute(with(ready(), limited, record(claimed(time.Hour))))
	require.Equal(t, []string{"TakeSlot", "LoadConfig rendered-worker-1", "StartBuild"}, outline(p.Effects), "a claim that waits for a slot")

	queued := Queued(wantedConfig, 2, 3, nil)
	require.Equal(t, "The build of rendered-worker-1 is queued, 2 ahead; at most 3 builds run at once (ConfigMap machine-os-builder-config, key maxConcurrentBuilds).", queued.Message)
	require.Contains(t, Queued(wantedConfig, 10, 3, []string{"build-0"}).Message, "more than 9 ahead")
	require.False(t, strings.Contains(queued.Message, "build-"), "the condition of a queued pool names no build: none exists")
}
