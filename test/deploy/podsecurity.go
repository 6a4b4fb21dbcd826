package deploy

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// PodProblems says why a namespace that enforces the Pod Security level "restricted", in its latest version, would refuse the
// pod, and what of the pod is less strict than we promise beyond that.
func PodProblems(pod *corev1.PodTemplateSpec) ([]string, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, fmt.Errorf("could not set up the Pod Security evaluation: %w", err)
	}
	var problems []string
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			problems = append(problems, result.ForbiddenReason+": "+result.ForbiddenDetail)
		}
	}
	if pod.Spec.SecurityContext != nil && pod.Spec.SecurityContext.RunAsUser != nil {
		problems = append(problems, "runAsUser: OpenShift refuses users that are not of the namespace's own range")
	}
	containers := append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...)
	for i := range containers {
		problems = append(problems, containerProblems(&containers[i])...)
	}
	return problems, nil
}

func containerProblems(container *corev1.Container) []string {
	var problems []string
	report := func(text string) { problems = append(problems, "container "+container.Name+": "+text) }
	security := container.SecurityContext
	if security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
		report("the root file system is not read-only")
	}
	if security != nil && security.RunAsUser != nil {
		report("runAsUser: OpenShift refuses users that are not of the namespace's own range")
	}
	for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if quantity := container.Resources.Requests[resource]; quantity.IsZero() {
			report("it requests no " + string(resource))
		}
	}
	if len(container.Resources.Limits) > 0 {
		// What the control plane consists of is not to be stopped for lack of a share.
		report("it has resource limits")
	}
	return problems
}
