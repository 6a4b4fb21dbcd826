package doctor

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// TestPermissionsAreThoseThatShip: what is asked for is what the manifest grants.
func TestPermissionsAreThoseThatShip(t *testing.T) {
	manifest, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "hack", "deploy", "rbac.yaml"))
	require.NoError(t, err)
	var granted []Permission
	documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
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
							granted = append(granted, Permission{Namespace: role.Namespace, Group: group, Resource: resource, Name: name, Verb: verb})
						}
					}
				}
			}
		}
	}
	require.NotEmpty(t, granted)
	require.ElementsMatch(t, granted, Permissions())
}

// TestEveryPermissionIsMissed: none of them is asked for in vain.
func TestEveryPermissionIsMissed(t *testing.T) {
	for _, permission := range Permissions() {
		w := newWorld()
		w.Denied = []Permission{permission}
		findings := Examine(w.Objects)
		require.Len(t, findings, 1)
		require.Contains(t, findings[0].Problem, "may not "+permission.Verb+" "+permission.Resource+" ")
	}
}
