package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// renderBuild looks at a pool under the permissions that ship.
func renderBuild(t *testing.T, pool string, flags ...string) (report map[string]any, text string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := append([]string{"render-build", "--kubeconfig", shared.kubeconfig, "--pool", pool, "-o", "json"}, flags...)
	cmd := exec.CommandContext(t.Context(), shared.binary(), args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	require.NotEqual(t, 1, code, stderr.String())
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	return report, stdout.String() + stderr.String(), code
}

// TestRenderBuild: what is foretold is what comes, and looking leaves nothing behind.
func TestRenderBuild(t *testing.T) {
	config := createConfig(t)
	createPool(t, "rendered", config)
	createSettings(t)
	report, text, code := renderBuild(t, "rendered", "--server-dry-run")
	require.Equal(t, 3, code, text)
	require.Equal(t, "SecretMissing", report["reason"])
	require.Contains(t, text, "Secret push")

	createSecret(t, "push")
	report, text, code = renderBuild(t, "rendered", "--server-dry-run", "--diff")
	require.Equal(t, 2, code, text)
	require.Contains(t, text, "no published image")
	require.NotContains(t, text, "dXNlcjpwYXNz", "the content of a Secret")
	answers := report["serverDryRun"].(map[string]any)["answers"].([]any)
	require.Len(t, answers, 4, "the record and the status of the pool, a Secret and a Build")
	for _, answer := range answers {
		require.Equal(t, true, answer.(map[string]any)["accepted"], text)
	}
	require.Empty(t, ourBuilds(t, "rendered"), "nothing is kept of a dry run")
	require.Zero(t, inputSecrets(t), "nothing is kept of a dry run")

	startBuildController(t)
	awaitImage(t, "rendered", config)
	builds := ourBuilds(t, "rendered")
	require.Len(t, builds, 1)
	require.Equal(t, report["fingerprint"], builds[0].Annotations["machineconfiguration.openshift.io/fingerprint"], "this is what was foretold")
	require.Equal(t, report["containerfile"], *builds[0].Spec.Source.Dockerfile)
	after, text, code := renderBuild(t, "rendered", "--diff", "--server-dry-run")
	require.Zero(t, code, text)
	require.Equal(t, "ImagePublished", after["reason"])
	require.Contains(t, text, "unchanged: custom content")
	require.Contains(t, text, "nothing is to be created")
}

// TestRenderBuildQuota: whether the server would refuse is only known to the server.
func TestRenderBuildQuota(t *testing.T) {
	useSettings(t)
	createPool(t, "over-quota", createConfig(t))
	quotas := shared.kube.CoreV1().ResourceQuotas(devcluster.Namespace)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "no-secrets"}}
	quota.Spec.Hard = corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	quota, err := quotas.Create(t.Context(), quota, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = quotas.Delete(context.Background(), quota.Name, metav1.DeleteOptions{}) })
	// There is no controller that would count what is used.
	quota.Status.Hard = quota.Spec.Hard
	quota.Status.Used = corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	_, err = quotas.UpdateStatus(t.Context(), quota, metav1.UpdateOptions{})
	require.NoError(t, err)

	var report map[string]any
	var text string
	require.Eventually(t, func() bool {
		var code int
		report, text, code = renderBuild(t, "over-quota", "--server-dry-run")
		return code == 3
	}, soon, 100*time.Millisecond, "the quota has no effect")
	require.Equal(t, "BuilderRefused", report["reason"], text)
	require.Contains(t, text, "exceeded quota: no-secrets")
	require.NotContains(t, text, "dXNlcjpwYXNz", "the content of a Secret")
}
