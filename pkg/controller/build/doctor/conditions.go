package doctor

import (
	"fmt"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// conditions looks for sets of conditions that the controller never writes.
func (x *examination) conditions(pool *mcfgv1.MachineConfigPool) {
	counts := map[mcfgv1.MachineConfigPoolConditionType]int{}
	var isTrue, problems []string
	degraded := false
	for i := range pool.Status.Conditions {
		c := &pool.Status.Conditions[i]
		if !plan.IsOurs(c.Type) {
			continue
		}
		counts[c.Type]++
		switch {
		case c.Status != corev1.ConditionTrue && c.Status != corev1.ConditionFalse:
			problems = append(problems, fmt.Sprintf("%s is %q", c.Type, c.Status))
		case c.Status == corev1.ConditionFalse:
		case c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded:
			degraded = true
		default:
			isTrue = append(isTrue, string(c.Type))
		}
	}
	if len(counts) == 0 {
		return
	}
	for _, t := range append(plan.BuildConditions(), mcfgv1.MachineConfigPoolImageBuildDegraded) {
		switch n := counts[t]; {
		case n == 0:
			problems = append(problems, string(t)+" is missing")
		case n > 1:
			problems = append(problems, fmt.Sprintf("%s occurs %d times", t, n))
		}
	}
	failed := slices.Contains(isTrue, string(mcfgv1.MachineConfigPoolBuildFailed))
	switch {
	case len(isTrue) == 0:
		problems = append(problems, "none of the build conditions is True")
	case len(isTrue) > 1:
		problems = append(problems, strings.Join(isTrue, " and ")+" are True")
	case degraded && !failed:
		problems = append(problems, "ImageBuildDegraded is True together with "+isTrue[0])
	case failed && !degraded:
		problems = append(problems, "BuildFailed is True, and ImageBuildDegraded is not")
	}
	if len(problems) > 0 {
		x.find(Error, "ConditionsImpossible", poolObject(pool.Name), "has conditions that exclude each other: "+strings.Join(problems, "; "),
			"the controller writes them anew whenever the pool changes; "+seeController+
				"\nsee who else writes them: oc get machineconfigpool "+pool.Name+" -o yaml --show-managed-fields")
	}
}
