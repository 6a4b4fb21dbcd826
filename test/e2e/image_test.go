package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/program"
)

// controllerImage is the controller's own image, unpacked.
type controllerImage struct {
	config struct {
		User       string
		Entrypoint []string
		Labels     map[string]string
	}
	root string
}

// buildControllerImage runs `make image`, with a storage of its own.
func buildControllerImage(t *testing.T) controllerImage {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("building images needs root")
	}
	storage := t.TempDir()
	buildah := []string{"buildah", "--root", filepath.Join(storage, "root"), "--runroot", filepath.Join(storage, "runroot"), "--storage-driver", "vfs"}
	const name = "localhost/controller:test"
	build := exec.CommandContext(t.Context(), "make", "image", "IMAGE="+name, "BUILDAH="+strings.Join(buildah, " "))
	build.Dir, build.Stdout, build.Stderr = root, t.Output(), t.Output()
	require.NoError(t, build.Run())

	run := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), buildah[0], append(buildah[1:], args...)...)
		cmd.Stderr = t.Output()
		output, err := cmd.Output()
		require.NoError(t, err, "buildah %s", strings.Join(args, " "))
		return output
	}
	var inspected struct {
		OCIv1 struct {
			Config json.RawMessage `json:"config"`
		}
	}
	require.NoError(t, json.Unmarshal(run("inspect", "--type", "image", name), &inspected))
	var image controllerImage
	require.NoError(t, json.Unmarshal(inspected.OCIv1.Config, &image.config))
	container := strings.TrimSpace(string(run("from", name)))
	image.root = strings.TrimSpace(string(run("mount", container)))
	return image
}

// command runs the image's entrypoint in a mount namespace in which the image is all
// there is, read-only, but for the given directories; as the image's user, without
// capabilities, and without a way to gain any.
func (i controllerImage) command(t *testing.T, mounts map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -e\nmount --bind \"$0\" \"$0\"\n")
	for inside, outside := range mounts {
		// As a container runtime does, which finds the place or makes it.
		require.NoError(t, os.MkdirAll(filepath.Join(i.root, inside), 0o755))
		script.WriteString("mount --bind -o ro '" + outside + "' \"$0\"'" + inside + "'\n")
	}
	script.WriteString("mount -o remount,ro,bind \"$0\"\nexec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid chroot --userspec=" +
		i.config.User + " --groups= \"$0\" \"$@\"\n")
	sh := append([]string{"--mount", "sh", "-c", script.String(), i.root}, i.config.Entrypoint...)
	return exec.CommandContext(t.Context(), "unshare", append(sh, args...)...)
}

// TestControllerImage: what `make image` makes runs as hack/deploy has it run: as a
// user without rights on a root file system that cannot be written to, with the
// Deployment's flags, and with no other access to the cluster than what a pod is
// given.
func TestControllerImage(t *testing.T) {
	image := buildControllerImage(t)
	require.Equal(t, "65532:65532", image.config.User, "a number, which can be told from root")
	require.Equal(t, []string{"/usr/bin/machine-config-controller"}, image.config.Entrypoint)

	output, err := image.command(t, nil, "version").CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), image.config.Labels["org.opencontainers.image.version"])
	require.NotEmpty(t, image.config.Labels["org.opencontainers.image.revision"])
	require.Contains(t, string(output), image.config.Labels["org.opencontainers.image.revision"])
	// What is claimed of how it runs, seen from inside.
	output, err = image.command(t, nil, "start", "--bind-address=127.0.0.1:0", "--log_file=/written", "--logtostderr=false").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "read-only file system")

	cluster, err := devcluster.Start(t.Context(), devcluster.Options{Dir: filepath.Join(t.TempDir(), "cluster"), LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	manifest, err := deploy.Render(filepath.Join(root, "hack", "deploy"))
	require.NoError(t, err)
	require.NoError(t, cluster.Apply(t.Context(), manifest))
	manifests, err := deploy.Load(filepath.Join(root, "hack", "deploy"))
	require.NoError(t, err)
	args, err := manifests.ControllerArgs()
	require.NoError(t, err)

	const inside = "/var/run/secrets/kubernetes.io/serviceaccount"
	token, environment := serviceAccountOf(t, cluster)
	controller := image.command(t, map[string]string{inside: token}, append(args, "--bind-address=127.0.0.1:0", "--health-bind-address=127.0.0.1:0")...)
	controller.Env = environment
	log, err := os.Create(filepath.Join(t.TempDir(), "controller.log"))
	require.NoError(t, err)
	defer log.Close()
	controller.Stdout, controller.Stderr = log, log
	controller.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, controller.Start())
	serving := regexp.MustCompile(`"Serving health" address="([^"]+)"`)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		match := serving.FindSubmatch(text)
		if match == nil || !strings.Contains(string(text), "Starting BuildController") {
			return false
		}
		response, err := http.Get("http://" + string(match[1]) + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond, "it does not come to lead, or its caches do not fill; its log is %s", log.Name())

	// Every exec on the way left the number of the process as it was.
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(controller.Process.Pid), "status"))
	require.NoError(t, err)
	for _, line := range []string{`Uid:\t65532\t65532\t65532\t65532\n`, `Groups:\t ?\n`, `CapEff:\t0000000000000000\n`, `CapPrm:\t0000000000000000\n`, `NoNewPrivs:\t1\n`} {
		require.Regexp(t, line, string(status))
	}
	require.NoError(t, controller.Process.Signal(syscall.SIGTERM))
	require.NoError(t, controller.Wait(), "SIGTERM ends it well")
}

// serviceAccountOf gives what the kubelet would: a directory with a token and
// certificates, readable for everybody, and where the API server is.
func serviceAccountOf(t *testing.T, cluster *devcluster.Cluster) (dir string, environment []string) {
	t.Helper()
	path, err := cluster.Kubeconfig(t.Context(), devcluster.Namespace, program.ServiceAccount)
	require.NoError(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err)
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(config.BearerToken), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.crt"), config.CAData, 0o644))
	host, port, found := strings.Cut(strings.TrimPrefix(config.Host, "https://"), ":")
	require.True(t, found)
	return dir, []string{"PATH=" + os.Getenv("PATH"), "KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port}
}
