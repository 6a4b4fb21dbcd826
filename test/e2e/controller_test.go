package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/program"
)

const (
	layeredLabel = "machineconfiguration.openshift.io/layering-enabled"
	imageKey     = "machineconfiguration.openshift.io/desired-os-image"
	// buildPatience is for an image on a machine that does other things besides.
	buildPatience = 10 * time.Minute
)

// controlled is a cluster in which the controller has real images built.
type controlled struct {
	*builds
	kube      kubernetes.Interface
	mcfg      mcfgclientset.Interface
	openshift buildclientset.Interface
}

func startControlled(t *testing.T) *controlled {
	t.Helper()
	b := startBuilds(t)
	dir := t.TempDir()
	binary := filepath.Join(dir, "machine-config-controller")
	built := program.ControllerBuild(root, binary)
	built.Log = t.Output()
	require.NoError(t, built.Run(t.Context()))

	cluster, err := devcluster.Start(t.Context(), devcluster.Options{Dir: filepath.Join(dir, "cluster"), LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	c := &controlled{
		builds: b, kube: kubernetes.NewForConfigOrDie(cluster.RESTConfig()),
		mcfg: mcfgclientset.NewForConfigOrDie(cluster.RESTConfig()), openshift: buildclientset.NewForConfigOrDie(cluster.RESTConfig()),
	}

	runner, err := buildrunner.New(cluster.RESTConfig(), buildrunner.Options{Namespace: devcluster.Namespace, Executor: b.executor})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})

	permissions, err := os.ReadFile(filepath.Join(root, "hack", "deploy", "rbac.yaml"))
	require.NoError(t, err)
	require.NoError(t, cluster.Apply(t.Context(), string(permissions)))
	kubeconfig, err := cluster.Kubeconfig(t.Context(), devcluster.Namespace, program.ServiceAccount)
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(dir, "controller.log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	_, stop, err := program.Controller{
		Binary: binary, Kubeconfig: kubeconfig, Dir: dir, Log: log, Failed: func(err error) { t.Error(err) },
	}.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(stop)
	return c
}

func (c *controlled) configMap(t *testing.T, name string, data map[string]string) {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
	_, err := c.kube.CoreV1().ConfigMaps(devcluster.Namespace).Create(t.Context(), object, metav1.CreateOptions{})
	require.NoError(t, err)
}

func (c *controlled) secret(t *testing.T, name string, kind corev1.SecretType, key, value string) {
	t.Helper()
	object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: map[string][]byte{key: []byte(value)}}
	_, err := c.kube.CoreV1().Secrets(devcluster.Namespace).Create(t.Context(), object, metav1.CreateOptions{})
	require.NoError(t, err)
}

// want creates a config and makes the pool want it.
func (c *controlled) want(t *testing.T, name string, ignition object) {
	t.Helper()
	config := machineConfig(t, ignition)
	config.Name, config.Spec.OSImageURL = name, c.base
	_, err := c.mcfg.MachineconfigurationV1().MachineConfigs().Create(t.Context(), &config, metav1.CreateOptions{})
	require.NoError(t, err)
	patch, err := json.Marshal(object{"spec": object{"configuration": object{"name": name}}})
	require.NoError(t, err)
	_, err = c.mcfg.MachineconfigurationV1().MachineConfigPools().Patch(t.Context(), "worker", types.MergePatchType, patch, metav1.PatchOptions{})
	require.NoError(t, err)
}

// await waits until the build condition that is True has the reason, and returns
// its message and the pool.
func (c *controlled) await(t *testing.T, reason, about string) (string, *mcfgv1.MachineConfigPool) {
	t.Helper()
	var said, message string
	var pool *mcfgv1.MachineConfigPool
	require.Eventually(t, func() bool {
		var err error
		pool, err = c.mcfg.MachineconfigurationV1().MachineConfigPools().Get(t.Context(), "worker", metav1.GetOptions{})
		require.NoError(t, err)
		for _, condition := range pool.Status.Conditions {
			if strings.HasPrefix(string(condition.Type), "Build") && condition.Status == corev1.ConditionTrue {
				said, message = condition.Reason, condition.Message
			}
		}
		require.NotEqual(t, "BuildFailed", said, message)
		return said == reason && strings.Contains(message, about)
	}, buildPatience, 100*time.Millisecond, "the pool does not come to say %s about %s", reason, about)
	return message, pool
}

