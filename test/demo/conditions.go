package main

import (
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
)

// conditionText is the build condition as a sentence.
func conditionText(pool *mcfgv1.MachineConfigPool) string {
	condition := buildCondition(pool)
	if condition.Type == "" {
		return fmt.Sprintf("pool %s has no build condition, so the controller has not answered the opt-in", pool.Name)
	}
	text := fmt.Sprintf("pool %s reports %s", pool.Name, condition.Type)
	if condition.Reason != string(condition.Type) {
		text += " (" + condition.Reason + ")"
	}
	return text + ": " + condition.Message
}

func isOptedIn(pool *mcfgv1.MachineConfigPool) bool {
	_, optedIn := pool.Labels[optInLabel]
	return optedIn
}

// buildCondition is the one build condition that is True; a zero one if there is none.
func buildCondition(pool *mcfgv1.MachineConfigPool) mcfgv1.MachineConfigPoolCondition {
	for i := range pool.Status.Conditions {
		condition := pool.Status.Conditions[i]
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case mcfgv1.MachineConfigPoolBuildPending, mcfgv1.MachineConfigPoolBuilding, mcfgv1.MachineConfigPoolBuildSuccess,
			mcfgv1.MachineConfigPoolBuildFailed, mcfgv1.MachineConfigPoolBuildInterrupted:
			return condition
		}
	}
	return mcfgv1.MachineConfigPoolCondition{}
}

// poolProgress is where a pool stands in one line: what it says of itself, and how far the build is of the wanted config.
func poolProgress(pool *mcfgv1.MachineConfigPool, build *build) string {
	condition := buildCondition(pool)
	text := string(condition.Type)
	switch condition.Type {
	case "":
		text = "opted in"
	case mcfgv1.MachineConfigPoolBuildSuccess:
		if pool.Annotations[imageConfigAnnotation] != pool.Spec.Configuration.Name {
			text = "on the image of its previous config"
		}
	case mcfgv1.MachineConfigPoolBuildPending:
		// What holds a pool up is for the reader to mend.
		if condition.Reason != "BuildCreated" {
			text += " (" + condition.Reason + "): " + condition.Message
		}
	}
	return withBuild(text, build)
}

// withBuild adds how far a build is; nil for none.
func withBuild(text string, build *build) string {
	if build == nil {
		return text
	}
	text = fmt.Sprintf("%-12s  %s %s: %s", text, build.kind, build.name, build.phase)
	if build.reason != "" {
		text += " (" + build.reason + ")"
	}
	return text
}
