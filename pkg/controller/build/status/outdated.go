package status

import (
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// overdue is by how much the controller may be late with what it does at a known time.
const overdue = time.Minute

// outdated says why the condition does not fit what the pool wants now, or what its
// Build has come to meanwhile; empty if it does.
func (p *Pool) outdated(pool *ledger.Pool, build *imagebuilder.Observation, o *Objects) string {
	switch of := p.of(pool); {
	case p.Reason == ledger.ReasonNoRenderedConfig && p.Config != "":
		return "a config is wanted since"
	case of != "":
		return of
	case p.State == ledger.StatePublished && !p.ImageCurrent:
		return "the annotations of the image are gone"
	case p.ends() && pool.RequestedRebuild() != "":
		return "a rebuild is requested since"
	case p.NextAttempt != nil && o.Now.Sub(p.NextAttempt.Time) > overdue:
		return "the next attempt is overdue"
	case !o.BuildsKnown || pool.Record == nil || pool.Record.Failed():
		return ""
	}
	return p.overtaken(build)
}

// of says what else than the wanted config the condition is about, as far as the record
// and the annotations tell; empty if nothing else. Most holds are about objects that all
// configs need.
func (p *Pool) of(pool *ledger.Pool) string {
	const another = "of another config"
	record := pool.Record
	switch {
	case p.State == ledger.StatePublished:
		if p.ImageConfig != "" && p.ImageConfig != p.Config {
			return another
		}
	case p.State.IsOfAttempt() || p.State == ledger.StateQueued:
		if p.Config == "" || record != nil && record.Config != p.Config {
			return another
		}
		if p.State.IsOfAttempt() && record != nil && !pool.Reported.ReportsOn(record) {
			return "of an earlier attempt"
		}
	case p.Reason == ledger.ReasonPoolPaused, p.Reason == ledger.ReasonRenderDegraded, p.Reason == ledger.ReasonRenderedConfigMissing:
		if p.Config == "" {
			return another
		}
	}
	return ""
}

// overtaken says what has become of the Build since the pool's condition was written.
func (p *Pool) overtaken(build *imagebuilder.Observation) string {
	expected := imagebuilder.PhasePending
	switch p.State {
	case ledger.StatePending, ledger.StateStuck:
	case ledger.StateBuilding:
		expected = imagebuilder.PhaseRunning
	default:
		return ""
	}
	switch {
	case build == nil:
		return "its Build is gone"
	case build.Phase.IsFinished():
		return "its Build has ended"
	case build.Phase != expected:
		return "its Build is " + string(build.Phase)
	}
	return ""
}

// ends tells whether the controller is done with what it was asked for.
func (p *Pool) ends() bool {
	return p.State == ledger.StatePublished || p.State == ledger.StateFailed || p.State == ledger.StateInterrupted
}
