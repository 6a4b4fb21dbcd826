package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// dimension is one thing about a pool that can be one way or another.
type dimension []struct {
	name   string
	change func(*Snapshot)
}

func nothing(*Snapshot) {}

// dimensions span every situation of one pool that Compute tells apart. Each
// one's values are alternatives; their product is enumerated.
func dimensions() []dimension {
	lost := ledger.Failure{Reason: "BuildPodEvicted", Transient: true}
	past := ledger.Record{Build: "build-0", Fingerprint: "other-fingerprint", Config: otherConfig, Attempt: 1, ClaimedAt: now.Add(-time.Hour)}
	withHistory := past
	withHistory.Image = otherImage
	withHistory.History = []ledger.PastImage{{Fingerprint: wantedFingerprint(), Build: "build-1", Image: image}}

	return []dimension{
		{
			{"layered", nothing},
			{"not layered", func(s *Snapshot) { s.Pool.Layered = false }},
			{"deleting", func(s *Snapshot) { s.Pool.Deleting = true }},
		},
		{
			{"inputs known", nothing},
			{"ConfigMap missing", func(s *Snapshot) { s.Settings = Settings{} }},
			{"nothing wanted", func(s *Snapshot) { s.Pool.WantedConfig, s.Config = "", RenderedConfig{} }},
		},
		{
			{"startable", nothing},
			{"rebuild requested", func(s *Snapshot) { s.Pool.RebuildRequested = "again" }},
			{"secrets not inspected", func(s *Snapshot) { s.PushSecret.Inspected, s.PullSecret.Inspected = false, false }},
			{"paused", func(s *Snapshot) { s.Pool.Paused = true }},
			{"just rendered", func(s *Snapshot) { s.Config.Created = s.Now }},
			{"secret missing", func(s *Snapshot) { s.PushSecret = Secret{} }},
		},
		{
			{"no record", nothing},
			{"claimed now", record(claimed(0))},
			{"claimed", record(claimed(time.Hour))},
			{"claimed and reported", func(s *Snapshot) { record(claimed(time.Hour))(s); reported(s) }},
			{"succeeded", record(success(claimed(time.Hour)))},
			{"succeeded, annotation gone", func(s *Snapshot) { record(success(claimed(time.Hour)))(s); s.Pool.Image = "" }},
			{"failed for now", record(failure(claimed(time.Hour), lost))},
			{"failed a while ago", record(failure(claimed(time.Hour), ledger.Failure{Reason: "BuildPodEvicted", Transient: true, At: now.Add(-time.Hour)}))},
			{"failed four times", record(failure(with4(claimed(time.Hour)), lost))},
			{"failed for good", record(failure(claimed(time.Hour), ledger.Failure{Reason: "DockerBuildFailed", Message: "the build failed", Log: "make: ***\nexit 1\n"}))},
			{"interrupted", record(failure(claimed(time.Hour), ledger.Failure{Interrupted: true}))},
			{"of other inputs", record(past)},
			{"of other inputs, with history", record(withHistory)},
		},
		buildsNamed("build-1"),
		buildsNamed("build-0", ofOtherInputs),
		// One more of the wanted inputs, in the ways that matter.
		{
			{"no build-2", nothing},
			{"build-2 running", observed("build-2", imagebuilder.PhaseRunning)},
			{"build-2 complete", observed("build-2", imagebuilder.PhaseSucceeded)},
		},
	}
}

// buildsNamed are the ways in which one build can be, or not be, there.
func buildsNamed(name string, edits ...func(*imagebuilder.Observation)) dimension {
	in := func(phase imagebuilder.Phase, more ...func(*imagebuilder.Observation)) func(*Snapshot) {
		return observed(name, phase, append(slices.Clone(more), edits...)...)
	}
	return dimension{
		{"no " + name, nothing},
		{name + " inputs only", in(imagebuilder.PhaseAbsent)},
		{name + " pending", in(imagebuilder.PhasePending)},
		{name + " running", in(imagebuilder.PhaseRunning)},
		{name + " stopping", in(imagebuilder.PhaseRunning, stopping)},
		{name + " complete", in(imagebuilder.PhaseSucceeded)},
		{name + " without digest", in(imagebuilder.PhaseSucceeded, withoutImage)},
		{name + " lost", in(imagebuilder.PhaseFailed, transient)},
		{name + " broken", in(imagebuilder.PhaseFailed, permanent)},
		{name + " stopped", in(imagebuilder.PhaseStopped)},
	}
}

// TestEveryState checks each of the situations: what a plan may do in it, that
// the controller comes to rest from it on its own, and that it ends where it
// should once the world does its part.
func TestEveryState(t *testing.T) {
	all := dimensions()
	choice := make([]int, len(all))
	count := 0
	for done := false; !done; done = !next(choice, all) {
		s := ready()
		var names []string
		for i, d := range all {
			d[choice[i]].change(&s)
			names = append(names, d[choice[i]].name)
		}
		count++
		what := strings.Join(names, ", ")
		if problem := judge(s); problem != "" {
			require.Fail(t, problem, what)
		}
		if problem := comesToRest(s); problem != "" {
			require.Fail(t, problem, what)
		}
	}
	t.Logf("%d states", count)
	require.Greater(t, count, 100000, "the product of all dimensions")
}

