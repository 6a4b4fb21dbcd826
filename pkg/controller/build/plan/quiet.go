package plan

import (
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// quietFor is how long the build of inputs that are new waits for them to stop
// changing. Inputs that are older than the quiet period do not wait, and none
// wait for longer than the ceiling. The API server tells the creation of a config
// in whole seconds, so the wait may be short by up to one.
func (d *decision) quietFor() time.Duration {
	limits := d.limits()
	changed := d.Config.Created
	if d.ChangedAt.After(changed) {
		changed = d.ChangedAt
	}
	since := d.WaitingSince
	if since.IsZero() {
		since = changed
	}
	return min(limits.QuietPeriod-d.passed(changed), limits.QuietPeriodCeiling-d.passed(since))
}

// settle waits for the inputs to stop changing. A build of the inputs before
// goes on meanwhile: they may come back. One quiet period passes without a word;
// a longer wait is explained.
func (d *decision) settle(wait time.Duration) Plan {
	p := Plan{Report: ledger.Report{State: ledger.StateQuiet}}
	if !d.WaitingSince.IsZero() && d.passed(d.WaitingSince) >= d.limits().QuietPeriod {
		p.Report = d.settling()
	}
	p.Effects = tidy(d.Snapshot, newestOf(d.record))
	p.Waiting = true
	p.RequeueAfter = wait
	return p
}
