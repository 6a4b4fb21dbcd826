package integration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/playednode"
)

// gatedBuilder plays the builder's containers: one waits while its pool is held, and fails if
// its pool is to. Every image has a digest of its own.
type gatedBuilder struct {
	mu     sync.Mutex
	gates  map[string]chan struct{}
	fails  map[string]string
	images int
}

func newGatedBuilder() *gatedBuilder {
	return &gatedBuilder{gates: map[string]chan struct{}{}, fails: map[string]string{}}
}

// Execute implements playednode.Executor. The tag of the image begins with the pool's name.
func (b *gatedBuilder) Execute(ctx context.Context, c *playednode.Container) int {
	output := c.Env["OUTPUT"]
	pool, _, _ := strings.Cut(output[strings.LastIndex(output, ":")+1:], "-")
	b.mu.Lock()
	gate := b.gates[pool]
	b.mu.Unlock()
	if code := c.Await(ctx, gate); code != 0 {
		return code
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if why := b.fails[pool]; why != "" {
		c.Tell(`{"step":"build","reason":"BuildStepFailed","message":"a step of the Containerfile failed","log":"` + why + `\n"}`)
		return 20
	}
	b.images++
	digest := sha256.Sum256(fmt.Append(nil, output, b.images))
	c.Tell(`{"digest":"sha256:` + hex.EncodeToString(digest[:]) + `"}`)
	return 0
}

// shippedPool is a pool that a MachineOSConfig opts in, or is to.
type shippedPool struct {
	t       *testing.T
	name    string
	config  string
	builder *gatedBuilder
}

// hold has builds of the pool wait while they run, until release.
func (p *shippedPool) hold() {
	p.builder.mu.Lock()
	defer p.builder.mu.Unlock()
	p.builder.gates[p.name] = make(chan struct{})
}

func (p *shippedPool) release() {
	p.builder.mu.Lock()
	defer p.builder.mu.Unlock()
	if gate := p.builder.gates[p.name]; gate != nil {
		close(gate)
		delete(p.builder.gates, p.name)
	}
}

// fail has builds of the pool fail, with that as the last line of the log; empty ends that.
func (p *shippedPool) fail(why string) {
	p.builder.mu.Lock()
	defer p.builder.mu.Unlock()
	p.builder.fails[p.name] = why
}

func (p *shippedPool) optIn(edits ...func(*mcfgv1.MachineOSConfig)) {
	p.t.Helper()
	edits = append([]func(*mcfgv1.MachineOSConfig){func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = repository + ":latest" }}, edits...)
	p.create(newMachineOSConfig(p.name, edits...))
}

// patch edits the MachineOSConfig; kind is merge or json.
func (p *shippedPool) patch(kind, patch string) {
	p.t.Helper()
	kubectl(p.t, "", "patch", "machineosconfig", p.name, "--type="+kind, "--patch="+patch)
}

// content replaces the Containerfile; empty for none.
func (p *shippedPool) content(text string) {
	p.t.Helper()
	files := `[]`
	if text != "" {
		files = fmt.Sprintf(`[{"containerfileArch":"NoArch","content":%q}]`, text)
	}
	p.patch("json", `[{"op":"replace","path":"/spec/containerFile","value":`+files+`}]`)
}

func (p *shippedPool) rebuild() {
	p.t.Helper()
	kubectl(p.t, "", "annotate", "machineosconfig", p.name, "machineconfiguration.openshift.io/rebuild=")
}

// want has another config rendered.
func (p *shippedPool) want(edits ...func(*mcfgv1.MachineConfigSpec)) {
	p.t.Helper()
	p.config = createConfig(p.t, edits...)
	wantConfig(p.t, p.name, p.config)
}

// object is the MachineOSConfig, and current the MachineOSBuild that it names; nil for none.
func (p *shippedPool) object() (object *mcfgv1.MachineOSConfig, current *mcfgv1.MachineOSBuild) {
	p.t.Helper()
	object, err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Get(p.t.Context(), p.name, metav1.GetOptions{})
	require.NoError(p.t, err)
	name := object.Annotations[currentBuild]
	if name == "" {
		return object, nil
	}
	current, err = shared.mcfg.MachineconfigurationV1().MachineOSBuilds().Get(p.t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return object, nil
	}
	require.NoError(p.t, err)
	return object, current
}

// builds are the MachineOSBuilds of the pool.
func (p *shippedPool) builds() (builds []mcfgv1.MachineOSBuild) {
	p.t.Helper()
	list, err := shared.mcfg.MachineconfigurationV1().MachineOSBuilds().List(p.t.Context(), metav1.ListOptions{
		LabelSelector: "machineconfiguration.openshift.io/target-machine-config-pool=" + p.name,
	})
	require.NoError(p.t, err)
	return list.Items
}

