package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// look runs a command of the binary as an administrator would.
func look(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return lookAs(t, shared.cluster.KubeconfigPath(), args...)
}

func lookAs(t *testing.T, kubeconfig string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), shared.binary(), append(args, "--kubeconfig", kubeconfig)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	t.Logf("$ machine-config-controller %s\n%s%s(exit code %d)", strings.Join(args, " "), out.String(), errs.String(), code)
	return out.String(), errs.String(), code
}

// requireRow checks the beginning of a pool's row.
func requireRow(t *testing.T, table, pool string, cells ...string) {
	t.Helper()
	pattern := `(?m)^` + pool
	for _, cell := range cells {
		pattern += `\s{2,}` + cell
	}
	require.Regexp(t, pattern, table)
}

// watcher is a running status --watch.
type watcher struct {
	t      *testing.T
	cmd    *exec.Cmd
	mu     sync.Mutex
	text   bytes.Buffer
	exited chan error
}

// Write implements io.Writer.
func (w *watcher) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(text)
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func startWatcher(t *testing.T, args ...string) *watcher {
	t.Helper()
	w := &watcher{t: t, exited: make(chan error, 1)}
	w.cmd = exec.Command(shared.binary(), append([]string{"status", "--watch", "--kubeconfig", shared.cluster.KubeconfigPath()}, args...)...)
	w.cmd.Stdout, w.cmd.Stderr = w, w
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, w.cmd.Start())
	go func() { w.exited <- w.cmd.Wait() }()
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	return w
}

// await waits for a row, and fails with all that was written.
func (w *watcher) await(pattern string) {
	w.t.Helper()
	expression := regexp.MustCompile(`(?m)^` + pattern)
	deadline := time.After(soon)
	for !expression.MatchString(w.String()) {
		select {
		case <-time.After(20 * time.Millisecond):
		case err := <-w.exited:
			require.Fail(w.t, "status --watch ended", "%v\n%s", err, w)
		case <-deadline:
			require.Fail(w.t, "there is no such row", "%s\n%s", pattern, w)
		}
	}
}

// interrupt is Ctrl-C.
func (w *watcher) interrupt() {
	w.t.Helper()
	require.NoError(w.t, w.cmd.Process.Signal(syscall.SIGINT))
	select {
	case err := <-w.exited:
		require.NoError(w.t, err, "Ctrl-C is how a watch ends well")
	case <-time.After(soon):
		require.Fail(w.t, "Ctrl-C does not end it")
	}
}

// makeStuck has the pool say what the controller says two minutes after a Build was
// created. Nobody can set the creation of a Build back, and the controller, which would
// put it right, has to be gone.
func makeStuck(t *testing.T, pool string) {
	t.Helper()
	p := getPool(t, pool)
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if c.Type == mcfgv1.MachineConfigPoolBuildPending {
			c.Reason = "BuildStuck"
			c.Message = strings.Replace(c.Message, "is created and waits to run", "has not begun to run within 2m0s (NoReasonGiven)", 1)
		}
	}
	_, err := shared.mcfg.MachineconfigurationV1().MachineConfigPools().UpdateStatus(t.Context(), p, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// playBuilds has the Builds of pools go as scripted; those of others succeed at once.
func playBuilds(t *testing.T, scripts map[string]buildrunner.Script) {
	t.Helper()
	shared.script.Decide(func(job buildrunner.Job) buildrunner.Script {
		for pool, script := range scripts {
			if strings.HasPrefix(job.Name, "machine-os-"+pool+"-") {
				return script
			}
		}
		return buildrunner.Script{}
	})
	t.Cleanup(succeedAtOnce)
}

// TestStatusAndDoctor: what an administrator sees of a healthy, a building, a failed, a
// stuck and a misconfigured pool.
func TestStatusAndDoctor(t *testing.T) {
	useSettings(t)
	freshRunner(t)
	release := make(chan struct{})
	playBuilds(t, map[string]buildrunner.Script{
		"building": {HoldRunning: release}, "stuck": {HoldPending: release},
		"failed": {Err: buildrunner.NewFailure(buildv1.StatusReasonDockerBuildFailed, nil), Log: "error: the recipe is wrong\n"},
	})
	// Whoever led before has given the lease back, perhaps so long ago that it is a finding.
	if err := shared.kube.CoordinationV1().Leases(devcluster.Namespace).Delete(t.Context(), deploy.Name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		require.NoError(t, err)
	}
	requireNobody(t)
	p := startBuildController(t)
	createPool(t, "healthy", createConfig(t))
	awaitReason(t, "healthy", "ImagePublished")
	w := startWatcher(t)
	w.await(`healthy\s+Published\s+ImagePublished\s`)

	spoilCustomContent(t, "misconfigured")
	for pool, reason := range map[string]string{"building": "BuildRunning", "failed": "BuildFailed", "stuck": "BuildCreated", "misconfigured": "CustomContentInvalid"} {
		createPool(t, pool, createConfig(t))
		awaitReason(t, pool, reason)
	}
	w.await(`building\s+Building\s+BuildRunning\s`)
	giveHistory(t, "building")
	requireControllerAtWork(t)

	noteRestart(t, shared.cluster.RestartAPIServer)
	p.stop()
	makeStuck(t, "stuck")
	patchPool(t, "healthy", `{"spec":{"configuration":{"name":"rendered-healthy-0"}}}`)
	w.await(`healthy\s+NotReported\s+ImagePublished, but of another config\s`)
	requireNoController(t)

	p = startBuildController(t)
	w.await(`healthy\s+Held\s+RenderedConfigMissing\s`)
	close(release)
	w.await(`building\s+Published\s+ImagePublished\s`)
	require.NoError(t, shared.mcfg.MachineconfigurationV1().MachineConfigPools().Delete(t.Context(), "building", metav1.DeleteOptions{}))
	w.await(`building\s+Deleted\s`)
	w.interrupt()
	t.Logf("$ machine-config-controller status --watch\n%s", w)
	p.stop()
}

// giveHistory has the pool remember that its builds take ten minutes.
func giveHistory(t *testing.T, pool string) {
	t.Helper()
	const annotation = "machineconfiguration.openshift.io/os-image-build"
	var record map[string]any
	require.NoError(t, json.Unmarshal([]byte(getPool(t, pool).Annotations[annotation]), &record))
	record["took"] = []int{600}
	text, err := json.Marshal(record)
	require.NoError(t, err)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{annotation: string(text)}}})
	require.NoError(t, err)
	patchPool(t, pool, string(patch))
}

