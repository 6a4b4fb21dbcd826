package build

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	configv1 "github.com/openshift/api/config/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/registry"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Lessons about how builds end, and what the pool says of it.

// TestL04FastBuild: when the Running phase was never seen, BuildPending stayed
// True beside BuildSuccess, and the next config never built.
func TestL04FastBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(1))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))

	h.want("rendered-worker-2")
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
}

// TestL05H27FailThenFix: after a failure a fixed config never built, and Degraded
// and RenderDegraded, which belong to others, were written.
func TestL05H27FailThenFix(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		p.Status.Conditions = buildtest.Pool(worker).
			Condition(mcfgv1.MachineConfigPoolDegraded, corev1.ConditionTrue, "NodesAreUnwell").
			Condition(mcfgv1.MachineConfigPoolRenderDegraded, corev1.ConditionFalse, "").
			Object().Status.Conditions
	})
	foreign := h.api.Pool(worker).Status.Conditions
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
	require.Contains(t, message, "DockerBuildFailed: the build failed")
	require.Contains(t, message, "last line of the log")

	h.want("rendered-worker-2")
	h.settle(worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-2", buildtest.Digest(2))
	require.Equal(t, foreign, ledger.WithoutOurs(h.api.Pool(worker).Status.Conditions), "conditions of others are untouched")
}

// TestFailureEndsWithWhatItFailedIn: a registry that the nodes come to trust, or another
// proxy, is a reason to try again what failed for good; it is none to build what did not.
func TestFailureEndsWithWhatItFailedIn(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*mcfgv1.ControllerConfig)
		again  bool
	}{
		"a registry's authority": {reason: "the pull failed for that", change: func(c *mcfgv1.ControllerConfig) {
			c.Spec.ImageRegistryBundleUserData = []mcfgv1.ImageRegistryBundle{{File: "registry.example.com..5000", Data: []byte("certificate")}}
		}, again: true},
		"a proxy": {reason: "there was no way out", change: func(c *mcfgv1.ControllerConfig) {
			c.Spec.Proxy = &configv1.ProxyStatus{HTTPSProxy: "http://proxy.example.com"}
		}, again: true},
		"something else": {reason: "it has nothing to do with builds", change: func(c *mcfgv1.ControllerConfig) { c.Spec.ClusterDNSIP = "172.30.0.10" }},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			h.settle(worker)
			first := h.newestBuild(worker)
			h.api.FailBuild(first, buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
			h.settle(worker)
			h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
			changed := buildtest.ControllerConfig(buildtest.BaseImage)
			test.change(changed)
			h.api.Put(changed)
			h.settle(worker)
			require.Equal(t, test.again, h.newestBuild(worker) != first, test.reason)
			if !test.again {
				return
			}
			second := h.newestBuild(worker)
			require.Equal(t, 1, h.record(worker).Attempt)
			h.api.Put(buildtest.ControllerConfig(buildtest.BaseImage))
			h.settle(worker)
			require.Equal(t, second, h.newestBuild(worker), "a build at work goes on")
			h.api.CompleteBuild(second, buildtest.Digest(2))
			h.settle(worker)
			h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
		})
	}
}

// TestH25NoDigest: success was reported although no digest came back.
func TestH25NoDigest(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.CompleteBuild(first, "")
	h.settle(worker)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled)
	require.Contains(t, message, "ImageDigestMissing")
	require.NotContains(t, h.api.Pool(worker).Annotations, constants.DesiredOSImageAnnotation)

	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker))
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// registryOf answers for a registry.
type registryOf func(q registry.Question) (string, error)

func (r registryOf) Digest(_ context.Context, q registry.Question) (string, error) { return r(q) }

// TestDigestFromTheRegistry: a pod that is gone before its words were read cost a build, though
// the image was there.
func TestDigestFromTheRegistry(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	var asked []registry.Question
	answer := errors.New("connection refused")
	h.registry = registryOf(func(q registry.Question) (string, error) {
		asked = append(asked, q)
		if answer != nil {
			return "", answer
		}
		return buildtest.Digest(1), nil
	})
	h.restart()
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.CompleteBuild(first, "")
	h.deliver()
	_, err := h.sync(worker)
	require.ErrorIs(t, err, answer, "a registry that does not answer is asked again")
	require.Equal(t, first, h.newestBuild(worker))

	answer = nil
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
	require.Equal(t, first, h.newestBuild(worker), "no other attempt is made")
	require.Equal(t, registry.Question{Repository: "registry.example.com/ocp/os", Tag: first, User: "user", Password: buildtest.Canary, Certificates: asked[0].Certificates}, asked[0])
	require.Len(t, asked, 2, "and the answer is kept")
}

