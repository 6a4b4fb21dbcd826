package inputs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Workload is how Jobs run. None of it decides what is in an image.
type Workload struct {
	// Image is the pullspec of the builder image; empty for the release's own.
	Image string
	// SecurityLevel and Seccomp are values of the keys of these names.
	SecurityLevel, Seccomp string
	PriorityClass          string
	NodeSelector           map[string]string
	// Tolerations are taints, as key=value:effect.
	Tolerations []string
	// Requests and Limits are quantities of resources.
	Requests, Limits map[string]string
}

// defaultRequests keep the pod from being the first to go when its node is short of
// something.
const defaultRequests = "cpu=250m,memory=512Mi"

// choice is a key of the ConfigMap with a few values, of which the first is the default.
type choice struct {
	key    string
	values []string
}

var (
	backendChoice  = choice{constants.ImageBuilderKey, []string{constants.BackendOpenShiftBuild, constants.BackendJob}}
	buildForChoice = choice{constants.BuildForKey, []string{constants.BuildForEveryConfig, constants.BuildForImageChanges}}
	levelChoice    = choice{constants.JobSecurityLevelKey, []string{constants.LevelLimitedRoot, constants.LevelRoot, constants.LevelUser}}
	seccompChoice  = choice{constants.JobSeccompProfileKey, []string{constants.SeccompRuntimeDefault, constants.SeccompNode, constants.SeccompUnconfined}}
)

// workloadKeys are the keys of the ConfigMap that are about the backend.
var workloadKeys = []string{
	constants.ImageBuilderKey, constants.JobBuilderImageKey, constants.JobSecurityLevelKey, constants.JobSeccompProfileKey,
	constants.JobPriorityClassKey, constants.JobNodeSelectorKey, constants.JobTolerationsKey, constants.JobRequestsKey, constants.JobLimitsKey,
}

// parse reads a choice. Values are not told apart by case.
func (c *choice) parse(data map[string]string) (string, *Problem) {
	text := valueOf(data, c.key)
	if text == "" {
		return c.values[0], nil
	}
	for _, value := range c.values {
		if strings.EqualFold(text, value) {
			return value, nil
		}
	}
	return c.values[0], &Problem{Object: ConfigMapObject, Key: c.key, Text: fmt.Sprintf("%s is none of %s; leave the key out for %s", quote(text), strings.Join(c.values, ", "), c.values[0])}
}

// parseWorkload reads the keys that are about Jobs.
func parseWorkload(data map[string]string) (w Workload, problems []Problem) {
	report := func(key, format string, args ...any) {
		problems = append(problems, Problem{Object: ConfigMapObject, Key: key, Text: fmt.Sprintf(format, args...)})
	}
	w.Image = valueOf(data, constants.JobBuilderImageKey)
	if w.Image != "" {
		image, err := ParseBaseImage(w.Image)
		if err != nil {
			report(constants.JobBuilderImageKey, "%s %v", quote(w.Image), err)
		}
		w.Image = image
	}
	for _, c := range []struct {
		choice *choice
		into   *string
	}{{&levelChoice, &w.SecurityLevel}, {&seccompChoice, &w.Seccomp}} {
		value, problem := c.choice.parse(data)
		if *c.into = value; problem != nil {
			problems = append(problems, *problem)
		}
	}
	w.PriorityClass = valueOf(data, constants.JobPriorityClassKey)
	if errs := validation.IsDNS1123Subdomain(w.PriorityClass); w.PriorityClass != "" && len(errs) > 0 {
		report(constants.JobPriorityClassKey, "%s is not a valid name of a PriorityClass", quote(w.PriorityClass))
	}
	var why string
	if w.NodeSelector, why = parseLabels(listOf(data, constants.JobNodeSelectorKey)); why != "" {
		report(constants.JobNodeSelectorKey, "%s; write labels of nodes as key=value,key=value", why)
	}
	if w.Tolerations, why = parseTaints(listOf(data, constants.JobTolerationsKey)); why != "" {
		report(constants.JobTolerationsKey, "%s; write taints of nodes as key:effect or key=value:effect, with commas between them", why)
	}
	requests := listOf(data, constants.JobRequestsKey)
	if len(requests) == 0 {
		requests = strings.Split(defaultRequests, ",")
	}
	const form = "%s; write resources as cpu=500m,memory=2Gi,ephemeral-storage=20Gi"
	if w.Requests, why = parseResources(requests); why != "" {
		report(constants.JobRequestsKey, form, why)
	}
	if w.Limits, why = parseResources(listOf(data, constants.JobLimitsKey)); why != "" {
		report(constants.JobLimitsKey, form, why)
	}
	if name := firstBelow(w.Limits, w.Requests); name != "" {
		report(constants.JobLimitsKey, "%s is limited to %s, which is less than the %s that are requested (key %s)", name, w.Limits[name], w.Requests[name], constants.JobRequestsKey)
	}
	return w, problems
}

// listOf are the parts of a value between commas or line breaks.
func listOf(data map[string]string, key string) []string {
	var parts []string
	for _, part := range strings.FieldsFunc(valueOf(data, key), func(r rune) bool { return r == ',' || r == '\n' }) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func parseLabels(parts []string) (labels map[string]string, why string) {
	for _, part := range parts {
		key, value, _ := strings.Cut(part, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0 {
			return nil, quote(part) + " is not a label"
		}
		if labels == nil {
			labels = map[string]string{}
		}
		labels[key] = value
	}
	return labels, ""
}

func parseTaints(parts []string) (taints []string, why string) {
	effects := []string{"", string(corev1.TaintEffectNoSchedule), string(corev1.TaintEffectPreferNoSchedule), string(corev1.TaintEffectNoExecute)}
	for _, part := range parts {
		rest, effect, _ := strings.Cut(part, ":")
		key, value, _ := strings.Cut(rest, "=")
		switch {
		case !slices.Contains(effects, effect):
			return nil, fmt.Sprintf("%s has the effect %s, which is none of %s", quote(part), quote(effect), strings.Join(effects[1:], ", "))
		case len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0:
			return nil, quote(part) + " is not a taint"
		}
		taints = append(taints, part)
	}
	return taints, ""
}

func parseResources(parts []string) (resources map[string]string, why string) {
	known := []string{string(corev1.ResourceCPU), string(corev1.ResourceMemory), string(corev1.ResourceEphemeralStorage)}
	for _, part := range parts {
		name, text, _ := strings.Cut(part, "=")
		name, text = strings.TrimSpace(name), strings.TrimSpace(text)
		quantity, err := resource.ParseQuantity(text)
		switch {
		case !slices.Contains(known, name):
			return nil, fmt.Sprintf("%s is of %s, which is none of %s", quote(part), quote(name), strings.Join(known, ", "))
		case err != nil || quantity.Sign() <= 0:
			return nil, quote(part) + " is not a quantity above zero"
		}
		if resources == nil {
			resources = map[string]string{}
		}
		resources[name] = text
	}
	return resources, ""
}

// firstBelow is the first resource of which there are less of the former than of the latter.
func firstBelow(limits, requests map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		request, ok := requests[name]
		if !ok {
			continue
		}
		// Both were parsed before.
		limit := resource.MustParse(limits[name])
		if limit.Cmp(resource.MustParse(request)) < 0 {
			return name
		}
	}
	return ""
}

// OperatorImagesObject is how messages name the ConfigMap with the release's images.
const OperatorImagesObject = "ConfigMap " + constants.OperatorImagesConfigMap
