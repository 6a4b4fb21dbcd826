package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// outline renders effects briefly: the kind, and the build it concerns.
func outline(effects []Effect) []string {
	var lines []string
	for _, effect := range effects {
		line := strings.TrimPrefix(fmt.Sprintf("%T", effect), "plan.")
		switch e := effect.(type) {
		case ConfirmPool:
			// TestConfirmed and TestEveryState are about it.
			continue
		case InspectSecret:
			line += " " + e.Name
		case LoadConfig:
			line += " " + e.Name
		case ConfirmBuild:
			line += " " + e.Name
		case VerifyBuild:
			line += " " + e.Request.Name
		case FindImage:
			line += " " + e.Image
		case StopBuild:
			line += " " + e.Name
		case DeleteBuild:
			line += " " + e.Name
		case DeleteInputs:
			line += " " + e.Name
		case Publish:
			line += " " + e.Record.Image
		case WriteRecord:
			line += fmt.Sprintf(" %d", e.Record.Attempt)
			if e.Record.Failure != nil {
				line += " " + e.Record.Failure.Reason
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// starting are the effects of a start when everything was inspected before.
func starting(attempt int) []string {
	return []string{"LoadConfig " + wantedConfig, fmt.Sprintf("WriteRecord %d", attempt), "StartBuild"}
}

// computeCase is a situation, and what is to be decided in it.
type computeCase struct {
	reason   string
	snapshot Snapshot
	state    ledger.State
	why      string
	effects  []string
	// message is a text that occurs in the message.
	message string
	requeue time.Duration
}

// requireDecisions checks one decision after the other.
func requireDecisions(t *testing.T, cases map[string]computeCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			p := Compute(test.snapshot)
			require.Equal(t, test.state, p.State, "%s; message: %s", test.reason, p.Message)
			require.Equal(t, test.why, p.Reason, test.reason)
			require.Equal(t, test.effects, outline(p.Effects), test.reason)
			require.Contains(t, p.Message, test.message, test.reason)
			if test.requeue == 0 && (p.State == ledger.StatePending || p.State == ledger.StateBuilding) {
				// Of a build that goes its way only the watch over it is left to check.
				require.Less(t, p.RequeueAfter, 2*time.Hour, test.reason)
				return
			}
			require.Equal(t, test.requeue, p.RequeueAfter, test.reason)
		})
	}
}

// TestStart: what it takes to begin.
func TestStart(t *testing.T) {
	old := ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, Image: otherImage, ClaimedAt: now.Add(-time.Hour)}
	requireDecisions(t, map[string]computeCase{
		// Pools that are not ours to serve.
		"not opted in": {
			reason:   "a pool that never opted in is none of our business",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Layered = false }),
			state:    ledger.StateNotOptedIn,
		},
		"opted out": {
			reason: "what we made for the pool goes, whatever it is; opting out is a level, not an edge",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Layered = false }, record(claimed(time.Hour)),
				observed("build-1", imagebuilder.PhaseRunning), observed("build-0", imagebuilder.PhaseSucceeded), observed("build-2", imagebuilder.PhaseAbsent)),
			state:   ledger.StateNotOptedIn,
			effects: []string{"DeleteBuild build-1", "DeleteBuild build-0", "DeleteInputs build-2", "RemoveTraces"},
		},
		"being deleted": {
			reason:   "the garbage collector is not waited for, and the pool is not written to any more",
			snapshot: with(ready(), func(s *Snapshot) { s.Pool.Deleting = true }, record(claimed(time.Hour)), observed("build-1", imagebuilder.PhaseRunning)),
			state:    ledger.StateDeleting,
			effects:  []string{"DeleteBuild build-1"},
		},

		// Starting.
		"first build": {
			reason:   "everything is there: the claim comes before the build",
			snapshot: ready(),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1), message: "rendered-worker-1 is created",
		},
		"unknown secrets": {
			reason:   "secrets are read before a build is spent on them",
			snapshot: with(ready(), func(s *Snapshot) { s.PushSecret.Inspected, s.PullSecret.Inspected = false, false }),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: append([]string{"InspectSecret push", "InspectSecret pull"}, starting(1)...),
		},
		"one secret for both": {
			reason: "a secret is read once",
			snapshot: with(ready(), func(s *Snapshot) {
				s.PushSecret.Inspected, s.PullSecret.Inspected = false, false
				s.Settings.Values.BaseImagePullSecret = "push"
			}),
			state: ledger.StatePending, why: ledger.ReasonBuildCreated, effects: append([]string{"InspectSecret push"}, starting(1)...),
		},
		"new config": {
			reason:   "the published image of the old config stays until there is a new one",
			snapshot: with(ready(), record(old)),
			state:    ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1),
		},
		"base image of the ControllerConfig": {
			reason: "a rendered config without an OS image falls back",
			snapshot: with(ready(), func(s *Snapshot) {
				s.Config.OSImageURL = ""
				s.ControllerConfig = ControllerConfig{Exists: true, BaseOSContainerImage: base}
			}),
			state: ledger.StatePending, why: ledger.ReasonBuildCreated, effects: starting(1),
		},
	})
}

