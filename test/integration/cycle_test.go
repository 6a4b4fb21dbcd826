package integration

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// maxCallsPerCycle is the budget of a build from a new config to its image, removing
// the Build before it included, which is one more than are kept for inspection.
const maxCallsPerCycle = 9

// TestCycleCosts: what the API server notes of one build, and of a thousand
// updates that do not concern it.
func TestCycleCosts(t *testing.T) {
	useSettings(t)
	first, second := createConfig(t), createConfig(t)
	startBuildController(t)
	createPool(t, "costs", first)
	awaitImage(t, "costs", first)
	awaitNoInputs(t)

	_, mark := auditLines(t, 0)
	wantConfig(t, "costs", second)
	awaitImage(t, "costs", second)
	awaitNoInputs(t)
	requests, mark := settled(t, mark)
	var reads, calls, events int
	for _, request := range requests {
		switch {
		case strings.HasSuffix(request, " events"):
			events++
		case strings.HasPrefix(request, "get "):
			reads++
			calls++
		default:
			calls++
		}
		require.NotRegexp(t, ` [45]\d\d$`, request, "nothing is refused in a happy cycle")
	}
	t.Logf("one cycle: %s", strings.Join(requests, ", "))
	require.LessOrEqual(t, calls, maxCallsPerCycle)
	require.Zero(t, reads, "the config was on its way to the controller anyway")
	require.LessOrEqual(t, events, 2, "one event for the start, one for the result")

	for i := range 1000 {
		patchPool(t, "costs", fmt.Sprintf(`{"metadata":{"labels":{"unrelated":"%d"}}}`, i))
	}
	requests, _ = settled(t, mark)
	require.Empty(t, requests, "updates that do not concern the image cost nothing")
}

// settled returns the controller's requests since the mark once no new ones come.
func settled(t *testing.T, mark int) (requests []string, now int) {
	t.Helper()
	quietSince, last := time.Now(), -1
	require.Eventually(t, func() bool {
		requests, now = auditLines(t, mark)
		// Not the number of lines: leases are renewed for ever.
		if len(requests) != last {
			quietSince, last = time.Now(), len(requests)
		}
		return time.Since(quietSince) > time.Second
	}, soon, 50*time.Millisecond)
	return requests, now
}

// TestGateOff: with the feature gate off, the process runs, says so, and touches
// nothing.
func TestGateOff(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	createPool(t, "gate-off", config)
	before := getPool(t, "gate-off")
	_, mark := auditLines(t, 0)
	p := startController(t)
	require.Equal(t, http.StatusOK, p.get("/healthz"))
	require.Equal(t, http.StatusOK, p.get("/metrics"))
	require.Contains(t, p.logText(), "The BuildController is off")
	p.stop()
	requests, _ := settled(t, mark)
	require.Empty(t, requests, "not even a read")
	require.Equal(t, before, getPool(t, "gate-off"))
	require.Empty(t, ourBuilds(t, "gate-off"))
}

// TestBuildIsWhatWasAskedFor: the Build, as the API server stored it, and what
// the builder got from it.
func TestBuildIsWhatWasAskedFor(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	startBuildController(t)
	createPool(t, "asked-for", config)
	image := awaitImage(t, "asked-for", config)

	builds := ourBuilds(t, "asked-for")
	require.Len(t, builds, 1)
	require.Equal(t, "DockerImage", builds[0].Spec.Output.To.Kind)
	require.Equal(t, "push", builds[0].Spec.Output.PushSecret.Name)
	require.Nil(t, builds[0].Spec.Strategy.DockerStrategy.PullSecret)
	require.True(t, strings.HasSuffix(image, builds[0].Status.Output.To.ImageDigest))

	job := jobOf(t, builds[0].Name)
	require.Len(t, job.Sources, 1, "a small config fits into one Secret")
	require.Equal(t, "machine-config.tar.gz.00", job.Sources[0].Path)
	require.Equal(t, job.Dockerfile, job.Containerfile(), "and needs no more than the inline Containerfile")
	require.Contains(t, string(job.Dockerfile), `machineconfiguration.openshift.io/rendered-config="`+config+`"`)
	require.Empty(t, builds[0].Spec.Output.ImageLabels, "they would be lost with inline text")
	require.Equal(t, repository+":"+builds[0].Name, job.Output)
}

