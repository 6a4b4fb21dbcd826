package devcluster

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// TestWorkloads shows that Jobs are real where they are asked for: the controller makes a pod, and the scheduler says why it waits.
func TestWorkloads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	began := time.Now()
	cluster, err := Start(ctx, Options{Dir: t.TempDir(), Workloads: true, LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
	client := kubernetes.NewForConfigOrDie(cluster.RESTConfig())

	eventually(t, "service account and CA certificate of the namespace", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().ServiceAccounts(Namespace).Get(ctx, "default", getOptions)
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		require.NoError(t, err)
		_, err = client.CoreV1().ConfigMaps(Namespace).Get(ctx, "kube-root-ca.crt", getOptions)
		return err == nil, nil
	})
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "build"},
		Spec: batchv1.JobSpec{BackoffLimit: ptr.To(int32(0)), Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "build", Image: "registry.invalid/builder:1"}},
		}}},
	}
	_, err = client.BatchV1().Jobs(Namespace).Create(ctx, job, createOptions)
	require.NoError(t, err)
	var pod *corev1.Pod
	eventually(t, "a pod that waits for a node", func(ctx context.Context) (bool, error) {
		pods, err := client.CoreV1().Pods(Namespace).List(ctx, listOptions)
		if err != nil || len(pods.Items) != 1 {
			return false, err
		}
		pod = &pods.Items[0]
		return len(pod.Status.Conditions) > 0, nil
	})
	require.Equal(t, corev1.PodScheduled, pod.Status.Conditions[0].Type)
	require.Equal(t, corev1.PodReasonUnschedulable, pod.Status.Conditions[0].Reason)
	require.Equal(t, "no nodes available to schedule pods", pod.Status.Conditions[0].Message)

	patch := []byte(`{"spec":{"suspend":true}}`)
	_, err = client.BatchV1().Jobs(Namespace).Patch(ctx, "build", "application/merge-patch+json", patch, patchOptions)
	require.NoError(t, err)
	eventually(t, "suspension must take the pod away", func(ctx context.Context) (bool, error) {
		pods, err := client.CoreV1().Pods(Namespace).List(ctx, listOptions)
		return err == nil && len(pods.Items) == 0, err
	})
	config, err := cluster.RESTConfigFor("system:node:other", "system:nodes")
	require.NoError(t, err)
	_, err = kubernetes.NewForConfigOrDie(config).CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "mine"}}, createOptions)
	require.True(t, apierrors.IsForbidden(err), "a node speaks for itself only: %v", err)
}