func next(choice []int, all []dimension) bool {
	for i := range choice {
		if choice[i]++; choice[i] < len(all[i]) {
			return true
		}
		choice[i] = 0
	}
	return false
}

// judge returns what is wrong with the plan for a situation.
func judge(s Snapshot) string {
	p := Compute(s)
	served := s.Pool.Layered && !s.Pool.Deleting
	fresh := (s.Pool.Record == nil || s.Pool.Record.Fingerprint != wantedFingerprint()) && s.Now.Sub(s.Config.Created) < s.limits().QuietPeriod
	starts, claim := 0, ""
	if s.Pool.Record != nil {
		claim = s.Pool.Record.Build
	}
	seen := false
	for _, effect := range p.Effects {
		if _, ok := effect.(ConfirmPool); ok {
			seen = true
		} else if needsPool(effect) && !seen {
			return "something is ended or removed on what may be an old state of the pool"
		}
		switch e := effect.(type) {
		case WriteRecord:
			claim = e.Record.Build
			if e.Record.Image != "" {
				return "an image is recorded without being published"
			}
		case StartBuild:
			starts++
			if e.Request.Name != claim {
				return "a build is started that was not claimed"
			}
		case Publish:
			if !provenImage(s, e.Record.Image, e.Record.Fingerprint) {
				return "an image is published that no completed build of these inputs made"
			}
		case StopBuild:
			if destroysWanted(s, e.Name) {
				return "the wanted build is stopped"
			}
		case DeleteBuild:
			if destroysWanted(s, e.Name) {
				return "a wanted result is deleted before it is recorded"
			}
		case DeleteInputs:
			if b := find(s.Builds, e.Name); b != nil && b.Phase.IsActive() && served {
				return "the inputs of an active build are deleted"
			}
		}
	}
	reports := p.State.IsReported()
	switch {
	case starts > 0 && fresh && s.Pool.RebuildRequested == s.Pool.RebuildObserved && s.WaitingSince.IsZero():
		return "a build of inputs is started that changed a moment ago"
	case starts > 1:
		return "two builds are started at once"
	case reports && (p.Reason == "" || p.Message == ""):
		return "a state is reported without a reason or a message"
	case !served && p.State != ledger.StateNotOptedIn && p.State != ledger.StateDeleting:
		return "a pool that is not ours is served"
	case p.RequeueAfter < 0:
		return "the requeue lies in the past"
	case fmt.Sprint(outline(Compute(s).Effects)) != fmt.Sprint(outline(p.Effects)):
		return "equal snapshots give different plans"
	}
	return ""
}

// destroysWanted tells whether ending this build could lose a result: it is of
// the wanted inputs, on record (or nothing better is), and its outcome is not.
func destroysWanted(s Snapshot, name string) bool {
	if s.Pool.RebuildRequested != s.Pool.RebuildObserved {
		return false
	}
	if !s.Pool.Layered || s.Pool.Deleting || s.Pool.Record == nil || s.Pool.Record.Build != name {
		return false
	}
	b := find(s.Builds, name)
	return b != nil && b.RenderedConfig == s.Pool.WantedConfig && s.Settings.Exists && !s.Pool.Record.Succeeded() && !s.Pool.Record.Failed()
}

func provenImage(s Snapshot, image, fingerprint string) bool {
	for _, b := range s.Builds {
		if b.Image == image && b.Fingerprint == fingerprint && b.Phase == imagebuilder.PhaseSucceeded {
			return true
		}
	}
	r := s.Pool.Record
	return r != nil && (r.Image == image && r.Fingerprint == fingerprint || r.PastImageOf(fingerprint) != nil && r.PastImageOf(fingerprint).Image == image)
}

// comesToRest plays the situation on: the controller's effects take place, time
// passes as it asks, and builds succeed. In the end there must be nothing left to
// do, and a pool that lacks nothing must have its image.
func comesToRest(s Snapshot) string {
	for range 40 {
		p := Compute(s)
		if len(p.Effects) == 0 && progress(&s) {
			continue
		}
		if len(p.Effects) == 0 && p.RequeueAfter == 0 {
			return judgeRest(s, p)
		}
		perform(&s, p)
		s.Now = s.Now.Add(p.RequeueAfter)
	}
	return "the pool does not come to rest"
}

