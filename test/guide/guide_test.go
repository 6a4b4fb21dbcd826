package guide

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/program"
)

const (
	image = "registry.example.com/mine/machine-config-controller"
	// patience is for one block.
	patience = 3 * time.Minute
)

// administrator is who follows the guide.
type administrator struct {
	cluster *devcluster.Cluster
	kubelet *kubelet
	mcfg    mcfgclientset.Interface
	dir     string
	env     []string
}

// TestGuide follows the guide from the installation to the removal, and looks
// whether each chapter comes to what it says.
func TestGuide(t *testing.T) {
	admin := startAdministrator(t)
	after := map[string]func(*testing.T){
		"Install": func(t *testing.T) {
			require.Equal(t, []string{image + ":v1"}, admin.kubelet.ran)
			require.Empty(t, admin.pool(t).Status.Conditions)
		},
		"Configure": func(t *testing.T) {
			require.NotEmpty(t, admin.pool(t).Annotations["machineconfiguration.openshift.io/desired-os-image"])
		},
		"Read the conditions": admin.usesThePlugin,
		"Troubleshoot": func(t *testing.T) {
			require.NotEmpty(t, admin.pool(t).Annotations["machineconfiguration.openshift.io/rebuild-observed"])
		},
		"Upgrade":   func(t *testing.T) { require.Equal(t, []string{image + ":v1", image + ":v2"}, admin.kubelet.ran) },
		"Roll back": func(t *testing.T) { require.Equal(t, image+":v1", admin.kubelet.running[0].image) },
		"Remove":    admin.nothingIsLeft,
	}
	blocks := readBlocks(t, readGuide(t))
	for i, b := range blocks {
		if b.notRun != "" {
			t.Logf("line %d is not run: %s", b.line, b.notRun)
			output, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", b.text).CombinedOutput()
			require.NoError(t, err, "line %d is no shell code: %s", b.line, output)
		} else {
			admin.follow(t, b)
		}
		if i == len(blocks)-1 || blocks[i+1].chapter != b.chapter {
			if check := after[b.chapter]; check != nil {
				check(t)
				delete(after, b.chapter)
			}
		}
	}
	require.Empty(t, after, "chapters that the guide does not have")
}

func startAdministrator(t *testing.T) *administrator {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "hack", "deploy"), os.DirFS(filepath.Join(root, "hack", "deploy"))))
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	_, err := deploy.Kubectl(t.Context(), bin)
	require.NoError(t, err)
	binary := filepath.Join(bin, "machine-config-controller")
	built := program.ControllerBuild(root, binary)
	built.Log = t.Output()
	require.NoError(t, built.Run(t.Context()))

	cluster, err := devcluster.Start(t.Context(), devcluster.Options{Dir: filepath.Join(dir, "cluster"), LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	admin := &administrator{cluster: cluster, mcfg: mcfgclientset.NewForConfigOrDie(cluster.RESTConfig()), dir: dir}
	admin.env = append(os.Environ(),
		"PATH="+bin+":"+os.Getenv("PATH"), "KUBECONFIG="+cluster.KubeconfigPath(),
		"IMAGE="+image, "TAG=v1", "NEW_TAG=v2", "PROXY_IMAGE=registry.example.com/release@sha256:"+strings.Repeat("1", 64),
		"REGISTRY=registry.example.com", "PUSH_USER=user", "PUSH_PASSWORD=password",
	)
	admin.createPool(t)
	admin.runInBackground(t, binary)
	return admin
}

// createPool is the operator's part.
func (a *administrator) createPool(t *testing.T) {
	t.Helper()
	config := &mcfgv1.MachineConfig{ObjectMeta: metav1.ObjectMeta{Name: "rendered-worker-1"}}
	config.Spec.OSImageURL = "registry.example.com/os@sha256:" + strings.Repeat("1", 64)
	config.Spec.Config = runtime.RawExtension{Raw: []byte(`{"ignition":{"version":"3.4.0"}}`)}
	_, err := a.mcfg.MachineconfigurationV1().MachineConfigs().Create(t.Context(), config, metav1.CreateOptions{})
	require.NoError(t, err)
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker"}}
	pool.Spec.Configuration.Name = config.Name
	_, err = a.mcfg.MachineconfigurationV1().MachineConfigPools().Create(t.Context(), pool, metav1.CreateOptions{})
	require.NoError(t, err)
}

// runInBackground has somebody run Builds, each of which takes a second, and
// Deployments.
func (a *administrator) runInBackground(t *testing.T, binary string) {
	t.Helper()
	script := buildrunner.NewScripted()
	script.Decide(func(buildrunner.Job) buildrunner.Script {
		hold := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(hold) })
		return buildrunner.Script{HoldRunning: hold}
	})
	runner, err := buildrunner.New(a.cluster.RESTConfig(), buildrunner.Options{Namespace: devcluster.Namespace, Executor: script})
	require.NoError(t, err)
	a.kubelet = &kubelet{t: t, cluster: a.cluster, kube: kubernetes.NewForConfigOrDie(a.cluster.RESTConfig()), binary: binary, dir: a.dir}
	ctx, cancel := context.WithCancel(context.Background())
	built, deployed := make(chan error, 1), make(chan struct{})
	go func() { built <- runner.Run(ctx) }()
	go func() { defer close(deployed); a.kubelet.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-built)
		<-deployed
	})
}

