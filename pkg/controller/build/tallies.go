package build

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// Results of builds, as metrics tell them.
const (
	resultSucceeded   = "succeeded"
	resultFailed      = "failed"
	resultInterrupted = "interrupted"
	resultSuperseded  = "superseded"
)

const (
	// reasonSucceeded goes with resultSucceeded.
	reasonSucceeded = "Succeeded"
	// reasonOther stands for every reason that is not known, so that whoever writes
	// reasons cannot make series without end.
	reasonOther = "Other"
)

// ending is how a build ended.
type ending struct{ result, reason string }

// tallies count what becomes of each pool's builds. What is counted is a change of the
// pool's record, as this process sees it: an effect that is repeated changes the record
// once, and one of which the reply was lost changes it, too. What the record was when
// the process first saw the pool was done before its time, and is not counted.
type tallies struct {
	mu    sync.Mutex
	pools map[string]*tally
}

// tally is what was counted of one pool, and what its record said last.
type tally struct {
	uid types.UID

	record ledger.Record
	// ended tells that the outcome of the build on record was counted.
	ended bool
	// begun is the build that was counted last as started, or was there before.
	begun string

	started, retries, reused int
	finished                 map[ending]int
}

// of is a copy of what was counted of the pool.
func (ts *tallies) of(pool string) (tally, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.pools[pool]
	if !ok {
		return tally{}, false
	}
	counted := *t
	counted.finished = maps.Clone(t.finished)
	return counted, true
}

func (ts *tallies) forget(pool string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.pools, pool)
}

// count counts what has changed for the pool since it was seen last. A pool that is not
// layered has no counts: nothing is built for it.
func (m *Metrics) count(s *plan.Snapshot, builder imagebuilder.ImageBuilder) {
	if m == nil {
		return
	}
	m.tallies.mu.Lock()
	defer m.tallies.mu.Unlock()
	if !s.Pool.Layered {
		delete(m.tallies.pools, s.Pool.Name)
		return
	}
	t := m.tallies.pools[s.Pool.Name]
	if t == nil || t.uid != s.Pool.UID {
		m.tallies.pools[s.Pool.Name] = firstSight(s)
		return
	}
	record := s.Pool.Record
	if record == nil {
		t.record, t.ended = ledger.Record{}, false
		return
	}
	if record.Build != t.record.Build {
		m.turned(t, s, builder)
	}
	build := findBuild(s.Builds, record.Build)
	if t.begun != record.Build && build != nil {
		t.begun = record.Build
		t.started++
	}
	switch {
	case !t.ended && hasOutcome(record):
		m.ended(t, endingOf(record, builder), record, build)
		t.ended = true
	case record.Image != "" && t.record.Image == "" && t.record.Build == record.Build:
		// It was given up, and made its image all the same.
		t.reused++
	}
	t.record = *record
}

func firstSight(s *plan.Snapshot) *tally {
	t := &tally{uid: s.Pool.UID, finished: map[ending]int{}}
	if record := s.Pool.Record; record != nil {
		t.record, t.ended = *record, hasOutcome(record)
		if findBuild(s.Builds, record.Build) != nil {
			t.begun = record.Build
		}
	}
	return t
}

// turned counts what it means that the record is of another build than before.
func (m *Metrics) turned(t *tally, s *plan.Snapshot, builder imagebuilder.ImageBuilder) {
	record, before := s.Pool.Record, &t.record
	if !t.ended && before.Build != "" && t.begun == before.Build {
		build := findBuild(s.Builds, before.Build)
		m.ended(t, endingUnrecorded(build, builder), before, build)
	}
	if before.Failure != nil && record.Fingerprint == before.Fingerprint && record.Attempt > before.Attempt {
		t.retries++
	}
	t.ended = false
	if record.Image != "" {
		t.reused++
		t.begun, t.ended = record.Build, true
		t.record = *record
	}
}

// ended counts the end of a build.
func (m *Metrics) ended(t *tally, e ending, record *ledger.Record, build *imagebuilder.Observation) {
	t.finished[e]++
	if build == nil || build.Started.IsZero() {
		return
	}
	if !build.Finished.Before(build.Started) {
		m.buildDuration.WithLabelValues(e.result).Observe(build.Finished.Sub(build.Started).Seconds())
	}
	// The builder's clock may be behind ours.
	m.queueWait.Observe(max(build.Started.Sub(record.ClaimedAt), 0).Seconds())
}

func hasOutcome(r *ledger.Record) bool { return r.Image != "" || r.Failure != nil }

// endingOf is the outcome that is on record.
func endingOf(r *ledger.Record, builder imagebuilder.ImageBuilder) ending {
	switch {
	case r.Image != "":
		return ending{resultSucceeded, reasonSucceeded}
	case r.Failure.Interrupted:
		return ending{resultInterrupted, boundedReason(r.Failure.Reason, builder)}
	case r.Failure.Reason == ledger.FailureSuperseded:
		return ending{resultSuperseded, ledger.FailureSuperseded}
	}
	return ending{resultFailed, boundedReason(r.Failure.Reason, builder)}
}

// endingUnrecorded is the outcome of a build whose place on record was taken by another
// one. Unless it had ended before that was noticed, it is ended now.
func endingUnrecorded(build *imagebuilder.Observation, builder imagebuilder.ImageBuilder) ending {
	switch {
	case build != nil && build.Phase == imagebuilder.PhaseSucceeded && build.Image != "":
		return ending{resultSucceeded, reasonSucceeded}
	case build != nil && build.Phase == imagebuilder.PhaseSucceeded:
		return ending{resultFailed, ledger.FailureNoDigest}
	case build != nil && build.Phase == imagebuilder.PhaseFailed:
		return ending{resultFailed, boundedReason(build.Reason, builder)}
	}
	return ending{resultSuperseded, ledger.FailureSuperseded}
}

func boundedReason(reason string, builder imagebuilder.ImageBuilder) string {
	if slices.Contains(ledger.FailureReasons, reason) || slices.Contains(builder.Reasons(), reason) {
		return reason
	}
	return reasonOther
}

// findBuild finds a build that exists.
func findBuild(builds []imagebuilder.Observation, name string) *imagebuilder.Observation {
	for i := range builds {
		if builds[i].Name == name && builds[i].Phase != imagebuilder.PhaseAbsent {
			return &builds[i]
		}
	}
	return nil
}
