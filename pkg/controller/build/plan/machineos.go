package plan

import (
	"slices"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// lackingAfter is for how long a Secret may be missing, or of no use, until the MachineOSBuild
// fails for it: whoever opts out deletes Secrets ahead of the MachineOSConfig, and whoever opts
// in may make them after it.
const lackingAfter = time.Minute

// unbuildable are the holds for which a MachineOSBuild fails, since only people can end them.
var unbuildable = []string{
	ledger.ReasonCustomContentInvalid, ledger.ReasonPushSpecInvalid, ledger.ReasonBuilderTypeUnknown, ledger.ReasonMachineOSConfigInvalid,
	ledger.ReasonRenderedConfigInvalid, ledger.ReasonCredentialsInConfig, ledger.ReasonExtensionsImageInvalid,
}

// lacking are those for which it fails when they last.
var lacking = []string{ledger.ReasonSecretMissing, ledger.ReasonSecretInvalid}

// asFailure turns a hold that only people can end into a failure, where a MachineOSConfig opts
// the pool in: who waits for a MachineOSBuild learns of it there. It ends like the hold.
func (s *Snapshot) asFailure(p Plan) Plan {
	if !s.MachineOS.OptsIn() || s.MachineOS.Build == "" || p.State != ledger.StateHeld {
		return p
	}
	switch {
	case slices.Contains(unbuildable, p.Reason):
		p.State = ledger.StateFailed
	case slices.Contains(lacking, p.Reason):
		p.Lacking = true
		if left := s.lackingFor(); left > 0 {
			p.RequeueAfter = left
			return p
		}
		p.State = ledger.StateFailed
	}
	return p
}

// lackingFor is for how much longer a Secret may be missing.
func (s *Snapshot) lackingFor() time.Duration {
	if s.LackingSince.IsZero() {
		return lackingAfter
	}
	return lackingAfter - s.passed(s.LackingSince)
}
