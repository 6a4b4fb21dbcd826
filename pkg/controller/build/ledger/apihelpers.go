package ledger

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
)

// What follows the operator's package pkg/apihelpers has under the same names, exported.
// In its tree that package takes the place of this file.

func getMachineConfigPoolCondition(status mcfgv1.MachineConfigPoolStatus, conditionType mcfgv1.MachineConfigPoolConditionType) *mcfgv1.MachineConfigPoolCondition {
	for i := range status.Conditions {
		if status.Conditions[i].Type == conditionType {
			return &status.Conditions[i]
		}
	}
	return nil
}

func isMachineConfigPoolConditionTrue(conditions []mcfgv1.MachineConfigPoolCondition, conditionType mcfgv1.MachineConfigPoolConditionType) bool {
	c := getMachineConfigPoolCondition(mcfgv1.MachineConfigPoolStatus{Conditions: conditions}, conditionType)
	return c != nil && c.Status == corev1.ConditionTrue
}
