package plan

import (
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	wantedConfig = "rendered-worker-1"
	otherConfig  = "rendered-worker-0"
	base         = "quay.example.com/os@sha256:1111111111111111111111111111111111111111111111111111111111111111"
	image        = "registry.example.com/org/os@sha256:2222222222222222222222222222222222222222222222222222222222222222"
	otherImage   = "registry.example.com/org/os@sha256:3333333333333333333333333333333333333333333333333333333333333333"
)

// ready is a snapshot of a pool that opted in and lacks nothing but the image.
func ready() Snapshot {
	return Snapshot{
		Now:  now,
		Pool: ledger.Pool{Name: "worker", UID: "pool-uid", Layered: true, WantedConfig: wantedConfig},
		Settings: Settings{Exists: true, Values: inputs.Settings{
			BaseImagePullSecret: "pull", FinalImagePushSecret: "push", FinalImageRepository: "registry.example.com/org/os",
			Limits: inputs.DefaultLimits(),
		}},
		Config:     RenderedConfig{Exists: true, Generation: 1, OSImageURL: base},
		PushSecret: Secret{Exists: true, ResourceVersion: "10", Inspected: true, Credentials: inputs.CredentialsFor("registry.example.com")},
		PullSecret: Secret{Exists: true, ResourceVersion: "11", Inspected: true, Credentials: inputs.CredentialsFor("quay.example.com")},
	}
}

// wantedFingerprint is that of ready.
func wantedFingerprint() string {
	s := ready()
	return s.identity().Fingerprint()
}

// claimed is the record of a first attempt at the wanted inputs, made ago.
func claimed(ago time.Duration) ledger.Record {
	s := ready()
	return ledger.Record{
		Build: "build-1", Fingerprint: wantedFingerprint(), Config: wantedConfig, Attempt: 1,
		ClaimedAt: now.Add(-ago), Versions: s.versions(), Repository: s.Settings.Values.FinalImageRepository,
	}
}

// with changes a snapshot.
func with(s Snapshot, changes ...func(*Snapshot)) Snapshot {
	for _, change := range changes {
		change(&s)
	}
	return s
}

// record puts a record on the pool; published tells whether its image is, too.
func record(r ledger.Record) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Pool.Record = &r
		s.Pool.HasTraces = true
		if r.Image != "" {
			s.Pool.Image, s.Pool.ImageConfig = r.Image, r.Config
		}
	}
}

// reportedBuild is what the conditions tell while a build runs.
var reportedBuild = ledger.Reported{State: ledger.StateBuilding, Reason: ledger.ReasonBuildRunning, Message: "m", Since: now.Add(-time.Minute)}

func reported(s *Snapshot) { s.Pool.Reported = reportedBuild }

// observed adds a build of the wanted inputs with its inputs; edits refine it.
func observed(name string, phase imagebuilder.Phase, edits ...func(*imagebuilder.Observation)) func(*Snapshot) {
	b := imagebuilder.Observation{
		Name: name, UID: "uid-of-build", PoolUID: "pool-uid", Fingerprint: wantedFingerprint(), RenderedConfig: wantedConfig,
		Attempt: 1, Phase: phase, HasInputs: true, Created: now.Add(-time.Minute),
	}
	if phase == imagebuilder.PhaseSucceeded {
		b.Image = image
	}
	if phase.IsFinished() {
		b.Started, b.Finished = now.Add(-time.Second), now
	}
	for _, edit := range edits {
		edit(&b)
	}
	return func(s *Snapshot) { s.Builds = append(append([]imagebuilder.Observation(nil), s.Builds...), b) }
}

func ofOtherInputs(b *imagebuilder.Observation) {
	b.Fingerprint, b.RenderedConfig = "other-fingerprint", otherConfig
}

func transient(b *imagebuilder.Observation) {
	b.Transient, b.Reason, b.Message = true, "BuildPodEvicted", "the node was short of memory"
}

func permanent(b *imagebuilder.Observation) {
	b.Reason, b.Message, b.Log = "DockerBuildFailed", "the build failed", "make: ***\nexit 1\n"
}

func withoutImage(b *imagebuilder.Observation) { b.Image = "" }

// asking has somebody there to ask about images, who has said of build-1's what is given.
func asking(found ...FoundImage) func(*Snapshot) {
	return func(s *Snapshot) {
		s.AsksRegistry = true
		for _, f := range found {
			s.Found = map[string]FoundImage{"uid-of-build": f}
		}
	}
}

func withoutInputs(b *imagebuilder.Observation) { b.HasInputs = false }
func stopping(b *imagebuilder.Observation)      { b.Stopping = true }

// failure makes the record one of a failed attempt.
func failure(r ledger.Record, f ledger.Failure) ledger.Record {
	if f.At.IsZero() {
		f.At = now
	}
	r.Failure = &f
	return r
}

// success makes the record one of an attempt that succeeded.
func success(r ledger.Record) ledger.Record {
	r.Image = image
	return r
}
