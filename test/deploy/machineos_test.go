package deploy

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func loadWithMachineOSConfigs(t *testing.T) Manifests {
	t.Helper()
	overlay := t.TempDir()
	require.NoError(t, WriteOverlay(overlay, filepath.Join("..", "..", "hack", "deploy"), MachineOSConfigs))
	manifests, err := Load(overlay)
	require.NoError(t, err)
	return manifests
}

// TestMachineOSConfigsComponent: with the component, the Deployment differs in the feature gate
// and the flag alone, and there are its roles beside what ships.
func TestMachineOSConfigsComponent(t *testing.T) {
	before, after := load(t), loadWithMachineOSConfigs(t)
	args, err := before.ControllerArgs()
	require.NoError(t, err)
	changed, err := after.ControllerArgs()
	require.NoError(t, err)
	const gate, gates = "--feature-gates=OnClusterBuild=true", "--feature-gates=OnClusterBuild=true,MachineOSConfigs=true"
	at := slices.Index(args, gate)
	require.Positive(t, at, "the component replaces it, by its place")
	args[at] = gates
	require.Equal(t, append(args, "--replace-machine-os-builder"), changed)

	is, err := after.Deployment()
	require.NoError(t, err)
	was, err := before.Deployment()
	require.NoError(t, err)
	is.Spec.Template.Spec.Containers[0].Args = was.Spec.Template.Spec.Containers[0].Args
	require.Equal(t, was, is, "nothing else of it is touched")

	var more []string
	for _, object := range after {
		where := object.GetKind() + " " + object.GetName()
		if slices.ContainsFunc(before, func(o *unstructured.Unstructured) bool { return where == o.GetKind()+" "+o.GetName() }) {
			continue
		}
		more = append(more, object.GetKind())
		require.True(t, strings.HasPrefix(object.GetName(), Name), "%s may be somebody else's", where)
		require.Equal(t, Name, object.GetLabels()["k8s-app"], where)
	}
	require.ElementsMatch(t, []string{"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}, more)
	require.Len(t, after, len(before)+len(more), "nothing is lost")
}

// TestMachineOSConfigsPermissions: the component grants what the API takes and the lease of the
// operator's own builder, and without it none of that is granted.
func TestMachineOSConfigsPermissions(t *testing.T) {
	manifests := loadWithMachineOSConfigs(t)
	findings, err := CheckPermissions(manifests, usesOf(t, manifests))
	require.NoError(t, err)
	require.Empty(t, findings.All())

	before, err := Granted(load(t))
	require.NoError(t, err)
	after, err := Granted(manifests)
	require.NoError(t, err)
	var more []string
	for _, permission := range after {
		if !slices.Contains(before, permission) {
			more = append(more, permission.String())
		}
	}
	require.ElementsMatch(t, []string{
		"list machineosconfigs.machineconfiguration.openshift.io in the cluster",
		"watch machineosconfigs.machineconfiguration.openshift.io in the cluster",
		"patch machineosconfigs.machineconfiguration.openshift.io in the cluster",
		"patch machineosconfigs/status.machineconfiguration.openshift.io in the cluster",
		"list machineosbuilds.machineconfiguration.openshift.io in the cluster",
		"watch machineosbuilds.machineconfiguration.openshift.io in the cluster",
		"create machineosbuilds.machineconfiguration.openshift.io in the cluster",
		"patch machineosbuilds.machineconfiguration.openshift.io in the cluster",
		"delete machineosbuilds.machineconfiguration.openshift.io in the cluster",
		"patch machineosbuilds/status.machineconfiguration.openshift.io in the cluster",
		"get leases.coordination.k8s.io machine-os-builder in " + ownNamespace,
		"update leases.coordination.k8s.io machine-os-builder in " + ownNamespace,
	}, more)
}
