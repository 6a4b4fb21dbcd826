package integration

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/program"
)

// awaitWords waits, for a minute, until the pool says all of that.
func awaitWords(t *testing.T, pool string, words ...string) {
	t.Helper()
	var message string
	says := func() bool {
		_, message = condition(t, getPool(t, pool))
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(message, word) })
	}
	if !assert.Eventually(t, says, time.Minute, 50*time.Millisecond, "pool %s does not say %q", pool, words) {
		require.Fail(t, "it says "+message)
	}
}

// noPods sets a quota of no pods. Nobody counts what is used, so that is written as well.
func noPods(t *testing.T) (lift func()) {
	t.Helper()
	none := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	quotas := shared.kube.CoreV1().ResourceQuotas(devcluster.Namespace)
	quota, err := quotas.Create(t.Context(), &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "no-pods"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}, metav1.CreateOptions{})
	require.NoError(t, err)
	lift = func() { _ = quotas.Delete(context.Background(), quota.Name, metav1.DeleteOptions{}) }
	t.Cleanup(lift)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	_, err = quotas.UpdateStatus(t.Context(), quota, metav1.UpdateOptions{})
	require.NoError(t, err)
	return lift
}

// TestJobsWaitForQuota: there is no pod that could say why there is none.
func TestJobsWaitForQuota(t *testing.T) {
	useJobs(t)
	startBuildController(t)
	// One that is refused shows that the API server knows of the quota.
	lift := noPods(t)
	require.Eventually(t, func() bool {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "any"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "any", Image: "any"}}}}
		_, err := shared.kube.CoreV1().Pods(devcluster.Namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), "exceeded quota")
	}, soon, 100*time.Millisecond, "the quota has no effect")
	config := createConfig(t)
	createPool(t, "quota-of-pods", config)
	awaitWords(t, "quota-of-pods", "FailedCreate", "exceeded quota: no-pods")
	lift()
	awaitImageLate(t, "quota-of-pods", config)
}

// awaitImageLate gives the Job controller the minute after which it tries again.
func awaitImageLate(t *testing.T, pool, config string) {
	t.Helper()
	require.Eventually(t, func() bool { return getPool(t, pool).Annotations[configKey] == config }, 2*time.Minute, 50*time.Millisecond, "pool %s gets no image of %s", pool, config)
}

// TestJobsWaitForMounts: of a Secret that is not there the node tells in an event alone.
func TestJobsWaitForMounts(t *testing.T) {
	useJobsWithoutNode(t)
	startBuildController(t)
	config := createConfig(t)
	createPool(t, "no-mount", config)
	// A node that ran before may be there, and says nothing.
	require.Eventually(t, func() bool { return len(jobsOf(t, "no-mount")) == 1 }, soon, 50*time.Millisecond, "there is no Job")
	secrets := shared.kube.CoreV1().Secrets(devcluster.Namespace)
	require.NoError(t, secrets.Delete(t.Context(), "push", metav1.DeleteOptions{}))
	startPlayedNode(t, &builder{})
	awaitWords(t, "no-mount", "FailedMount", `secret "push" not found`)
	createSecret(t, "push")
	awaitImageLate(t, "no-mount", config)
}

// TestBlindForJobs: who may watch neither pods nor events still serves pools by Builds, and
// those by Jobs come to an end; what is not known, and why, is told.
func TestBlindForJobs(t *testing.T) {
	useJobs(t)
	lift := noPods(t)
	kubeconfig := withoutPods(t)
	startBuildController(t, "--kubeconfig", kubeconfig)
	createPool(t, "blind", createConfig(t))
	awaitWords(t, "blind", "PodsUnknown", "the pods of Jobs cannot be watched", "is forbidden")
	lift()
	// What the image is the registry is asked for then, which there is none.
	awaitWords(t, "blind", "has come to an end")

	patch := `{"data":{"imageBuilder":"OpenShiftBuild"}}`
	_, err := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace).Patch(t.Context(), "machine-os-builder-config", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
	config := createConfig(t)
	createPool(t, "not-blind", config)
	awaitImage(t, "not-blind", config)
}

// withoutPods makes a service account that may do what the controller's may, but for watching
// withoutPods is the kubeconfig of an account that may do what the controller may, but
// watch pods and events.
func withoutPods(t *testing.T) (kubeconfig string) {
	t.Helper()
	return accountWithout(t, "blind", func(rule *rbacv1.PolicyRule) bool {
		return slices.Contains(rule.Verbs, "watch") && (slices.Contains(rule.Resources, "pods") || slices.Contains(rule.Resources, "events"))
	})
}

// accountWithout is the kubeconfig of an account that may do what the controller may, but for
// those rules.
func accountWithout(t *testing.T, name string, lacks func(*rbacv1.PolicyRule) bool) (kubeconfig string) {
	t.Helper()
	ctx := t.Context()
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: devcluster.Namespace}}
	isOurs := func(subjects []rbacv1.Subject) bool {
		return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool { return s.Name == program.ServiceAccount })
	}
	left := func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
		return slices.DeleteFunc(rules, func(rule rbacv1.PolicyRule) bool { return lacks(&rule) })
	}
	_, err := shared.kube.CoreV1().ServiceAccounts(devcluster.Namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	rbac := shared.kube.RbacV1()
	ofCluster, err := rbac.ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	for _, binding := range ofCluster.Items {
		if !isOurs(binding.Subjects) {
			continue
		}
		role, err := rbac.ClusterRoles().Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
		require.NoError(t, err)
		made := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name + "-" + role.Name}, Rules: left(role.Rules)}
		_, err = rbac.ClusterRoles().Create(ctx, made, metav1.CreateOptions{})
		require.NoError(t, err)
		bound := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: made.Name}, RoleRef: binding.RoleRef, Subjects: subjects}
		bound.RoleRef.Name = made.Name
		_, err = rbac.ClusterRoleBindings().Create(ctx, bound, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	bindings, err := rbac.RoleBindings("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	for _, binding := range bindings.Items {
		if !isOurs(binding.Subjects) {
			continue
		}
		role, err := rbac.Roles(binding.Namespace).Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
		require.NoError(t, err)
		made := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name + "-" + role.Name}, Rules: left(role.Rules)}
		_, err = rbac.Roles(binding.Namespace).Create(ctx, made, metav1.CreateOptions{})
		require.NoError(t, err)
		bound := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: made.Name}, RoleRef: binding.RoleRef, Subjects: subjects}
		bound.RoleRef.Name = made.Name
		_, err = rbac.RoleBindings(binding.Namespace).Create(ctx, bound, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	kubeconfig, err = shared.cluster.Kubeconfig(ctx, devcluster.Namespace, name)
	require.NoError(t, err)
	return kubeconfig
}
