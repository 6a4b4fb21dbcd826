package plan

import (
	"fmt"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// wholeWithin is for how long an end that is not written in full is waited for. The build
// system writes an end in two or three steps, and may crash between them.
const wholeWithin = 30 * time.Second

// HalfWritten is a build of which the controller saw an end, and not yet all of it.
type HalfWritten struct {
	Build string
	// Since is the instant, by the controller's own clock, at which it was seen first.
	Since time.Time
}

// isHalfWritten tells of an end of which more is to come: the reason may still change, and
// the log, which tells refusals from trouble that passes, is not there. The time of the end
// is what is written last. An image is what it is.
func isHalfWritten(b *imagebuilder.Observation) bool {
	return b.Phase.IsFinished() && b.Finished.IsZero() && !hasImage(b)
}

// awaitRest waits for the rest of an end, or tells that it has been waited for long enough.
// No clock but our own is looked at.
func (d *decision) awaitRest(b *imagebuilder.Observation) (p Plan, waits bool) {
	if !isHalfWritten(b) || d.record.Failed() {
		return Plan{}, false
	}
	left := wholeWithin
	if d.HalfWritten.Build == b.Name {
		left -= d.passed(d.HalfWritten.Since)
	}
	if left <= 0 {
		return Plan{}, false
	}
	p = d.running(d.elapsed(b))
	p.Message = fmt.Sprintf("Build %s of %s has come to an end%s; how it ended is being written.", b.Name, d.record.Config, d.ordinal(d.record)) + warning(d.record)
	p.HalfWritten, p.RequeueAfter, p.Effects = b.Name, left, d.tidy(b.Name)
	return p, true
}
