package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Permission is something that the controller has to be allowed to do.
type Permission struct {
	// Namespace is empty for resources of the whole cluster.
	Namespace string
	Group     string
	// Resource has its subresource behind a slash.
	Resource string
	// Name is the one object that it is about; empty for all of the resource.
	Name string
	Verb string
}

// need is permissions on one resource, and what they are for.
type need struct {
	namespace, group, resource, name string
	verbs                            []string
	why                              string
	// component grants it, beside what always ships; empty for none.
	component string
}

const (
	mcfgGroup  = "machineconfiguration.openshift.io"
	neverLeads = "it never leads with --leader-elect"
)

// needsWith is what hack/deploy/rbac.yaml grants, with what a backend takes; a test
// compares the two.
func needsWith(backend imagebuilder.Backend) []need {
	needs := slices.Clone(ownNeeds)
	for _, p := range backend.About().Permissions {
		needs = append(needs, need{namespace: ctrlcommon.MCONamespace, group: p.Group, resource: p.Resource, verbs: p.Verbs, why: p.Without})
	}
	return append(needs, eventNeeds...)
}

const (
	// otherBuilderLease is that of the operator's own builder.
	otherBuilderLease = "machine-os-builder"

	ofMachineOS = "machine-os-configs/"
	neverSeen   = "pools that MachineOSConfigs opt in wait, and all others are served; the log, and an event on each pool that had an image by one, say so"
	neverRolled = "no image reaches a node"
)

// machineOSNeeds are what the component hack/deploy/machine-os-configs grants, which the
// feature gate MachineOSConfigs takes.
var machineOSNeeds = []need{
	{"", mcfgGroup, "machineosconfigs", "", []string{"list", "watch"}, neverSeen, ofMachineOS},
	{"", mcfgGroup, "machineosconfigs", "", []string{"patch"}, neverRolled, ofMachineOS},
	{"", mcfgGroup, "machineosbuilds", "", []string{"list", "watch"}, neverSeen, ofMachineOS},
	{"", mcfgGroup, "machineosbuilds", "", []string{"create", "patch", "delete"}, neverRolled, ofMachineOS},
	{"", mcfgGroup, "machineosconfigs/status", "", []string{"patch"}, neverRolled, ofMachineOS},
	{"", mcfgGroup, "machineosbuilds/status", "", []string{"patch"}, neverRolled, ofMachineOS},
	{ctrlcommon.MCONamespace, "coordination.k8s.io", "leases", otherBuilderLease, []string{"get", "update"}, "the operator's own builder stays at work, and MachineOSConfigs are left alone", ofMachineOS},
}

// ownNeeds come before those of the backend, and eventNeeds after them: the order is that
// of what there is without.
var ownNeeds = []need{
	{"", mcfgGroup, "machineconfigpools", "", []string{"get", "list", "watch", "patch"}, "no pool is served", ""},
	{"", mcfgGroup, "machineconfigpools/status", "", []string{"patch"}, "nothing is reported", ""},
	{"", mcfgGroup, "machineconfigs", "", []string{"get", "list", "watch"}, "nothing is built", ""},
	{"", mcfgGroup, "controllerconfigs", "", []string{"list", "watch"}, "nothing is built", ""},
	{ctrlcommon.MCONamespace, "", "configmaps", "", []string{"list", "watch"}, "the settings are not known", ""},
	{ctrlcommon.MCONamespace, "", "secrets", "", []string{"get", "list", "watch", "create", "delete"}, "builds have no inputs and no credentials", ""},
}

var eventNeeds = []need{
	{ctrlcommon.MCONamespace, "", "events", "", []string{"create", "patch"}, "there are no events about the settings", ""},
	{ctrlcommon.MCONamespace, "coordination.k8s.io", "leases", constants.ControllerName, []string{"get", "update"}, neverLeads, ""},
	{ctrlcommon.MCONamespace, "coordination.k8s.io", "leases", "", []string{"create"}, neverLeads, ""},
	{"default", "", "events", "", []string{"create", "patch"}, "there are no events about pools", ""},
}

func (n *need) permission(verb string) Permission {
	return Permission{Namespace: n.namespace, Group: n.group, Resource: n.resource, Name: n.name, Verb: verb}
}

// Permissions are all that the controller has to be allowed to do, with that backend.
func Permissions(backend imagebuilder.Backend) []Permission { return permissionsOf(needsWith(backend)) }

// MachineOSPermissions are what it has to be allowed besides, with the feature gate
// MachineOSConfigs.
func MachineOSPermissions() []Permission { return permissionsOf(machineOSNeeds) }

func permissionsOf(needs []need) []Permission {
	var all []Permission
	for i := range needs {
		n := &needs[i]
		for _, verb := range n.verbs {
			all = append(all, n.permission(verb))
		}
	}
	return all
}

const grantMachineOS = "oc apply -f hack/deploy/" + ofMachineOS + "rbac.yaml"

// isSightOfMachineOS tells whether the permission is one without which no MachineOSConfig is
// served.
func isSightOfMachineOS(p Permission) bool {
	return slices.ContainsFunc(machineOSNeeds, func(n need) bool {
		return n.why == neverSeen && slices.ContainsFunc(n.verbs, func(verb string) bool { return p == n.permission(verb) })
	})
}

// permissions tells what the service account lacks, by resource.
func (x *examination) permissions() {
	for _, n := range append(needsWith(x.Backend), machineOSNeeds...) {
		var verbs []string
		for _, verb := range n.verbs {
			if slices.Contains(x.Denied, n.permission(verb)) {
				verbs = append(verbs, verb)
			}
		}
		if len(verbs) == 0 {
			continue
		}
		severity := x.ifOptedIn()
		if n.resource == "events" {
			severity = Warning
		}
		where := "the cluster"
		if n.namespace != "" {
			where = "namespace " + n.namespace
		}
		x.find(severity, "PermissionMissing", "ServiceAccount "+x.Account,
			fmt.Sprintf("may not %s %s (API group %q) in %s, so %s", strings.Join(verbs, ", "), n.resource, cmp.Or(n.group, "core"), where, n.why),
			"oc apply -f hack/deploy/"+n.component+"rbac.yaml")
	}
}