func judgeRest(s Snapshot, p Plan) string {
	if !s.Pool.Layered || s.Pool.Deleting {
		if len(s.Builds) > 0 || s.Pool.HasTraces && !s.Pool.Deleting {
			return "something of ours is left behind"
		}
		return ""
	}
	for _, b := range s.Builds {
		if b.HasInputs && (s.Pool.Record == nil || b.Name != s.Pool.Record.Build || s.Pool.Record.Succeeded() || s.Pool.Record.Failed()) {
			return "inputs without use are left behind"
		}
	}
	switch p.State {
	case ledger.StateHeld:
		if s.Settings.Exists && s.PushSecret.Exists && !s.Pool.Paused && s.Pool.WantedConfig != "" {
			return "a pool that lacks nothing is held: " + p.Message
		}
	case ledger.StatePublished:
		if s.Pool.Image != image || s.Pool.ImageConfig != wantedConfig {
			return "the published image is not the wanted one"
		}
	case ledger.StateFailed, ledger.StateInterrupted:
		if !s.Pool.Record.Failed() {
			return "a failure is reported that is not on record"
		}
	default:
		return "the pool rests in state " + string(p.State)
	}
	return ""
}

// progress lets the backend do its part, one thing at a time.
func progress(s *Snapshot) bool {
	for i := range s.Builds {
		b := &s.Builds[i]
		switch {
		case b.Phase.IsActive() && b.Stopping:
			b.Phase = imagebuilder.PhaseStopped
		case b.Phase == imagebuilder.PhasePending:
			b.Phase = imagebuilder.PhaseRunning
		case b.Phase == imagebuilder.PhaseRunning:
			b.Phase, b.Image = imagebuilder.PhaseSucceeded, image
		default:
			continue
		}
		return true
	}
	return false
}

// perform brings the plan's effects about in the snapshot.
func perform(s *Snapshot, p Plan) {
	s.Builds = slices.Clone(s.Builds)
	if !p.Waiting {
		s.WaitingSince = time.Time{}
	} else if s.WaitingSince.IsZero() {
		s.WaitingSince = s.Now
	}
	if s.HalfWritten.Build != p.HalfWritten {
		s.HalfWritten = HalfWritten{Build: p.HalfWritten, Since: s.Now}
	}
	for _, effect := range p.Effects {
		switch e := effect.(type) {
		case InspectSecret:
			// The real execution ends here, too: the plan is made anew.
			secret := Secret{Exists: true, ResourceVersion: "10", Inspected: true, Credentials: inputs.CredentialsFor("registry.example.com")}
			if e.Name == s.Settings.Values.FinalImagePushSecret {
				s.PushSecret = secret
			} else {
				s.PullSecret = secret
			}
			return
		case ConfirmBuild:
			if b := find(s.Builds, e.Name); b != nil && exists(b) {
				return
			}
		case WriteRecord:
			s.Pool.Record, s.Pool.HasTraces = &e.Record, true
			if e.Rebuild != "" {
				s.Pool.RebuildObserved = e.Rebuild
			}
		case Publish:
			s.Pool.Record, s.Pool.HasTraces = &e.Record, true
			s.Pool.Image, s.Pool.ImageConfig = e.Record.Image, e.Record.Config
		case StartBuild:
			s.Builds = slices.DeleteFunc(s.Builds, func(b imagebuilder.Observation) bool { return b.Name == e.Request.Name })
			s.Builds = append(s.Builds, imagebuilder.Observation{
				Name: e.Request.Name, UID: "new", PoolUID: e.Request.PoolUID, Fingerprint: e.Request.Fingerprint,
				RenderedConfig: e.Request.RenderedConfig, Attempt: e.Request.Attempt, Phase: imagebuilder.PhasePending, HasInputs: true, Created: s.Now,
			})
		case StopBuild:
			find(s.Builds, e.Name).Stopping = true
		case DeleteBuild:
			s.Builds = slices.DeleteFunc(s.Builds, func(b imagebuilder.Observation) bool { return b.Name == e.Name })
		case DeleteInputs:
			b := find(s.Builds, e.Name)
			b.HasInputs = false
			if b.Phase == imagebuilder.PhaseAbsent {
				s.Builds = slices.DeleteFunc(s.Builds, func(b imagebuilder.Observation) bool { return b.Name == e.Name })
			}
		case RemoveTraces:
			s.Pool.Record, s.Pool.HasTraces, s.Pool.Reported, s.Pool.Image, s.Pool.ImageConfig = nil, false, ledger.Reported{}, "", ""
		}
	}
	if p.State.IsReported() {
		s.Pool.HasTraces = true
		s.Pool.Reported = told(s.Pool.Reported, p.Report, s.Now)
	}
}

// told is what the conditions tell after a report, by way of the conditions themselves.
func told(before ledger.Reported, r ledger.Report, at time.Time) ledger.Reported {
	first := ledger.Report{State: before.State, Reason: before.Reason, Message: before.Message}
	conditions, _ := first.Conditions(nil, before.Since)
	conditions, _ = r.Conditions(conditions, at)
	return ledger.ReadConditions(conditions)
}
