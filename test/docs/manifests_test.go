package docs

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
)

// deployDir has the manifests that ship.
var deployDir = filepath.Join(root, "hack", "deploy")

// TestPermissionsAreThoseThatShip: what is asked for is what the manifest grants.
func TestPermissionsAreThoseThatShip(t *testing.T) {
	var granted []doctor.Permission
	documents := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(read(t, deployDir, "rbac.yaml")), 4096)
	for {
		// Roles of either kind have the same fields.
		var role rbacv1.Role
		err := documents.Decode(&role)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						for _, name := range append(rule.ResourceNames, "")[:max(1, len(rule.ResourceNames))] {
							granted = append(granted, doctor.Permission{Namespace: role.Namespace, Group: group, Resource: resource, Name: name, Verb: verb})
						}
					}
				}
			}
		}
	}
	require.NotEmpty(t, granted)
	require.ElementsMatch(t, granted, doctor.Permissions())
}
