package integration

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

// mayReadMachineOS grants an account to do all with one of the two kinds, until the test ends.
func mayReadMachineOS(t *testing.T, account, resource string) {
	t.Helper()
	rbac, name := shared.kube.RbacV1(), account+"-"+resource
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{mcfgv1.GroupName}, Resources: []string{resource, resource + "/status"}, Verbs: []string{"*"},
	}}}
	_, err := rbac.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = rbac.ClusterRoles().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: devcluster.Namespace}}}
	_, err = rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = rbac.ClusterRoleBindings().Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

// TestMachineOSDenied: whoever may not list MachineOSConfigs and MachineOSBuilds serves pools
// with the label, and leaves those alone that had an image by a MachineOSConfig, which an event
// tells. Kind by kind the permissions come, and the latter are gone on with.
func TestMachineOSDenied(t *testing.T) {
	useJobs(t)
	first, second := createConfig(t), createConfig(t)
	unlabelled(t, "denied-mosc", first)
	_, err := machineOSConfig(t, "denied-mosc", func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = repository + ":latest" })
	require.NoError(t, err)
	p := startBuildController(t, machineOSGateOn, replaceBuilder)
	awaitMachineOSImage(t, "denied-mosc", first)
	p.stop()

	const account = "no-machine-os"
	kubeconfig := accountWithout(t, account, func(rule *rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(rule.Resources, func(r string) bool { return strings.HasPrefix(r, "machineos") })
	})
	wantConfig(t, "denied-mosc", second)
	startBuildController(t, machineOSGateOn, replaceBuilder, "--kubeconfig", kubeconfig)
	createPool(t, "denied-label", first)
	awaitImage(t, "denied-label", first)
	says := func(words string) bool {
		events, err := shared.kube.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=denied-mosc,reason=RequestRefused"})
		require.NoError(t, err)
		for i := range events.Items {
			if message := events.Items[i].Message; strings.Contains(message, words) && strings.Contains(message, "is forbidden") {
				return true
			}
		}
		return false
	}
	require.Eventually(t, func() bool { return says("MachineOSConfigs cannot be watched") }, soon, 50*time.Millisecond, "the pool that waits has no event")
	require.Equal(t, first, getPool(t, "denied-mosc").Annotations[configKey], "what it has stays, and is not built anew by other settings")

	mayReadMachineOS(t, account, "machineosconfigs")
	require.Eventually(t, func() bool { return says("MachineOSBuilds cannot be watched") }, time.Minute, 50*time.Millisecond, "the one kind that is missing is not told")
	wantConfig(t, "denied-label", second)
	awaitImage(t, "denied-label", second)
	require.Equal(t, first, getPool(t, "denied-mosc").Annotations[configKey])
	mayReadMachineOS(t, account, "machineosbuilds")
	awaitMachineOSImage(t, "denied-mosc", second)
}