// TestL08BrokenAndFixed: what is missing is named on the pool, and the build
// starts within a second of the fix. What breaks again is told again.
func TestL08BrokenAndFixed(t *testing.T) {
	config := createConfig(t)
	startBuildController(t)
	createPool(t, "broken", config)
	require.Contains(t, awaitReason(t, "broken", "ConfigMapMissing"), "machine-os-builder-config")
	createSettings(t)
	require.Contains(t, awaitReason(t, "broken", "SecretMissing"), "Secret push")
	fixed := time.Now()
	createSecret(t, "push")
	require.Eventually(t, func() bool { return len(ourBuilds(t, "broken")) > 0 }, soon, time.Millisecond)
	require.Less(t, time.Since(fixed), time.Second, "the build starts within a second of the fix")
	awaitImage(t, "broken", config)

	configMaps := shared.kube.CoreV1().ConfigMaps(devcluster.Namespace)
	require.NoError(t, configMaps.Delete(t.Context(), "machine-os-builder-config", metav1.DeleteOptions{}))
	awaitReason(t, "broken", "ConfigMapMissing")

	want := map[string]int{"Warning ConfigMapMissing": 2, "Warning SecretMissing": 1, "Normal BuildCreated": 1, "Normal ImagePublished": 1}
	var got map[string]int
	// Events are sent in the background.
	require.Eventually(t, func() bool {
		got = eventsOf(t, "broken")
		return maps.Equal(got, want)
	}, soon, 10*time.Millisecond, "one event per transition, but there are %v", &got)
}

// eventsOf counts the events of a pool by type and reason.
func eventsOf(t *testing.T, pool string) map[string]int {
	t.Helper()
	events, err := shared.kube.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + pool})
	require.NoError(t, err)
	counts := map[string]int{}
	for i := range events.Items {
		counts[events.Items[i].Type+" "+events.Items[i].Reason] += int(events.Items[i].Count)
	}
	return counts
}

// hold makes builds of the pool wait in Running until the returned function is
// called; others succeed at once.
func hold(t *testing.T, pool string) (release func()) {
	t.Helper()
	gate := make(chan struct{})
	shared.script.Decide(func(job buildrunner.Job) buildrunner.Script {
		if strings.HasPrefix(job.Name, "machine-os-"+pool+"-") {
			return buildrunner.Script{HoldRunning: gate}
		}
		return buildrunner.Script{}
	})
	t.Cleanup(succeedAtOnce)
	released := false
	return func() {
		if !released {
			released = true
			close(gate)
		}
	}
}

// TestL03ConfigChangesMidBuild: the old Build is cancelled and removed, the new
// config's image is published.
func TestL03ConfigChangesMidBuild(t *testing.T) {
	useSettings(t)
	first, second := createConfig(t), createConfig(t)
	startBuildController(t)
	release := hold(t, "mid-build")
	defer release()
	createPool(t, "mid-build", first)
	awaitReason(t, "mid-build", "BuildRunning")
	old := ourBuilds(t, "mid-build")[0]

	succeedAtOnce()
	wantConfig(t, "mid-build", second)
	awaitImage(t, "mid-build", second)
	awaitGone(t, func() error {
		_, err := shared.builds.BuildV1().Builds(devcluster.Namespace).Get(t.Context(), old.Name, metav1.GetOptions{})
		return err
	}, "the superseded Build")
	awaitNoInputs(t)
}

// TestL06PoolDeletedMidBuild: the garbage collector takes what we made.
func TestL06PoolDeletedMidBuild(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	startBuildController(t)
	release := hold(t, "deleted")
	defer release()
	createPool(t, "deleted", config)
	awaitReason(t, "deleted", "BuildRunning")
	require.NoError(t, shared.mcfg.MachineconfigurationV1().MachineConfigPools().Delete(t.Context(), "deleted", metav1.DeleteOptions{}))
	require.Eventually(t, func() bool { return len(ourBuilds(t, "deleted")) == 0 }, soon, 20*time.Millisecond, "the Build is left behind")
	awaitNoInputs(t)
}

// TestL09OptOutWhileDown: opting out is a level; it is noticed at the next start.
func TestL09OptOutWhileDown(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	p := startBuildController(t)
	release := hold(t, "opt-out")
	defer release()
	createPool(t, "opt-out", config)
	awaitReason(t, "opt-out", "BuildRunning")
	p.kill()
	patchPool(t, "opt-out", fmt.Sprintf(`{"metadata":{"labels":{%q:null}}}`, layeredLabel))
	startBuildController(t)
	require.Eventually(t, func() bool {
		pool := getPool(t, "opt-out")
		return len(ourBuilds(t, "opt-out")) == 0 && len(pool.Annotations) == 0 && len(pool.Status.Conditions) == 0
	}, soon, 20*time.Millisecond, "something of ours is left behind")
	awaitNoInputs(t)
}

