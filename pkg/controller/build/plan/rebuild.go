package plan

import (
	"cmp"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// requestedRebuild is the request that was not acted on yet; empty for none.
func (d *decision) requestedRebuild() string {
	pool := d.Pool
	pool.Record = d.record
	return pool.RequestedRebuild()
}

// acknowledgement is what a claim puts next to the request on the pool. Where a MachineOSConfig
// opts it in, the record alone tells which request was acted on.
func (d *decision) acknowledgement() string {
	if d.MachineOS.OptsIn() {
		return ""
	}
	return d.requestedRebuild()
}

// owesAcknowledgement tells whether somebody took away what says that the request which
// stands on the pool was acted on.
func (d *decision) owesAcknowledgement() bool {
	asked := d.Pool.RebuildRequested
	return asked != "" && !d.MachineOS.OptsIn() && asked != d.Pool.RebuildObserved && d.record.RebuildOf() == ledger.RebuildMark(asked)
}

// acknowledged is the mark of the request that was acted on last; empty for none.
func (d *decision) acknowledged() string {
	return cmp.Or(d.record.RebuildOf(), ledger.RebuildMark(d.Pool.RebuildObserved))
}
