package doctor

import (
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// conditions looks for sets of conditions that the controller never writes.
func (x *examination) conditions(pool *mcfgv1.MachineConfigPool) {
	problems := ledger.Contradictions(pool.Status.Conditions, x.MachineOS.Served)
	if len(problems) > 0 {
		x.find(Error, "ConditionsImpossible", poolObject(pool.Name), "has conditions that exclude each other: "+strings.Join(problems, "; "),
			"the controller writes them anew whenever the pool changes; "+seeController+
				"\nsee who else writes them: oc get machineconfigpool "+pool.Name+" -o yaml --show-managed-fields")
	}
}