// follow does what a block says.
func (a *administrator) follow(t *testing.T, b block) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", b.text)
	cmd.Dir, cmd.Env = a.dir, a.env
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Log(a.kubelet.logs())
	}
	require.NoError(t, err, "line %d of the guide, in %s:\n%s\n%s", b.line, b.chapter, b.text, output)
	t.Logf("line %d:\n%s", b.line, output)
}

func (a *administrator) pool(t *testing.T) *mcfgv1.MachineConfigPool {
	t.Helper()
	pool, err := a.mcfg.MachineconfigurationV1().MachineConfigPools().Get(t.Context(), "worker", metav1.GetOptions{})
	require.NoError(t, err)
	return pool
}

// usesThePlugin: kubectl finds the program under the names that the guide gives to it, and hands
// flags, output and the exit code through.
func (a *administrator) usesThePlugin(t *testing.T) {
	kubectl := func(args ...string) (stdout string, code int) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "bash", append([]string{"-c", `exec kubectl "$@"`, "kubectl"}, args...)...)
		cmd.Dir, cmd.Env = a.dir, a.env
		output, err := cmd.Output()
		if err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError))
		}
		return string(output), cmd.ProcessState.ExitCode()
	}
	output, code := kubectl("machine-os", "status", "worker", "-o", "jsonpath={.pools[*].name} {.pools[*].state}")
	require.Zero(t, code)
	require.Equal(t, "worker Published", output)
	output, code = kubectl("machine-os", "status", "--help")
	require.Zero(t, code)
	require.Contains(t, output, "kubectl machine-os status [pool...]")
	_, code = kubectl("machine-os", "status", "--context", "no-such-context")
	require.Equal(t, 1, code)
	_, code = kubectl("machine-os", "status", "no-such-pool")
	require.Equal(t, 1, code)
	output, _ = kubectl("__complete", "machine-os", "status", "")
	require.Contains(t, output, "worker\n", "of the cluster")
	output, _ = kubectl("__complete", "machine-os", "st")
	require.Contains(t, output, "status")
}

// nothingIsLeft: of what the guide and the controller made, there is nothing.
func (a *administrator) nothingIsLeft(t *testing.T) {
	pool := a.pool(t)
	require.Empty(t, pool.Annotations)
	require.Empty(t, pool.Status.Conditions)
	builds, err := buildclientset.NewForConfigOrDie(a.cluster.RESTConfig()).BuildV1().Builds("").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, builds.Items)
	for _, kind := range []string{
		"deployments", "services", "serviceaccounts", "roles", "rolebindings", "clusterroles", "clusterrolebindings",
		"poddisruptionbudgets", "networkpolicies", "servicemonitors", "prometheusrules", "configmaps", "secrets", "leases",
	} {
		output, err := exec.CommandContext(t.Context(), filepath.Join(a.dir, "bin", "kubectl"), "--kubeconfig", a.cluster.KubeconfigPath(),
			"get", kind, "--all-namespaces", "-o", "name").CombinedOutput()
		require.NoError(t, err, string(output))
		require.NotContains(t, string(output), "machine-os", kind)
	}
}