func with4(r ledger.Record) ledger.Record {
	r.Attempt = inputs.DefaultLimits().MaxAttempts
	return r
}

// TestStartRequest checks what a backend is asked for.
func TestStartRequest(t *testing.T) {
	snapshot := ready()
	p := Compute(ready())
	claim := p.Effects[1].(WriteRecord).Record
	request := p.Effects[2].(StartBuild).Request

	require.Equal(t, claim.Build, request.Name, "the claimed build is the one that is started")
	require.Equal(t, "worker", request.Pool)
	require.EqualValues(t, "pool-uid", request.PoolUID)
	require.Equal(t, wantedFingerprint(), request.Fingerprint)
	require.Equal(t, wantedConfig, request.RenderedConfig)
	require.Equal(t, base, request.BaseImage)
	require.Equal(t, 1, request.Attempt)
	want, err := snapshot.identity().Recipe(wantedFingerprint()).Containerfile()
	require.NoError(t, err)
	require.Equal(t, want, request.Containerfile)
	require.Equal(t, "pull", request.PullSecret)
	require.Equal(t, "push", request.PushSecret)
	require.Equal(t, "registry.example.com/org/os:"+request.Name, request.Output, "every attempt has a tag of its own")
	require.Equal(t, time.Hour, request.Deadline)
	require.Nil(t, request.Context, "content is not part of a plan")
}

// TestH18FreshNamePerAttempt: a Build whose predecessor of the same name still
// terminates fails.
func TestH18FreshNamePerAttempt(t *testing.T) {
	names := map[string]bool{}
	for attempt := range 3 {
		s := ready()
		s.Now = now.Add(time.Duration(attempt) * time.Nanosecond)
		p := Compute(s)
		names[p.Effects[1].(WriteRecord).Record.Build] = true
	}
	require.Len(t, names, 3, "the same inputs, started anew, get a new name")

	rebuild := with(ready(), func(s *Snapshot) { s.Pool.RebuildRequested = "1" })
	first := Compute(rebuild).Effects[1].(WriteRecord).Record
	again := with(rebuild, record(success(first)), func(s *Snapshot) { s.Pool.RebuildRequested = "2" })
	second := Compute(again).Effects[1].(WriteRecord).Record
	require.NotEqual(t, first.Build, second.Build, "also at the same instant")
}

// TestConfirmed: the pool is looked at live once, right before the first effect that ends
// or removes what it may want by now.
func TestConfirmed(t *testing.T) {
	stop, finished, recorded := StopBuild{Name: "a"}, DeleteInputs{Name: "b", Finished: true}, DeleteBuild{Name: "c", Recorded: true}
	for name, test := range map[string]struct {
		reason        string
		effects, want []Effect
	}{
		"nothing":           {reason: "nothing is lost by nothing"},
		"what has ended":    {reason: "it does not run again", effects: []Effect{finished, recorded}, want: []Effect{finished, recorded}},
		"a build that runs": {reason: "the pool may want it", effects: []Effect{finished, stop}, want: []Effect{finished, ConfirmPool{}, stop}},
		"its inputs":        {reason: "they are still to be read", effects: []Effect{DeleteInputs{Name: "a"}}, want: []Effect{ConfirmPool{}, DeleteInputs{Name: "a"}}},
		"an image":          {reason: "it is not on record", effects: []Effect{DeleteBuild{Name: "a"}}, want: []Effect{ConfirmPool{}, DeleteBuild{Name: "a"}}},
		"several":           {reason: "one look does for all", effects: []Effect{stop, stop}, want: []Effect{ConfirmPool{}, stop, stop}},
		"a claim of before": {reason: "its pool may be gone", effects: []Effect{StartBuild{Again: true}}, want: []Effect{ConfirmPool{}, StartBuild{Again: true}}},
		"a claim of now":    {reason: "it was written on the pool", effects: []Effect{StartBuild{}}, want: []Effect{StartBuild{}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, confirmed(test.effects), test.reason) })
	}
}