// TestRegistryThatNeverAnswers: a pool is not held up by it, and does not say that it is,
// however long a question takes.
func TestRegistryThatNeverAnswers(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	took := time.Second
	h.registry = registryOf(func(registry.Question) (string, error) {
		h.clock.Step(took)
		took = 0
		return "", fmt.Errorf("%w: connection refused", registry.ErrUnanswered)
	})
	h.restart()
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.CompleteBuild(first, "")
	h.deliver()
	p, err := h.sync(worker)
	require.ErrorIs(t, err, registry.ErrUnanswered)
	require.Equal(t, lastingAfter+time.Second, p.RequeueAfter, "counted from the begin of the sync")
	h.clock.Step(lastingAfter - time.Second)
	p, err = h.sync(worker)
	require.ErrorIs(t, err, registry.ErrUnanswered, "it has a second left")
	require.Equal(t, time.Second, p.RequeueAfter)
	h.deliver()
	require.Empty(t, h.refusal())
	h.clock.Step(time.Second)
	_, err = h.sync(worker)
	require.NoError(t, err)
	h.deliver()
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled), "connection refused")
	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker))
}

// TestH11H13H44TransientFailuresAreRetried: one blip failed the build for good. They
// are retried here, and not for ever.
func TestH11H13H44TransientFailuresAreRetried(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	names := map[string]bool{}
	for attempt := 1; attempt <= inputs.DefaultLimits().MaxAttempts; attempt++ {
		h.settle(worker)
		names[h.newestBuild(worker)] = true
		require.Equal(t, attempt, h.record(worker).Attempt)
		h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodDeleted, "the pod was deleted")
		h.settle(worker)
		if attempt < inputs.DefaultLimits().MaxAttempts {
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled)
			require.Contains(t, message, fmt.Sprintf("Attempt %d of 4", attempt))
			require.Contains(t, message, "next at ")
			h.clock.Step(2 * time.Minute)
		}
	}
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonAttemptsExhausted)
	h.pass(24*time.Hour, worker)
	require.Len(t, names, inputs.DefaultLimits().MaxAttempts, "every attempt has a name of its own")
	require.Len(t, h.api.Builds(), inputs.DefaultLimits().FailedBuildsHistory, "the newest ones stay for inspection")
}

// TestH14OldRetryLeavesTheNewerBuild: the retry of an old failed build cancelled
// the newer good one.
func TestH14OldRetryLeavesTheNewerBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1", "rendered-worker-2")
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonBuildPodEvicted, "evicted")
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled)
	h.want("rendered-worker-2")
	h.settle(worker)
	newer := h.newestBuild(worker)
	h.pass(time.Minute, worker)
	require.Equal(t, newer, h.newestBuild(worker))
	h.api.EditBuild(newer, func(b *buildv1.Build) { require.False(t, b.Status.Cancelled) })
	require.Len(t, h.api.Builds(), 2, "the old config is not tried again")
}

// TestH30FailureOutlivesTheBuild: the reason was lost with the pod.
func TestH30FailureOutlivesTheBuild(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	h.api.FailBuild(h.newestBuild(worker), buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed, "the build failed")
	h.settle(worker)
	before := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
	h.api.Remove("builds", ctrlcommon.MCONamespace, h.newestBuild(worker))
	h.restart()
	h.settle(worker)
	require.Equal(t, before, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed))
	require.Empty(t, h.api.Builds(), "pruning a failed Build is no wish to build again")
}

// TestH42ImageNeverGoesBack: an older attempt that finishes late does not replace
// the published image.
func TestH42ImageNeverGoesBack(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.CompleteBuild(first, "")
	h.settle(worker)
	h.pass(time.Minute, worker)
	h.api.CompleteBuild(h.newestBuild(worker), buildtest.Digest(2))
	h.settle(worker)
	h.api.CompleteBuild(first, buildtest.Digest(1))
	h.settle(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(2))
}

// TestStuckBuildIsReportedAndGivenUp: a build whose pod is never scheduled stays
// Pending for ever.
func TestStuckBuildIsReportedAndGivenUp(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.settle(worker)
	first := h.newestBuild(worker)
	h.api.EditBuild(first, func(b *buildv1.Build) {
		b.Status.Phase, b.Status.Reason, b.Status.Message = buildv1.BuildPhasePending, buildv1.StatusReasonMissingPushSecret, "no such secret"
	})
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
	h.pass(2*time.Minute, worker)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildStuck), "MissingPushSecret: no such secret")
	h.pass(28*time.Minute, worker)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled), "PendingTooLong")
	h.api.EditBuild(first, func(b *buildv1.Build) { require.True(t, b.Status.Cancelled, "it is stopped") })
	h.pass(time.Minute, worker)
	require.NotEqual(t, first, h.newestBuild(worker))
}
