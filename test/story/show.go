package main

import (
	"fmt"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// widest is as much of a value as is shown: a pullspec by digest in full, of the controller's own record the beginning.
const widest = 100

// excerpt is what "kubectl get machineconfigpool -o yaml" shows of what matters here: the annotations, the wanted config, and the
// conditions of the controller. Those that are False are only named.
func excerpt(pool *mcfgv1.MachineConfigPool) (string, error) {
	metadata := map[string]any{}
	if len(pool.Labels) > 0 {
		metadata["labels"] = pool.Labels
	}
	annotations := map[string]string{}
	for name, value := range pool.Annotations {
		if runes := []rune(value); len(runes) > widest {
			value = string(runes[:widest-1]) + "…"
		}
		annotations[name] = value
	}
	metadata["annotations"] = annotations

	conditions := []mcfgv1.MachineConfigPoolCondition{}
	var notTrue, others []string
	for _, condition := range pool.Status.Conditions {
		switch {
		case !isOurs(condition.Type):
			others = append(others, string(condition.Type))
		case condition.Status == corev1.ConditionTrue:
			conditions = append(conditions, condition)
		default:
			notTrue = append(notTrue, string(condition.Type))
		}
	}
	text, err := yaml.Marshal(map[string]any{
		"metadata": metadata,
		"spec":     map[string]any{"configuration": map[string]any{"name": pool.Spec.Configuration.Name}},
		"status":   map[string]any{"conditions": conditions},
	})
	if err != nil {
		return "", fmt.Errorf("could not encode pool %s: %w", pool.Name, err)
	}
	comments := ""
	if len(notTrue) > 0 {
		comments += "  # False: " + strings.Join(notTrue, ", ") + "\n"
	}
	if len(others) > 0 {
		comments += "  # of others: " + strings.Join(others, ", ") + "\n"
	}
	return string(text) + comments, nil
}
