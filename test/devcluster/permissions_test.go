package devcluster

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func (f *fixture) testPermissions(t *testing.T) {
	ctx := t.Context()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "tenant"}}
	_, err := f.kube.CoreV1().ServiceAccounts(Namespace).Create(ctx, account, createOptions)
	require.NoError(t, err)
	path, err := f.Kubeconfig(ctx, Namespace, "tenant")
	require.NoError(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err)
	config.QPS = -1
	kube, builds := kubernetes.NewForConfigOrDie(config), buildclientset.NewForConfigOrDie(config).BuildV1().Builds(Namespace)

	t.Run("service account without rights", func(t *testing.T) {
		_, err := kube.CoreV1().Secrets(Namespace).List(ctx, listOptions)
		require.True(t, apierrors.IsForbidden(err), "got %v", err)
		require.ErrorContains(t, err, "system:serviceaccount:"+Namespace+":tenant")
		_, err = builds.Create(ctx, dockerBuild("forbidden"), createOptions)
		require.True(t, apierrors.IsForbidden(err), "got %v", err)
	})
	t.Run("unknown service account", func(t *testing.T) {
		_, err := f.Kubeconfig(ctx, Namespace, "nobody")
		require.True(t, apierrors.IsNotFound(err), "got %v", err)
	})
	t.Run("builds need the permission to use the strategy", func(t *testing.T) {
		f.grant(t, "tenant", rbacv1.PolicyRule{APIGroups: []string{"build.openshift.io"}, Resources: []string{"builds"}, Verbs: []string{"*"}})
		eventually(t, "the role must come into force, and not be enough", func(ctx context.Context) (bool, error) {
			_, err := builds.Create(ctx, dockerBuild("strategy"), createOptions)
			require.True(t, apierrors.IsForbidden(err), "got %v", err)
			return isStrategyProblem(err), nil
		})
		f.grant(t, "tenant", rbacv1.PolicyRule{APIGroups: []string{"build.openshift.io"}, Resources: []string{"builds/optimizeddocker"}, Verbs: []string{"create"}})
		eventually(t, "both roles must be enough", func(ctx context.Context) (bool, error) {
			_, err := builds.Create(ctx, dockerBuild("strategy"), createOptions)
			return err == nil, nil
		})
		_, err := builds.Patch(ctx, "strategy", types.MergePatchType, []byte(`{"status":{"cancelled":true}}`), patchOptions)
		require.NoError(t, err)

		plain := dockerBuild("plain")
		plain.Spec.Strategy.DockerStrategy.ImageOptimizationPolicy = nil
		_, err = builds.Create(ctx, plain, createOptions)
		require.True(t, isStrategyProblem(err), "without optimization it is another permission: %v", err)
	})
	t.Run("user by certificate", func(t *testing.T) {
		config, err := f.RESTConfigFor("somebody", "some-group")
		require.NoError(t, err)
		_, err = kubernetes.NewForConfigOrDie(config).CoreV1().Namespaces().List(ctx, listOptions)
		require.ErrorContains(t, err, `User "somebody" cannot list resource "namespaces"`)
	})
	t.Run("audit log", func(t *testing.T) {
		eventually(t, "the denied request must be in the audit log", func(context.Context) (bool, error) {
			for _, event := range f.auditEvents(t) {
				require.NotEqual(t, controllersUser, event.User.Username)
				if event.User.Username == "system:serviceaccount:"+Namespace+":tenant" && event.Verb == "list" &&
					event.ObjectRef.Resource == "secrets" && event.ResponseStatus.Code == 403 {
					return true, nil
				}
			}
			return false, nil
		})
	})
}

func isStrategyProblem(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "build strategy Docker is not allowed")
}

func (f *fixture) grant(t *testing.T, account string, rule rbacv1.PolicyRule) {
	t.Helper()
	role, err := f.kube.RbacV1().Roles(Namespace).Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{GenerateName: account + "-"},
		Rules:      []rbacv1.PolicyRule{rule},
	}, createOptions)
	require.NoError(t, err)
	_, err = f.kube.RbacV1().RoleBindings(Namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: Namespace, Name: account}},
	}, createOptions)
	require.NoError(t, err)
}

func (f *fixture) auditEvents(t *testing.T) []auditv1.Event {
	t.Helper()
	file, err := os.Open(f.AuditLogPath())
	require.NoError(t, err)
	defer file.Close()
	var events []auditv1.Event
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditv1.Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &event))
		events = append(events, event)
	}
	require.NoError(t, lines.Err())
	return events
}
