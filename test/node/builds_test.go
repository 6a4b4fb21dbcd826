package node_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	"github.com/openshift/machine-config-operator/test/baseos"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

// builds are real ones, by the objects that the controller makes.
type builds struct {
	*stage
	// image has buildah; it is what is built on as well.
	image string
	pool  *mcfgv1.MachineConfigPool
}

// prepareBuilds makes what a cluster with the controller has.
func prepareBuilds(ctx context.Context, t *testing.T, st *stage) *builds {
	t.Helper()
	registry := st.cluster.Registry()
	b := &builds{stage: st}
	var err error
	b.image, err = baseos.EnsureBuilder(ctx, baseos.Options{
		CacheDir: filepath.Join(root, "_output", "cache", "baseos"), Repository: registry.Host() + "/org/builder", AuthFile: registry.AuthFile(), Log: t.Output(),
	})
	require.NoError(t, err)
	account := &corev1.ServiceAccount{
		ObjectMeta:       metav1.ObjectMeta{Name: constants.BuilderServiceAccount},
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: pullSecret}},
	}
	_, err = st.client.CoreV1().ServiceAccounts(devcluster.Namespace).Create(ctx, account, metav1.CreateOptions{})
	require.NoError(t, err)
	pools := mcfgclientset.NewForConfigOrDie(st.cluster.RESTConfig()).MachineconfigurationV1().MachineConfigPools()
	b.pool, err = pools.Create(ctx, &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	return b
}

// containerfile changes what only root may, and drops what only some may.
const containerfile = `FROM IMAGE
COPY input /etc/input
RUN SLEEP; mkdir -p /opt && grep -q content /etc/input && echo built > /opt/result && chown 65534:65534 /opt/result && chmod 4755 /opt/result
`

func (b *builds) request(name, level, seccomp, sleep string) imagebuilder.Request {
	text := strings.NewReplacer("IMAGE", b.image, "SLEEP", sleep).Replace(containerfile)
	return imagebuilder.Request{
		Name: name, Pool: b.pool.Name, PoolUID: b.pool.UID, Fingerprint: "f", RenderedConfig: "rendered", BaseImage: b.image, Attempt: 1,
		Containerfile: text, Context: []imagebuilder.File{{Name: "input", Data: []byte("content")}},
		PullSecret: pullSecret, PushSecret: pullSecret, Output: b.cluster.Registry().Host() + "/org/os:" + name,
		Deadline: 5 * time.Minute,
		Workload: imagebuilder.Workload{Image: b.image, SecurityLevel: level, Seccomp: seccomp},
	}
}

func (b *builds) start(ctx context.Context, t *testing.T, r imagebuilder.Request) {
	t.Helper()
	objects := job.Backend{}.Objects(devcluster.Namespace, r)
	for _, secret := range objects.Secrets {
		_, err := b.client.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	_, err := b.client.BatchV1().Jobs(devcluster.Namespace).Create(ctx, objects.Build.(*batchv1.Job), metav1.CreateOptions{})
	require.NoError(t, err)
}

// wait waits until what the controller sees of the build is in the phase, and returns it.
func (b *builds) wait(ctx context.Context, t *testing.T, name string, until func(imagebuilder.Phase) bool) imagebuilder.Observation {
	t.Helper()
	inventory := job.NewInventory(devcluster.Namespace, b.client)
	var seen imagebuilder.Observation
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		all, err := inventory.Builds(ctx)
		if err != nil {
			return false, nil // time may be up
		}
		for i := range all {
			if all[i].Name == name {
				seen = all[i].Observation
			}
		}
		return until(seen.Phase), nil
	})
	require.NoError(t, err, "last seen: %s %s: %s %s", seen.Phase, seen.Reason, seen.Message, seen.Log)
	return seen
}

func ended(phase imagebuilder.Phase) bool {
	return phase == imagebuilder.PhaseSucceeded || phase == imagebuilder.PhaseFailed
}

// levels are the security levels, each with what the runtime does to it.
var levels = []struct {
	name, reason   string
	level, seccomp string
	phase          imagebuilder.Phase
	// of a build that fails
	failure string
}{
	{name: "limited", reason: "six capabilities are enough", level: constants.LevelLimitedRoot, seccomp: constants.SeccompNode, phase: imagebuilder.PhaseSucceeded},
	{name: "root", reason: "what the runtime gives to everybody is more", level: constants.LevelRoot, seccomp: constants.SeccompNode, phase: imagebuilder.PhaseSucceeded},
	{name: "user", reason: "subordinate IDs stand in for root", level: constants.LevelUser, seccomp: constants.SeccompNode, phase: imagebuilder.PhaseSucceeded},
	{
		name: "confined", reason: "the profile of this containerd lets nobody but a privileged user make a user namespace",
		level: constants.LevelLimitedRoot, seccomp: constants.SeccompRuntimeDefault, phase: imagebuilder.PhaseFailed, failure: "PullImageFailed",
	},
}

func (b *builds) testLevels(t *testing.T) {
	for _, level := range levels {
		t.Run(level.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began := time.Now()
			b.start(ctx, t, b.request(level.name, level.level, level.seccomp, ":"))
			seen := b.wait(ctx, t, level.name, ended)
			t.Logf("%.1f s: %s %s: %s\n%s", time.Since(began).Seconds(), seen.Phase, seen.Reason, seen.Message, seen.Log)
			require.Equal(t, level.phase, seen.Phase, level.reason)
			if level.failure != "" {
				require.Equal(t, level.failure, seen.Reason, level.reason)
				return
			}
			require.Regexp(t, "^"+b.cluster.Registry().Host()+"/org/os@sha256:[0-9a-f]{64}$", seen.Image)
		})
	}
}

// testDrain drains a node in the middle of a build, as the roll-out of the image that is built does.
func (b *builds) testDrain(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b.start(ctx, t, b.request("drained", constants.LevelLimitedRoot, constants.SeccompNode, "sleep 6"))
	b.wait(ctx, t, "drained", func(phase imagebuilder.Phase) bool { return phase == imagebuilder.PhaseRunning })
	pods, err := b.client.CoreV1().Pods(devcluster.Namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=drained"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	first := pods.Items[0].Name
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: first, Namespace: devcluster.Namespace}}
	require.NoError(t, b.client.CoreV1().Pods(devcluster.Namespace).EvictV1(ctx, eviction))
	seen := b.wait(ctx, t, "drained", ended)
	require.Equal(t, imagebuilder.PhaseSucceeded, seen.Phase, "another pod builds: %s: %s %s", seen.Reason, seen.Message, seen.Log)
	pods, err = b.client.CoreV1().Pods(devcluster.Namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=drained"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	require.NotEqual(t, first, pods.Items[0].Name)
}

// testSuspend stops a build in its middle: the builder has to end although buildah is at work.
func (b *builds) testSuspend(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b.start(ctx, t, b.request("stopped", constants.LevelUser, constants.SeccompNode, "sleep 600"))
	b.wait(ctx, t, "stopped", func(phase imagebuilder.Phase) bool { return phase == imagebuilder.PhaseRunning })
	_, err := b.client.BatchV1().Jobs(devcluster.Namespace).Patch(ctx, "stopped", "application/merge-patch+json", []byte(`{"spec":{"suspend":true}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	seen := b.wait(ctx, t, "stopped", func(phase imagebuilder.Phase) bool { return !phase.IsActive() })
	require.Equal(t, imagebuilder.PhaseStopped, seen.Phase)
}
