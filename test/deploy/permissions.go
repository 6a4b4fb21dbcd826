package deploy

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Permission is to do one thing, or that it was done.
type Permission struct {
	Verb, Group string
	// Resource has the subresource after a slash, if any.
	Resource string
	// Name is empty where any name will do.
	Name string
	// Namespace is empty for the whole cluster.
	Namespace string
}

// String is how people speak of it.
func (p Permission) String() string {
	resource := p.Resource
	if p.Group != "" {
		resource += "." + p.Group
	}
	if p.Name != "" {
		resource += " " + p.Name
	}
	namespace := p.Namespace
	if namespace == "" {
		namespace = "the cluster"
	}
	return p.Verb + " " + resource + " in " + namespace
}

// covers tells whether who holds the permission may do the other thing.
func (p Permission) covers(use Permission) bool {
	// A request to create has no name when it is authorized; one that lists has none at all.
	named := p.Name == "" || p.Name == use.Name && takesName(p.Verb)
	return p.Verb == use.Verb && p.Group == use.Group && p.Resource == use.Resource && named &&
		(p.Namespace == "" || p.Namespace == use.Namespace)
}

func takesName(verb string) bool {
	return slices.Contains([]string{"get", "update", "patch", "delete"}, verb)
}

// Findings are what is wrong with the permissions that manifests give.
type Findings struct {
	// Missing are uses that nothing permits.
	Missing []string
	// Unneeded are permissions, or parts of them, without a use.
	Unneeded []string
	// Improper is what must not be, whatever is used.
	Improper []string
}

// All are all findings.
func (f Findings) All() []string { return slices.Concat(f.Missing, f.Unneeded, f.Improper) }

// delegator is the only role that comes from elsewhere: with it the proxy in front of the metrics asks who is asking.
const delegator = "ClusterRole system:auth-delegator"

// CheckPermissions holds what the manifests let their service account do against what was used.
func CheckPermissions(manifests Manifests, used []Permission) (Findings, error) {
	granted, findings, err := grantedBy(manifests)
	if err != nil {
		return findings, err
	}
	for _, use := range used {
		if !slices.ContainsFunc(granted, func(p Permission) bool { return p.covers(use) }) {
			findings.Missing = append(findings.Missing, use.String())
		}
	}
	for _, permission := range granted {
		if !slices.ContainsFunc(used, permission.covers) {
			findings.Unneeded = append(findings.Unneeded, permission.String())
		}
		if permission.Resource == "secrets" && permission.Namespace != ownNamespace {
			findings.Improper = append(findings.Improper, permission.String()+": Secrets are for our own namespace only")
		}
		if permission.Resource == "leases" && permission.Name == "" && takesName(permission.Verb) {
			findings.Improper = append(findings.Improper, permission.String()+" of any name: the operator's own leases are in the same namespace")
		}
	}
	findings.Missing, findings.Unneeded = sorted(findings.Missing), sorted(findings.Unneeded)
	return findings, nil
}

const ownNamespace = "openshift-machine-config-operator"

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// Granted are the permissions that the manifests give to their service account.
func Granted(manifests Manifests) ([]Permission, error) {
	granted, _, err := grantedBy(manifests)
	return granted, err
}

// grantedBy follows the bindings to roles among the manifests.
func grantedBy(manifests Manifests) (granted []Permission, findings Findings, err error) {
	improper := func(format string, args ...any) {
		findings.Improper = append(findings.Improper, fmt.Sprintf(format, args...))
	}
	bound := map[string]bool{}
	for _, object := range manifests {
		if object.GetKind() != "RoleBinding" && object.GetKind() != "ClusterRoleBinding" {
			continue
		}
		// What matters has the same form in both kinds.
		var binding rbacv1.RoleBinding
		if err := decode(object, &binding); err != nil {
			return nil, findings, err
		}
		account := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: ownNamespace, Name: Name}
		if len(binding.Subjects) != 1 || binding.Subjects[0] != account {
			improper("%s %s is not for our service account alone", binding.Kind, binding.Name)
		}
		role, key, err := roleOf(manifests, &binding)
		if err != nil {
			return nil, findings, err
		}
		if role == nil {
			if key != delegator || binding.Kind != "ClusterRoleBinding" {
				improper("%s %s gives %s, which is not among the manifests", binding.Kind, binding.Name, key)
			}
			continue
		}
		bound[key+role.Namespace] = true
		for i := range role.Rules {
			problems, permissions := expand(&role.Rules[i], binding.Namespace)
			for _, problem := range problems {
				improper("%s: %s", key, problem)
			}
			granted = append(granted, permissions...)
		}
	}
	for _, object := range manifests {
		if kind := object.GetKind(); kind == "Role" || kind == "ClusterRole" {
			if !bound[kind+" "+object.GetName()+object.GetNamespace()] {
				improper("%s %s is given to nobody", kind, object.GetName())
			}
		}
	}
	return granted, findings, nil
}

// roleOf returns the role that is bound, nil if it is not ours, and its kind and name.
func roleOf(manifests Manifests, binding *rbacv1.RoleBinding) (*rbacv1.Role, string, error) {
	key := binding.RoleRef.Kind + " " + binding.RoleRef.Name
	i := slices.IndexFunc(manifests, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == binding.RoleRef.Kind && object.GetName() == binding.RoleRef.Name &&
			(object.GetKind() == "ClusterRole" || object.GetNamespace() == binding.Namespace)
	})
	if i < 0 {
		return nil, key, nil
	}
	// A ClusterRole that is put together from others has a field that a Role has not, and is an error.
	role := &rbacv1.Role{}
	return role, key, decode(manifests[i], role)
}

// expand takes a rule apart.
func expand(rule *rbacv1.PolicyRule, namespace string) (problems []string, permissions []Permission) {
	for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.ResourceNames, rule.NonResourceURLs} {
		if strings.Contains(strings.Join(list, ","), "*") {
			problems = append(problems, fmt.Sprintf("there is a wildcard in %v", list))
		}
	}
	if len(rule.NonResourceURLs) > 0 {
		problems = append(problems, fmt.Sprintf("it permits paths, %v", rule.NonResourceURLs))
	}
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				for _, name := range names {
					permissions = append(permissions, Permission{Verb: verb, Group: group, Resource: resource, Name: name, Namespace: namespace})
				}
			}
		}
	}
	return problems, permissions
}
