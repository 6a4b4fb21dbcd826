package deploy

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func load(t *testing.T) Manifests {
	t.Helper()
	manifests, err := Load(filepath.Join("..", "..", "hack", "deploy"))
	require.NoError(t, err)
	return manifests
}

// usesOf makes up an audit log in which everything that is granted was used once.
func usesOf(t *testing.T, manifests Manifests) []Permission {
	t.Helper()
	granted, err := Granted(manifests)
	require.NoError(t, err)
	var used []Permission
	for _, permission := range granted {
		if permission.Name == "" {
			permission.Name = "any"
		}
		used = append(used, permission)
	}
	return used
}

// TestPermissionsAreChecked: every single change to what ships is found. That what
// ships is what is used is for the integration tests to say, which read the audit
// log; they try these changes, too.
func TestPermissionsAreChecked(t *testing.T) {
	manifests := load(t)
	used := usesOf(t, manifests)
	findings, err := CheckPermissions(manifests, used)
	require.NoError(t, err)
	require.Empty(t, findings.All(), "if this found something, the rest would prove nothing")

	alterations := Alterations(manifests)
	require.Greater(t, len(alterations), 100)
	for _, altered := range alterations {
		t.Run(altered.What, func(t *testing.T) {
			findings, err := CheckPermissions(altered.Manifests, used)
			require.NoError(t, err)
			require.Contains(t, strings.Join(findings.All(), "\n"), altered.Want)
		})
	}
}

func TestCheckPermissions(t *testing.T) {
	manifests := load(t)
	for name, test := range map[string]struct {
		reason string
		use    Permission
		want   string
	}{
		"another namespace": {
			reason: "a Role ends at its namespace",
			use:    Permission{Verb: "get", Resource: "secrets", Name: "x", Namespace: "default"},
			want:   "get secrets x in default",
		},
		"another lease": {
			reason: "the operator's own leases are in the same namespace",
			use:    Permission{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Name: "machine-config-controller", Namespace: ownNamespace},
			want:   "update leases.coordination.k8s.io machine-config-controller in " + ownNamespace,
		},
		"a subresource": {
			reason: "a permission on an object is none on its parts",
			use:    Permission{Verb: "patch", Group: "machineconfiguration.openshift.io", Resource: "machineconfigpools/scale", Name: "worker"},
			want:   "patch machineconfigpools/scale.machineconfiguration.openshift.io worker in the cluster",
		},
		"another group": {
			reason: "names of resources are not unique",
			use:    Permission{Verb: "get", Group: "config.openshift.io", Resource: "builds", Name: "cluster", Namespace: ownNamespace},
			want:   "get builds.config.openshift.io cluster in " + ownNamespace,
		},
	} {
		t.Run(name, func(t *testing.T) {
			findings, err := CheckPermissions(manifests, append(usesOf(t, manifests), test.use))
			require.NoError(t, err)
			require.Equal(t, []string{test.want}, findings.Missing, test.reason)
			require.Empty(t, findings.Unneeded)
		})
	}
}