// customText has each kind of heredoc, and needs the entitlement that is mounted.
const customText = `FROM configs AS final
RUN <<EOF
set -e
for word in one two; do
	echo "$word" >>/etc/custom
done
test -s /etc/pki/entitlement/entitlement.pem
EOF
COPY --chmod=0640 <<'EOF' /etc/custom.conf
# FROM is no instruction here, and $HOME no variable
EOF
RUN cat >/etc/custom-message <<EOF
of $(cat /etc/from-config)
EOF
`

// TestThroughTheController has the controller refuse a config with a credential,
// and build one with custom and entitled content, and looks for what must be in the
// image and for what must not.
func TestThroughTheController(t *testing.T) {
	c := startControlled(t)
	credentials := `{"auths":{"` + c.host + `":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("user:"+canary)) + `"}}}`
	c.secret(t, "push", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, credentials)
	c.secret(t, "etc-pki-entitlement", corev1.SecretTypeOpaque, "entitlement.pem", canary)
	c.configMap(t, "machine-os-builder-custom-containerfile", map[string]string{"worker": customText})
	c.configMap(t, "machine-os-builder-config", map[string]string{
		"finalImagePullspec": c.host + "/org/os", "finalImagePushSecretName": "push", "baseImagePullSecretName": "",
		"rejectCredentials": "true", "quietPeriodSeconds": "0",
	})
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker", Labels: map[string]string{layeredLabel: ""}}}
	_, err := c.mcfg.MachineconfigurationV1().MachineConfigPools().Create(t.Context(), pool, metav1.CreateOptions{})
	require.NoError(t, err)

	files := []object{{"path": "/etc/from-config", "contents": plain("worker")}}
	c.want(t, "rendered-worker-leaky", object{
		"ignition": object{"version": "3.4.0"},
		"storage":  object{"files": append(files, object{"path": "/etc/leak.json", "mode": 0o600, "contents": plain(credentials)})},
	})
	message, blocked := c.await(t, "CredentialsInConfig", "/etc/leak.json")
	require.NotContains(t, message, canary, "the finding is told, the credential is not")
	require.Empty(t, blocked.Annotations[imageKey])
	list, err := c.openshift.BuildV1().Builds(devcluster.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, list.Items, "nothing is built")

	c.want(t, "rendered-worker-clean", object{
		"ignition": object{"version": "3.4.0"},
		"passwd":   object{"users": []object{{"name": "core", "passwordHash": "$6$" + canary, "sshAuthorizedKeys": []string{sshKey}}}},
		"storage":  object{"files": append(files, object{"path": "/var/lib/kubelet/config.json", "mode": 0o600, "contents": plain(credentials)})},
	})
	_, published := c.await(t, "ImagePublished", "rendered-worker-clean")
	repository, digest, _ := strings.Cut(published.Annotations[imageKey], "@")
	image := pull(t, repository, digest)

	for name, want := range map[string]node{
		"/etc/from-config":    file(0o644, "worker"),
		"/etc/custom":         file(0o644, "one\ntwo\n"),
		"/etc/custom.conf":    file(0o640, "# FROM is no instruction here, and $HOME no variable\n"),
		"/etc/custom-message": file(0o644, "of worker\n"),
		"/home/core/.ssh/authorized_keys.d/ignition": file(0o600, sshKey+"\n").owned(1000, 1000),
	} {
		require.Equal(t, want, image.files(t)[name], name)
	}
	require.NotContains(t, image.files(t), "/etc/pki/entitlement/entitlement.pem")
	require.Equal(t, "rendered-worker-clean", image.labels(t)["machineconfiguration.openshift.io/rendered-config"],
		"labels are not lost with the inline Containerfile")
	require.True(t, foundIn(image.layers, "of worker"), "if what is in the image is not found, nor would be a credential")
	for i, part := range append([][]byte{image.manifest, image.config}, image.layers...) {
		for _, form := range forms(canary) {
			require.False(t, bytes.Contains(part, form), "part %d of the image, of which the second has its labels, environment and history, has a credential", i)
		}
	}
}