// requireNobody: before anybody opted in.
func requireNobody(t *testing.T) {
	t.Helper()
	out, stderr, code := look(t, "status")
	require.Zero(t, code)
	require.Empty(t, out)
	require.Contains(t, stderr, "No MachineConfigPool opted in")
	_, stderr, code = look(t, "status", "no-such-pool")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, `"no-such-pool"`)
	out, _, code = look(t, "doctor")
	require.Zero(t, code)
	require.Contains(t, out, "nothing is wrong")
}

// spoilCustomContent writes custom content that cannot be built.
func spoilCustomContent(t *testing.T, pool string) {
	t.Helper()
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "machine-os-builder-custom-containerfile"},
		Data:       map[string]string{pool: "FROM configs AS final\nRUNS dnf install vim\n", "wroker": "FROM configs AS final\nRUN true\n"},
	}
	configMaps := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace)
	_, err := configMaps.Create(t.Context(), configMap, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = configMaps.Delete(context.Background(), configMap.Name, metav1.DeleteOptions{}) })
}

// requireControllerAtWork: what passes by itself is not complained of.
func requireControllerAtWork(t *testing.T) {
	t.Helper()
	out, stderr, code := look(t, "status")
	require.Equal(t, 2, code, "one build failed")
	require.Contains(t, stderr, "needs attention: failed (Failed)")
	requireRow(t, out, "healthy", "Published", "ImagePublished", `rendered-\S+`, "sha256:[0-9a-f]{12}…", `\d+s`, "-", "-")
	requireRow(t, out, "building", "Building", "BuildRunning", `rendered-\S+`, "-", `\d+s`, "1/4", "~10m")
	requireRow(t, out, "failed", "Failed", "BuildFailed", `rendered-\S+`, "-", `\d+s`, "1/4", "-")
	requireRow(t, out, "stuck", "Pending", "BuildCreated", `rendered-\S+`, "-", `\d+s`, "1/4", "-")
	requireRow(t, out, "misconfigured", "Held", "CustomContentInvalid", `rendered-\S+`, "-", `\d+s`, "-", "-")
	out, _, _ = look(t, "status", "-o", "wide", "failed")
	require.Regexp(t, `(?m)^failed .* machine-os-failed-[0-9a-f]{10}-1 +Build machine-os-failed`, out)

	out, _, code = look(t, "doctor")
	require.Equal(t, 2, code)
	require.Contains(t, out, "2 errors, 2 warnings")
	require.Contains(t, out, "LabelWithoutMachineOSConfig: is Degraded", "the cluster serves MachineOSConfigs")
	require.Contains(t, out, "MachineConfigPool failed\n    BuildFailed: ")
	require.Contains(t, out, `CustomContentInvalid: key misconfigured: line 2: there is no instruction "RUNS"`)
	require.Contains(t, out, `CustomContentUnused: has a key "wroker"`)
	require.NotContains(t, out, "dXNlcjpwYXNz", "the content of a Secret")
}

// requireNoController: the pools speak of the past, and that is told.
func requireNoController(t *testing.T) {
	t.Helper()
	out, stderr, code := look(t, "status")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "needs attention: failed (Failed), stuck (Stuck)")
	requireRow(t, out, "stuck", "Stuck", "BuildStuck")
	requireRow(t, out, "healthy", "NotReported", "ImagePublished, but of another config", "rendered-healthy-0", `sha256:[0-9a-f]{12}… \(old\)`)
	out, _, code = look(t, "doctor")
	require.Equal(t, 2, code)
	require.Contains(t, out, "BuildStuck: ")
	require.Contains(t, out, "RenderedConfigMissing: ")

	// The controller may ask for itself, and another account may do nothing.
	out, _, code = lookAs(t, shared.kubeconfig, "doctor")
	require.Equal(t, 2, code)
	require.NotContains(t, out, "permissions of ServiceAccount")
	require.NotContains(t, out, "PermissionMissing")
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "bare"}}
	_, err := shared.kube.CoreV1().ServiceAccounts(devcluster.Namespace).Create(t.Context(), account, metav1.CreateOptions{})
	require.NoError(t, err)
	out, _, code = look(t, "doctor", "--service-account", devcluster.Namespace+"/bare")
	require.Equal(t, 2, code)
	require.Contains(t, out, `may not get, list, watch, create, patch, delete builds (API group "build.openshift.io")`)
	bare, err := shared.cluster.Kubeconfig(t.Context(), devcluster.Namespace, "bare")
	require.NoError(t, err)
	_, stderr, code = lookAs(t, bare, "status")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "could not list MachineConfigPools")
}