func is(build *mcfgv1.MachineOSBuild, progress mcfgv1.BuildProgress) bool {
	return build != nil && meta.IsStatusConditionTrue(build.Status.Conditions, string(progress))
}

// job is the Job that the MachineOSBuild refers to; nil if there is none any more.
func (p *shippedPool) job(build *mcfgv1.MachineOSBuild) *batchv1.Job {
	p.t.Helper()
	require.NotNil(p.t, build.Status.Builder)
	reference := build.Status.Builder.Job
	require.Equal(p.t, devcluster.Namespace, reference.Namespace)
	job, err := shared.kube.BatchV1().Jobs(reference.Namespace).Get(p.t.Context(), reference.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	require.NoError(p.t, err)
	return job
}

// pods are those of the Job.
func (p *shippedPool) pods(job *batchv1.Job) []corev1.Pod {
	p.t.Helper()
	pods, err := shared.kube.CoreV1().Pods(job.Namespace).List(p.t.Context(), metav1.ListOptions{LabelSelector: "controller-uid=" + string(job.UID)})
	require.NoError(p.t, err)
	return pods.Items
}

func (p *shippedPool) await(what string, holds func(*mcfgv1.MachineOSConfig, *mcfgv1.MachineOSBuild) bool) (build *mcfgv1.MachineOSBuild) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		var object *mcfgv1.MachineOSConfig
		object, build = p.object()
		return holds(object, build)
	}, 2*time.Minute, 20*time.Millisecond, "pool %s: %s", p.name, what)
	return build
}

// awaitBuilding waits until exactly one MachineOSBuild is of the wanted config and is being
// built, by a Job that has a pod.
func (p *shippedPool) awaitBuilding() *mcfgv1.MachineOSBuild {
	p.t.Helper()
	return p.await("a build of "+p.config+" runs", func(_ *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
		if !is(build, mcfgv1.MachineOSBuilding) || build.Spec.MachineConfig.Name != p.config {
			return false
		}
		job := p.job(build)
		return job != nil && len(p.pods(job)) == 1
	})
}

// awaitImage waits until the image is what nodes get, and what made it is gone.
func (p *shippedPool) awaitImage() *mcfgv1.MachineOSBuild {
	p.t.Helper()
	build := p.await("there is an image of "+p.config, func(object *mcfgv1.MachineOSConfig, build *mcfgv1.MachineOSBuild) bool {
		return is(build, mcfgv1.MachineOSBuildSucceeded) && build.Spec.MachineConfig.Name == p.config &&
			object.Status.CurrentImagePullSpec != "" && object.Status.CurrentImagePullSpec == build.Status.DigestedImagePushSpec &&
			object.Status.MachineOSBuild.Name == build.Name && object.Status.ObservedGeneration == object.Generation
	})
	p.wait("machineosconfig/"+p.name, "condition=Ready")
	p.awaitNoJob(build)
	require.Equal(p.t, repository+":"+build.Name, string(build.Spec.RenderedImagePushSpec))
	require.True(p.t, build.Status.BuildStart.Before(build.Status.BuildEnd))
	return build
}

// awaitNoJob waits until what built it, if anything did, is gone.
func (p *shippedPool) awaitNoJob(build *mcfgv1.MachineOSBuild) {
	p.t.Helper()
	if build.Status.Builder != nil {
		require.Eventually(p.t, func() bool { return p.job(build) == nil }, soon, 20*time.Millisecond, "the Job of %s is left behind", build.Name)
	}
}

// degraded is the pool's condition.
func (p *shippedPool) degraded() mcfgv1.MachineConfigPoolCondition {
	p.t.Helper()
	for _, c := range getPool(p.t, p.name).Status.Conditions {
		if c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded {
			return c
		}
	}
	return mcfgv1.MachineConfigPoolCondition{}
}

// optOut deletes the Secrets that tests delete first, then the MachineOSConfig, and waits until
// nothing is left of either.
func (p *shippedPool) optOut() {
	p.t.Helper()
	before := p.builds()
	kubectl(p.t, "", "delete", "machineosconfig", p.name)
	require.Eventually(p.t, func() bool {
		for i := range before {
			if builder := before[i].Status.Builder; builder != nil && p.job(&before[i]) != nil {
				return false
			}
		}
		return len(p.builds()) == 0 && len(jobsOf(p.t, p.name)) == 0
	}, 2*time.Minute, 20*time.Millisecond, "pool %s: something is left", p.name)
}
