package deploy

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Alteration is a copy of the manifests with one change to what they permit, which CheckPermissions has to find.
type Alteration struct {
	What      string
	Manifests Manifests
	// Want is part of one of the findings.
	Want string
}

// Alterations are one for each way in which each rule and each binding can be more, less, or other than what is needed.
func Alterations(original Manifests) []Alteration {
	var all []Alteration
	for i, object := range original {
		alter := func(what, want string, change func(object *unstructured.Unstructured)) {
			changed := original.DeepCopy()
			change(changed[i])
			what = fmt.Sprintf("%s %s: %s", object.GetKind(), object.GetName(), what)
			all = append(all, Alteration{What: what, Manifests: changed, Want: want})
		}
		switch object.GetKind() {
		case "Role", "ClusterRole":
			alterRole(object, alter)
		case "RoleBinding", "ClusterRoleBinding":
			alterBinding(alter)
		}
	}
	return all
}

type alterFunc func(what, want string, change func(object *unstructured.Unstructured))

func alterRole(role *unstructured.Unstructured, alter alterFunc) {
	rules, _, _ := unstructured.NestedSlice(role.Object, "rules")
	for i := range rules {
		rule := rules[i].(map[string]any)
		// change has one rule be another one, or gone if it is nil.
		change := func(what, want string, to func(rule map[string]any) map[string]any) {
			alter(fmt.Sprintf("rule %d, %s", i, what), want, func(object *unstructured.Unstructured) {
				rules, _, _ := unstructured.NestedSlice(object.Object, "rules")
				changed := to(rules[i].(map[string]any))
				if changed == nil {
					rules = slices.Delete(rules, i, i+1)
				} else {
					rules[i] = changed
				}
				_ = unstructured.SetNestedSlice(object.Object, rules, "rules")
			})
		}
		set := func(key string, values ...any) func(map[string]any) map[string]any {
			return func(rule map[string]any) map[string]any { rule[key] = values; return rule }
		}
		verbs, resources := rule["verbs"].([]any), rule["resources"].([]any)
		change("removed", fmt.Sprint(verbs[0], " ", resources[0]), func(map[string]any) map[string]any { return nil })
		for v, verb := range verbs {
			change(fmt.Sprintf("without %s", verb), fmt.Sprint(verb, " ", resources[0]), set("verbs", slices.Delete(slices.Clone(verbs), v, v+1)...))
		}
		change("with one verb more", fmt.Sprint("deletecollection ", resources[0]), set("verbs", append(slices.Clone(verbs), "deletecollection")...))
		change("with one resource more", "pods/exec", set("resources", append(slices.Clone(resources), "pods/exec")...))
		change("with any verb", "wildcard", set("verbs", "*"))
		change("of any resource", "wildcard", set("resources", "*"))
		change("of any group", "wildcard", set("apiGroups", "*"))
		change("of another group", "example.com", set("apiGroups", "example.com"))
		change("of another name", fmt.Sprint(" ", resources[0]), set("resourceNames", "other"))
		change("with a path", "/debug", set("nonResourceURLs", "/debug"))
		if rule["resourceNames"] != nil {
			change("of any name", "of any name", func(rule map[string]any) map[string]any {
				delete(rule, "resourceNames")
				return rule
			})
		}
	}
}

func alterBinding(alter alterFunc) {
	alter("to somebody else", "not for our service account alone", func(object *unstructured.Unstructured) {
		subjects := []any{map[string]any{"kind": "ServiceAccount", "name": "default", "namespace": ownNamespace}}
		_ = unstructured.SetNestedSlice(object.Object, subjects, "subjects")
	})
	alter("to everybody as well", "not for our service account alone", func(object *unstructured.Unstructured) {
		subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
		subjects = append(subjects, map[string]any{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"})
		_ = unstructured.SetNestedSlice(object.Object, subjects, "subjects")
	})
	alter("of cluster-admin", "cluster-admin, which is not among the manifests", func(object *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(object.Object, "ClusterRole", "roleRef", "kind")
		_ = unstructured.SetNestedField(object.Object, "cluster-admin", "roleRef", "name")
	})
}
