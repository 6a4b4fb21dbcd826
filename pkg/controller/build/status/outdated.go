package status

import (
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// overdue is by how much the controller may be late with what it does at a known time.
const overdue = time.Minute

// outdated says why the condition does not fit what the pool wants now, or what its
// Build has come to meanwhile; empty if it does.
func (p *Pool) outdated(pool *mcfgv1.MachineConfigPool, record *plan.Record, build *imagebuilder.Observation, o *Objects) string {
	requested := pool.Annotations[constants.RebuildRequestedAnnotation]
	switch {
	case p.Reason == plan.ReasonNoRenderedConfig && p.Config != "":
		return "a config is wanted since"
	case namesConfig(p.State, p.Reason) && (p.Config == "" || !strings.Contains(p.Message, p.Config)):
		return "of another config"
	case p.State == StatePublished && !p.ImageCurrent:
		return "the annotations of the image are gone"
	case p.ends() && requested != "" && requested != pool.Annotations[constants.RebuildObservedAnnotation]:
		return "a rebuild is requested since"
	case p.NextAttempt != nil && o.Now.Sub(p.NextAttempt.Time) > overdue:
		return "the next attempt is overdue"
	case !o.BuildsKnown || record == nil || record.Failed():
		return ""
	}
	return p.overtaken(build)
}

// overtaken says what has become of the Build since the pool's condition was written.
func (p *Pool) overtaken(build *imagebuilder.Observation) string {
	expected := imagebuilder.PhasePending
	switch p.State {
	case StatePending, StateStuck:
	case StateBuilding:
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

// namesConfig tells whether the message of such a condition has the name of the config
// that it is about. Most holds are about objects that all configs need.
func namesConfig(state State, reason string) bool {
	switch reason {
	case plan.ReasonQueued, plan.ReasonPoolPaused, plan.ReasonRenderDegraded, plan.ReasonRenderedConfigMissing:
		return true
	}
	return state.isOfAttempt() || state == StatePublished
}

// ends tells whether the controller is done with what it was asked for.
func (p *Pool) ends() bool {
	return p.State == StatePublished || p.State == StateFailed || p.State == StateInterrupted
}
