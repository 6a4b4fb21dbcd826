package doctor

import (
	"slices"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// ofOthers are holds of such a pool that are found at other objects, that pass by themselves,
// or that are found as a refusal.
var ofOthers = []string{
	ledger.ReasonConfigMapMissing, ledger.ReasonConfigMapInvalid, ledger.ReasonBuilderUnavailable, ledger.ReasonQueued, ledger.ReasonInputsChanging,
	ledger.ReasonRequestRefused, ledger.ReasonOtherBuilder,
}

// isOfBuild tells of the reason of a failure that a build has failed, and nothing kept one from
// being made.
func isOfBuild(reason string) bool {
	return reason == ledger.ReasonBuildFailed || reason == ledger.ReasonAttemptsExhausted
}

// holdOfMachineOS tells what keeps the build from starting, as hold does, for a pool that a
// MachineOSConfig opts in: there it may count as a failure. It tells whether that was decided,
// whatever is reported.
func (x *examination) holdOfMachineOS(pool *mcfgv1.MachineConfigPool, config string, row *status.Pool) (decided bool) {
	reason, message, held := row.Reason, row.Message, row.State == ledger.StateHeld
	if d := x.decision(pool.Name); d != nil && reason != ledger.ReasonBuilderRefused && reason != ledger.ReasonNameTaken {
		reason, message = d.Reason, d.Message
		held = d.State == ledger.StateHeld || d.State == ledger.StateFailed && !isOfBuild(reason)
		decided = held
	}
	if !held || slices.Contains(ofOthers, reason) || reason == ledger.ReasonNoRenderedConfig && !x.isSettled(pool) {
		return false
	}
	x.find(Error, reason, inputs.MachineOSConfigObject(config), message, x.repairOfMachineOS(reason, config, pool))
	return decided
}

// repairOfMachineOS says how such a hold ends: of what the label takes from the ConfigMaps, the
// MachineOSConfig has the spec.
func (x *examination) repairOfMachineOS(reason, config string, pool *mcfgv1.MachineConfigPool) string {
	edit := "oc edit machineosconfig " + config
	switch reason {
	case ledger.ReasonCustomContentInvalid, ledger.ReasonPushSpecInvalid, ledger.ReasonBuilderTypeUnknown, ledger.ReasonMachineOSConfigInvalid:
		return edit
	case ledger.ReasonSecretMissing:
		return "create it: " + inNamespace + "create secret docker-registry …\nor name another one: " + edit
	}
	return x.repairOf(reason, pool.Name, pool.Spec.Configuration.Name)
}
