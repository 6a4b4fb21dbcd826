package devcluster

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func (f *fixture) testPools(t *testing.T) {
	ctx := t.Context()
	pools := f.mcfg.MachineconfigurationV1().MachineConfigPools()
	created, err := pools.Create(ctx, pool("worker"), createOptions)
	require.NoError(t, err)
	require.Equal(t, "rendered-worker-1", created.Spec.Configuration.Name)

	condition := mcfgv1.MachineConfigPoolCondition{
		Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue, Reason: "Testing", LastTransitionTime: metav1.Now().Rfc3339Copy(),
	}
	t.Run("status is a subresource", func(t *testing.T) {
		changed := created.DeepCopy()
		changed.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{condition}
		updated, err := pools.Update(ctx, changed, updateOptions)
		require.NoError(t, err)
		require.Empty(t, updated.Status.Conditions, "an update of the main resource does not touch status")

		changed.ResourceVersion = updated.ResourceVersion
		updated, err = pools.UpdateStatus(ctx, changed, updateOptions)
		require.NoError(t, err)
		require.Len(t, updated.Status.Conditions, 1)
	})
	t.Run("patch with an old resource version is a conflict", func(t *testing.T) {
		patch := func(resourceVersion string) error {
			body, err := json.Marshal(map[string]any{
				"metadata": map[string]any{"resourceVersion": resourceVersion},
				"status":   map[string]any{"conditions": []mcfgv1.MachineConfigPoolCondition{condition}},
			})
			require.NoError(t, err)
			_, err = pools.Patch(ctx, "worker", types.MergePatchType, body, patchOptions, "status")
			return err
		}
		require.True(t, apierrors.IsConflict(patch(created.ResourceVersion)))
		current, err := pools.Get(ctx, "worker", getOptions)
		require.NoError(t, err)
		require.NoError(t, patch(current.ResourceVersion))
	})
	require.NoError(t, pools.Delete(ctx, "worker", deleteOptions))
}

func (f *fixture) testGarbageCollection(t *testing.T) {
	ctx := t.Context()
	pools := f.mcfg.MachineconfigurationV1().MachineConfigPools()
	owner, err := pools.Create(ctx, pool("owner"), createOptions)
	require.NoError(t, err)

	build := dockerBuild("owned")
	build.OwnerReferences = ownedBy(owner)
	_, err = f.build.BuildV1().Builds(Namespace).Create(ctx, build, createOptions)
	require.NoError(t, err)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "owned", OwnerReferences: ownedBy(owner)}}
	_, err = f.kube.CoreV1().Secrets(Namespace).Create(ctx, secret, createOptions)
	require.NoError(t, err)
	bystander := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "bystander-"}}
	bystander, err = f.kube.CoreV1().Secrets(Namespace).Create(ctx, bystander, createOptions)
	require.NoError(t, err)

	require.NoError(t, pools.Delete(ctx, "owner", deleteOptions))
	eventually(t, "the build must go with its pool", func(ctx context.Context) (bool, error) {
		return gone(f.build.BuildV1().Builds(Namespace).Get(ctx, "owned", getOptions))
	})
	eventually(t, "the secret must go with its pool", func(ctx context.Context) (bool, error) {
		return gone(f.kube.CoreV1().Secrets(Namespace).Get(ctx, "owned", getOptions))
	})
	_, err = f.kube.CoreV1().Secrets(Namespace).Get(ctx, bystander.Name, getOptions)
	require.NoError(t, err)
}

func (f *fixture) testNamespaceDeletion(t *testing.T) {
	ctx := t.Context()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "short-lived"}}
	_, err := f.kube.CoreV1().Namespaces().Create(ctx, namespace, createOptions)
	require.NoError(t, err)
	_, err = f.build.BuildV1().Builds("short-lived").Create(ctx, &buildv1.Build{
		ObjectMeta: metav1.ObjectMeta{Name: "inside"},
		Spec:       dockerBuild("inside").Spec,
	}, createOptions)
	require.NoError(t, err)
	require.NoError(t, f.kube.CoreV1().Namespaces().Delete(ctx, "short-lived", deleteOptions))
	eventually(t, "the namespace must go with all that is in it", func(ctx context.Context) (bool, error) {
		return gone(f.kube.CoreV1().Namespaces().Get(ctx, "short-lived", getOptions))
	})
}

func gone(object any, err error) (bool, error) {
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("could not look for %T: %w", object, err)
	}
	return false, nil
}
