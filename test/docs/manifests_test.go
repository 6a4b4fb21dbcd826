package docs

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// deployDir has the manifests that ship.
var deployDir = filepath.Join(root, "hack", "deploy")

// TestPermissionsAreThoseThatShip: what is asked for is what the manifests grant.
func TestPermissionsAreThoseThatShip(t *testing.T) {
	backends := imagebuilder.Backends{openshift.Backend{}, job.Backend{}}
	require.ElementsMatch(t, grantedBy(t, "rbac.yaml"), doctor.Permissions(backends))
	require.ElementsMatch(t, grantedBy(t, filepath.Join("machine-os-configs", "rbac.yaml")), doctor.MachineOSPermissions())
}

// grantedBy is what the roles of a manifest grant.
func grantedBy(t *testing.T, manifest string) (granted []doctor.Permission) {
	t.Helper()
	documents := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(read(t, deployDir, manifest)), 4096)
	for {
		// Roles of either kind have the same fields.
		var role rbacv1.Role
		err := documents.Decode(&role)
		if errors.Is(err, io.EOF) {
			require.NotEmpty(t, granted)
			return granted
		}
		require.NoError(t, err)
		for _, rule := range role.Rules {
			granted = append(granted, permissionsOf(role.Namespace, &rule)...)
		}
	}
}

func permissionsOf(namespace string, rule *rbacv1.PolicyRule) (permissions []doctor.Permission) {
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				for _, name := range append(rule.ResourceNames, "")[:max(1, len(rule.ResourceNames))] {
					permissions = append(permissions, doctor.Permission{Namespace: namespace, Group: group, Resource: resource, Name: name, Verb: verb})
				}
			}
		}
	}
	return permissions
}

// TestShippedGracePeriod: who is told to stop is not killed before it had the time
// that it gives itself.
func TestShippedGracePeriod(t *testing.T) {
	var deployment appsv1.Deployment
	require.NoError(t, utilyaml.UnmarshalStrict([]byte(read(t, deployDir, "deployment.yaml")), &deployment))
	config := build.DefaultConfig()
	grace := time.Duration(*deployment.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	require.Greater(t, grace, config.DrainTimeout+config.CallTimeout, "the drain, the call that is under way, and then the lease")
}

// TestExampleSettings: who creates the example as it is has made no mistake.
func TestExampleSettings(t *testing.T) {
	var example corev1.ConfigMap
	require.NoError(t, utilyaml.UnmarshalStrict([]byte(read(t, deployDir, "example-config.yaml")), &example))
	require.Equal(t, inputs.ConfigMapObject, "ConfigMap "+example.Name)
	require.Equal(t, ctrlcommon.MCONamespace, example.Namespace)
	require.Empty(t, inputs.UnknownKeys(&example))
	_, problems := inputs.ReadSettings(&example)
	require.Empty(t, problems)
}
