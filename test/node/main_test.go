package node_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/node"
	"github.com/openshift/machine-config-operator/test/devcluster/playednode"
)

const root = "../.."

// startTimeout has time for a first compilation of the kubelet.
const startTimeout = 30 * time.Minute

// startStage starts a cluster with a real node, or skips the test where there can be none.
func startStage(t *testing.T) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	bin := filepath.Join(root, "_output", "bin")
	opts, err := node.BuildTools(ctx, root, bin)
	require.NoError(t, err)
	opts.Dir = t.TempDir()
	if err := node.FetchContainerd(ctx, root, opts); err != nil {
		t.Skipf("this machine can run no node: %v", err)
	}
	if err := node.Check(ctx, opts); err != nil {
		t.Skipf("this machine can run no node: %v", err)
	}
	st := startCluster(ctx, t)
	began := time.Now()
	st.machine, err = node.Join(ctx, st.cluster, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.machine.Stop()) })
	t.Logf("node is ready after %.1f s", time.Since(began).Seconds())
	return st
}

// starting keeps control planes from being configured at the same time, which is by what is global to the process.
var starting sync.Mutex

func startCluster(ctx context.Context, t *testing.T) *stage {
	t.Helper()
	starting.Lock()
	defer starting.Unlock()
	cluster, err := devcluster.Start(ctx, devcluster.Options{Dir: t.TempDir(), Registry: true, Workloads: true, HostNetwork: true, LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	st := &stage{cluster: cluster, client: kubernetes.NewForConfigOrDie(cluster.RESTConfig()), turns: make(chan struct{}, sideBySide)}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: pullSecret}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: cluster.Registry().DockerConfigJSON()},
	}
	_, err = st.client.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{})
	require.NoError(t, err)
	return st
}

const (
	// sideBySide is how many scripts are played at the same time on one node. They mostly wait, however few
	// processors there are; what a node has to start at once is what limits them.
	sideBySide = 5
	// nodes are played on side by side as well: one of them waits for minutes for what the other one shortens.
	nodes = 2
)

// TestMain lets all of them run that wait for their turn.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(nodes*sideBySide+nodes)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestRealNode(t *testing.T) {
	t.Parallel()
	st := startStage(t)
	st.performAll(t)
	b := prepareBuilds(t.Context(), t, st)
	t.Run("builds", b.testLevels)
	t.Run("drain in mid-build", b.testDrain)
	t.Run("stop in mid-build", b.testSuspend)
}

// TestPlayedNode holds the played node against what was seen on the real one.
func TestPlayedNode(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	st := startCluster(ctx, t)
	played, err := playednode.Start(ctx, playednode.Options{
		Name: node.Name, Config: st.cluster.RESTConfig(), Executor: playednode.Act{}, Images: []string{node.HelperImage},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, played.Stop()) })
	st.machine = played
	st.performAll(t)
}

func (st *stage) performAll(t *testing.T) {
	t.Run("scripts", func(t *testing.T) {
		for _, s := range scripts {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				st.turns <- struct{}{}
				defer func() { <-st.turns }()
				st.perform(t, s)
			})
		}
	})
	for _, s := range crashes {
		t.Run(s.name, func(t *testing.T) { st.perform(t, s) })
	}
}
