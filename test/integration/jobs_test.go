package integration

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/playednode"
)

// builder plays the builder's container: it pushes at once, or works until it is stopped.
type builder struct{ slow atomic.Bool }

const builderImage = "registry.example.com/tools/buildah:1"

// Execute implements playednode.Executor.
func (b *builder) Execute(ctx context.Context, c *playednode.Container) int {
	if b.slow.Load() {
		select {
		case <-c.Terminate:
		case <-ctx.Done():
		}
		c.Tell(`{"step":"build","reason":"BuildStopped","message":"stopped"}`)
		return 143
	}
	c.Tell(`{"digest":"sha256:` + strings.Repeat("4", 64) + `"}`)
	return 0
}

// useJobs has builds run as Jobs, by the real controller of Jobs on a played node.
func useJobs(t *testing.T) *builder {
	t.Helper()
	b := &builder{}
	useBuilder(t, b)
	return b
}

// useBuilder has the executor play the builder's containers.
func useBuilder(t *testing.T, b playednode.Executor) {
	t.Helper()
	useJobsWithoutNode(t)
	startPlayedNode(t, b)
}

// useJobsWithoutNode has builds run as Jobs, whose pods wait for a node.
func useJobsWithoutNode(t *testing.T) {
	t.Helper()
	useSettings(t)
	patch := `{"data":{"imageBuilder":"Job","jobBuilderImage":"` + builderImage + `"}}`
	_, err := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace).Patch(t.Context(), "machine-os-builder-config", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
}

// startPlayedNode starts the only node, on which the executor plays the builder's containers.
func startPlayedNode(t *testing.T, b playednode.Executor) {
	t.Helper()
	node, err := playednode.Start(t.Context(), playednode.Options{Name: "played", Config: shared.cluster.RESTConfig(), Executor: b, Images: []string{builderImage}, Programs: []string{"/bin/sh"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Stop()) })
}

func jobsOf(t *testing.T, pool string) (jobs []batchv1.Job) {
	t.Helper()
	list, err := shared.kube.BatchV1().Jobs(devcluster.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: ownedSelector})
	require.NoError(t, err)
	for _, job := range list.Items {
		if job.Annotations[poolKey] == pool {
			jobs = append(jobs, job)
		}
	}
	return jobs
}

// TestJobsBuild: where the Build capability is off, a cycle goes through Jobs, and costs no
// more calls; a build of what is not wanted any more is suspended, and goes.
func TestJobsBuild(t *testing.T) {
	b := useJobs(t)
	first, second, third, fourth := createConfig(t), createConfig(t), createConfig(t), createConfig(t)
	startBuildController(t)
	createPool(t, "by-jobs", first)
	awaitImage(t, "by-jobs", first)
	require.Empty(t, ourBuilds(t, "by-jobs"))
	awaitNoInputs(t)

	_, mark := auditLines(t, 0)
	wantConfig(t, "by-jobs", second)
	awaitImage(t, "by-jobs", second)
	awaitNoInputs(t)
	requests, _ := settled(t, mark)
	calls := 0
	for _, request := range requests {
		require.NotRegexp(t, ` [45]\d\d$`, request, "nothing is refused in a happy cycle")
		if !strings.HasSuffix(request, " events") {
			calls++
		}
	}
	t.Logf("one cycle: %s", strings.Join(requests, ", "))
	require.LessOrEqual(t, calls, maxCallsPerCycle)

	b.slow.Store(true)
	wantConfig(t, "by-jobs", third)
	awaitReason(t, "by-jobs", "BuildRunning")
	b.slow.Store(false)
	wantConfig(t, "by-jobs", fourth)
	awaitImage(t, "by-jobs", fourth)
	awaitNoInputs(t)
	require.Eventually(t, func() bool {
		for _, job := range jobsOf(t, "by-jobs") {
			if job.Spec.Suspend != nil && *job.Spec.Suspend {
				return false
			}
		}
		return true
	}, 2*time.Minute, 50*time.Millisecond, "the build of the config between is suspended, and removed then")
}