// TestH15H16CrashMidBuild: kill -9 while the build runs; it ends while nobody
// watches, and its image is published at the next start.
func TestH15H16CrashMidBuild(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	p := startBuildController(t)
	release := hold(t, "crash")
	createPool(t, "crash", config)
	awaitReason(t, "crash", "BuildRunning")
	p.kill()
	release()
	require.Eventually(t, func() bool { return ourBuilds(t, "crash")[0].Status.Phase == buildv1.BuildPhaseComplete }, soon, 10*time.Millisecond)
	startBuildController(t)
	awaitImage(t, "crash", config)
	require.Len(t, ourBuilds(t, "crash"), 1, "no second Build")
	awaitNoInputs(t)
}

// TestH25RetryAfterLostDigest: the first build loses its digest, the next one
// has it. It waits for a real back-off.
func TestH25RetryAfterLostDigest(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	startBuildController(t)
	lost := false
	shared.script.Decide(func(buildrunner.Job) buildrunner.Script {
		script := buildrunner.Script{NoDigest: !lost}
		lost = true
		return script
	})
	t.Cleanup(succeedAtOnce)
	createPool(t, "lost-digest", config)
	// The condition says so for moments only: the time until the next attempt went by with
	// asking the registry, of which there is none, for a minute.
	require.Eventually(t, func() bool { return eventsOf(t, "lost-digest")["Warning RetryScheduled"] == 1 },
		3*time.Minute, 50*time.Millisecond, "the lost digest is reported")
	awaitImage(t, "lost-digest", config)
	require.Len(t, ourBuilds(t, "lost-digest"), 2)
	require.Zero(t, eventsOf(t, "lost-digest")["Warning RequestRefused"], "a registry's silence holds nothing up")
}

// TestFailureIsReported: reason, message and log of the Build are on the pool,
// and a fixed config builds.
func TestFailureIsReported(t *testing.T) {
	useSettings(t)
	broken, fixed := createConfig(t), createConfig(t)
	startBuildController(t)
	shared.script.Decide(func(buildrunner.Job) buildrunner.Script {
		return buildrunner.Script{Log: "step 3\nno such file\n", Err: buildrunner.NewFailure(buildv1.StatusReasonDockerBuildFailed, fmt.Errorf("exit 1"))}
	})
	t.Cleanup(succeedAtOnce)
	createPool(t, "failing", broken)
	message := awaitReason(t, "failing", "BuildFailed")
	require.Contains(t, message, "DockerBuildFailed")
	require.Eventually(t, func() bool {
		_, message = condition(t, getPool(t, "failing"))
		return strings.Contains(message, "no such file")
	}, soon, 10*time.Millisecond, "the end of the log does not come to the pool")
	for _, c := range getPool(t, "failing").Status.Conditions {
		require.NotEqual(t, mcfgv1.MachineConfigPoolImageBuildDegraded, c.Type, "this cluster serves MachineOSConfigs, so it is the node controller's")
	}
	succeedAtOnce()
	wantConfig(t, "failing", fixed)
	awaitImage(t, "failing", fixed)
}

// TestH29RecreatedPool: a pool that is deleted and created again under its name
// gets a Build of its own.
func TestH29RecreatedPool(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	startBuildController(t)
	createPool(t, "again", config)
	awaitImage(t, "again", config)
	old := ourBuilds(t, "again")[0]
	require.NoError(t, shared.mcfg.MachineconfigurationV1().MachineConfigPools().Delete(t.Context(), "again", metav1.DeleteOptions{}))
	createPool(t, "again", config)
	awaitImage(t, "again", config)
	awaitGone(t, func() error {
		_, err := shared.builds.BuildV1().Builds(devcluster.Namespace).Get(t.Context(), old.Name, metav1.GetOptions{})
		return err
	}, "the Build of the deleted pool")
	builds := ourBuilds(t, "again")
	require.Len(t, builds, 1)
	require.Equal(t, getPool(t, "again").UID, builds[0].OwnerReferences[0].UID)
}

// TestLeaderElection: a second process stands by until the first one has gone,
// which gives its lease back.
func TestLeaderElection(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	first, second := startController(t, shippedFlags(t)...), startController(t, shippedFlags(t)...)
	require.Equal(t, http.StatusOK, second.get("/readyz"), "standing by is being ready")
	createPool(t, "leader", config)
	awaitImage(t, "leader", config)
	first.stop()

	next := createConfig(t)
	wantConfig(t, "leader", next)
	awaitImage(t, "leader", next)
	require.Contains(t, second.logText(), "Leading")
	second.stop()
	lease, err := shared.kube.CoordinationV1().Leases(devcluster.Namespace).Get(t.Context(), deploy.Name, metav1.GetOptions{})
	require.NoError(t, err)
	require.Empty(t, *lease.Spec.HolderIdentity, "the lease is given back")
}
