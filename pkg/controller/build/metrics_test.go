package build

import (
	"strconv"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/testutil"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// counted is a harness whose controller leads and counts.
type counted struct {
	*harness
	registry metrics.KubeRegistry
}

func newCounted(t *testing.T, configs ...string) *counted {
	t.Helper()
	m := &counted{harness: layeredHarness(t, configs...)}
	m.measure()
	return m
}

// measure lets the controller lead, with metrics and a registry of its own.
func (m *counted) measure() {
	m.t.Helper()
	m.registry = metrics.NewKubeRegistry()
	m.ctrl.metrics = NewMetrics()
	require.NoError(m.t, m.ctrl.metrics.Register(m.registry))
	m.ctrl.beginWork(1)
}

// again is a new process, as after a crash.
func (m *counted) again() {
	m.t.Helper()
	m.restart()
	m.measure()
	m.settle(worker)
}

// requireSeries compares the series of a metric, without its help, with the given ones,
// without the prefix.
func (m *counted) requireSeries(reason, name string, series ...string) {
	m.t.Helper()
	expected := strings.Builder{}
	if family := m.family(name); family != nil && len(series) > 0 {
		expected.WriteString("# HELP " + family.GetName() + " " + family.GetHelp() + "\n# TYPE " + family.GetName() + " " + strings.ToLower(family.GetType().String()) + "\n")
	}
	for _, line := range series {
		expected.WriteString(metricsPrefix + "_" + line + "\n")
	}
	require.NoError(m.t, testutil.GatherAndCompare(m.registry, strings.NewReader(expected.String()), metricsPrefix+"_"+name), reason)
}

// family is a metric with its series, by its name without the prefix; nil if it has none.
func (m *counted) family(name string) *testutil.MetricFamily {
	m.t.Helper()
	families, err := m.registry.Gather()
	require.NoError(m.t, err)
	for _, family := range families {
		if family.GetName() == metricsPrefix+"_"+name {
			return family
		}
	}
	return nil
}

// finish lets the newest build run and end, and the controller see both.
func (m *counted) finish(wait, run time.Duration, end func(name string)) {
	m.t.Helper()
	name := m.newestBuild(worker)
	m.clock.Step(wait)
	m.api.RunBuild(name, buildv1.BuildPhaseRunning)
	m.settle(worker)
	m.clock.Step(run)
	end(name)
	m.settle(worker)
}

func (m *counted) succeed(name string) { m.api.CompleteBuild(name, buildtest.Digest(len(name)%10)) }

func (m *counted) breakWith(reason buildv1.StatusReason) func(string) {
	return func(name string) { m.api.FailBuild(name, buildv1.BuildPhaseFailed, reason, "it broke") }
}

// TestBuildsAreCounted follows a pool through what can become of a build.
func TestBuildsAreCounted(t *testing.T) {
	m := newCounted(t, configA, configB)
	m.settle(worker)
	m.requireSeries("the build is created", "builds_started_total", `builds_started_total{pool="worker"} 1`)
	m.requireSeries("and waits", "builds_pending", `builds_pending{pool="worker"} 1`)
	m.requireSeries("and has not ended", "builds_finished_total")

	m.finish(20*time.Second, 4*time.Minute, m.succeed)
	m.requireSeries("it made its image", "builds_finished_total", `builds_finished_total{pool="worker",reason="Succeeded",result="succeeded"} 1`)
	m.requireSeries("it ran from its start to its end", "build_duration_seconds", histogram("build_duration_seconds", `result="succeeded"`, buildBuckets, 240)...)
	m.requireSeries("it waited from the decision to its start", "build_queue_wait_seconds", histogram("build_queue_wait_seconds", "", waitBuckets, 20)...)

	m.want(configB)
	m.settle(worker)
	m.finish(0, time.Minute, m.breakWith(buildv1.StatusReasonFetchImageContentFailed))
	m.pass(time.Minute, worker)
	m.requireSeries("it failed for a passing reason", "builds_finished_total",
		`builds_finished_total{pool="worker",reason="FetchImageContentFailed",result="failed"} 1`,
		`builds_finished_total{pool="worker",reason="Succeeded",result="succeeded"} 1`)
	m.requireSeries("and was tried again", "build_retries_total", `build_retries_total{pool="worker"} 1`)
	m.requireSeries("by another build", "builds_started_total", `builds_started_total{pool="worker"} 3`)

	m.want(configA)
	m.settle(worker)
	m.requireSeries("the image of before serves again", "images_reused_total", `images_reused_total{pool="worker"} 1`)
	m.requireSeries("so nothing was built for it, and the second attempt is of no use", "builds_finished_total",
		`builds_finished_total{pool="worker",reason="FetchImageContentFailed",result="failed"} 1`,
		`builds_finished_total{pool="worker",reason="Succeeded",result="succeeded"} 1`,
		`builds_finished_total{pool="worker",reason="Superseded",result="superseded"} 1`)
	m.requireSeries("all were created once", "builds_started_total", `builds_started_total{pool="worker"} 3`)
}

// histogram are the series of a histogram with one observation.
func histogram(name, label string, buckets []float64, observed float64) []string {
	var series []string
	labels := func(le string) string { return strings.Trim(label+`,le="`+le+`"`, ",") }
	for _, bound := range buckets {
		n := "0"
		if observed <= bound {
			n = "1"
		}
		series = append(series, name+"_bucket{"+labels(number(bound))+"} "+n)
	}
	bare := name + "_sum " + number(observed)
	count := name + "_count 1"
	if label != "" {
		bare, count = name+"_sum{"+label+"} "+number(observed), name+"_count{"+label+"} 1"
	}
	return append(series, name+"_bucket{"+labels("+Inf")+"} 1", bare, count)
}

// TestNothingIsCountedTwice: neither what is repeated, nor what a process before this one
// did, nor what was mended, is news.
func TestNothingIsCountedTwice(t *testing.T) {
	one := `builds_finished_total{pool="worker",reason="Succeeded",result="succeeded"} 1`
	m := newCounted(t, configA, configB)
	m.settle(worker)
	m.finish(0, time.Minute, m.succeed)
	m.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.DesiredOSImageAnnotation) })
	m.pass(time.Hour, worker)
	m.requireSeries("publishing again what someone took away is no build", "builds_finished_total", one)
	m.requireSeries("nor the use of an older one", "images_reused_total", `images_reused_total{pool="worker"} 0`)

	m.again()
	m.requireSeries("what was on record was counted by the process before", "builds_finished_total")
	m.requireSeries("likewise", "builds_started_total", `builds_started_total{pool="worker"} 0`)

	m.want(configB)
	m.settle(worker)
	m.again()
	m.requireSeries("the build was created by the process before", "builds_started_total", `builds_started_total{pool="worker"} 0`)
	m.finish(0, time.Minute, m.succeed)
	m.requireSeries("but ended in this one's time", "builds_finished_total", one)

	m.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.BuildRecordAnnotation) })
	m.pass(time.Hour, worker)
	m.requireSeries("a record that was lost leads to no build", "builds_finished_total", one)
	m.requireSeries("since the image is found again", "images_reused_total", `images_reused_total{pool="worker"} 1`)
}

// TestCountsSurviveALostReply: the pool was patched, and the controller was told that it
// was not.
func TestCountsSurviveALostReply(t *testing.T) {
	m := newCounted(t, configA)
	m.loseReplies("patch machineconfigpools")
	m.settle(worker)
	m.loseReplies("create builds")
	m.pass(time.Minute, worker)
	m.requireSeries("the build exists", "builds_started_total", `builds_started_total{pool="worker"} 1`)
	m.loseReplies("patch machineconfigpools")
	m.finish(0, time.Minute, m.succeed)
	m.requireSeries("its image is on the pool", "builds_finished_total", `builds_finished_total{pool="worker",reason="Succeeded",result="succeeded"} 1`)
}

// TestEndings are counted by result and reason, and the reasons are bounded.
func TestEndings(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		act    func(m *counted)
		want   string
	}{
		"cancelled": {reason: "somebody's will", act: func(m *counted) {
			m.stopped(m.newestBuild(worker))
		}, want: `reason="CancelledBuild",result="interrupted"`},
		"unknown reason": {reason: "anyone may write a Build's status", act: func(m *counted) {
			m.breakWith("NeverHeardOf")(m.newestBuild(worker))
		}, want: `reason="Other",result="failed"`},
		"no digest": {reason: "the image cannot be published", act: func(m *counted) {
			m.api.CompleteBuild(m.newestBuild(worker), "")
		}, want: `reason="ImageDigestMissing",result="failed"`},
		"deleted": {reason: "the build was seen and is gone", act: func(m *counted) {
			m.api.Remove("builds", ctrlcommon.MCONamespace, m.newestBuild(worker))
			m.settle(worker)
			m.clock.Step(time.Minute)
		}, want: `reason="BuildDeleted",result="failed"`},
		"pending for too long": {reason: "it is given up, and that counts once", act: func(m *counted) {
			m.pass(31*time.Minute, worker)
			m.stopped(m.newestBuild(worker))
		}, want: `reason="PendingTooLong",result="failed"`},
		"superseded": {reason: "other inputs are wanted while it runs", act: func(m *counted) {
			m.want(configB)
		}, want: `reason="Superseded",result="superseded"`},
		"superseded while held": {reason: "its stop is put on record", act: func(m *counted) {
			m.want("rendered-worker-missing")
			m.settle(worker)
			m.pass(time.Minute, worker)
		}, want: `reason="Superseded",result="superseded"`},
		"failed unseen": {reason: "other inputs were wanted before its failure was on record", act: func(m *counted) {
			m.breakWith(buildv1.StatusReasonDockerBuildFailed)(m.newestBuild(worker))
			m.want(configB)
		}, want: `reason="DockerBuildFailed",result="failed"`},
		"succeeded unseen": {reason: "its image will serve when its inputs are wanted again", act: func(m *counted) {
			m.succeed(m.newestBuild(worker))
			m.want(configB)
		}, want: `reason="Succeeded",result="succeeded"`},
	} {
		t.Run(name, func(t *testing.T) {
			m := newCounted(t, configA, configB)
			m.settle(worker)
			test.act(m)
			m.settle(worker)
			m.requireSeries(test.reason, "builds_finished_total", `builds_finished_total{pool="worker",`+test.want+`} 1`)
		})
	}
}

// TestSyncsAreCounted: their errors by kinds that are there from the beginning.
func TestSyncsAreCounted(t *testing.T) {
	m := newCounted(t, configA)
	m.ctrl.ended(worker, m.ctrl.began(worker), nil)
	m.ctrl.ended(worker, m.ctrl.began(worker), errStale)
	m.requireSeries("a rate needs a zero to begin with", "sync_errors_total",
		`sync_errors_total{kind="conflict"} 0`, `sync_errors_total{kind="forbidden"} 0`, `sync_errors_total{kind="held"} 0`,
		`sync_errors_total{kind="network"} 0`, `sync_errors_total{kind="other"} 0`, `sync_errors_total{kind="server"} 0`,
		`sync_errors_total{kind="stale"} 1`, `sync_errors_total{kind="throttled"} 0`, `sync_errors_total{kind="timeout"} 0`)
	require.EqualValues(t, 2, m.family("sync_duration_seconds").GetMetric()[0].GetHistogram().GetSampleCount())
}

// TestRegisterOnce: a second call does nothing, and metrics of one controller cannot
// share a registry with those of another one.
func TestRegisterOnce(t *testing.T) {
	registry := metrics.NewKubeRegistry()
	m := NewMetrics()
	require.NoError(t, m.Register(registry))
	require.NoError(t, m.Register(registry))
	require.ErrorContains(t, NewMetrics().Register(registry), "could not register metrics")
}

// TestNoMetrics: a controller without metrics works.
func TestNoMetrics(t *testing.T) {
	h := layeredHarness(t, configA)
	h.ctrl.metrics = nil
	h.ctrl.beginWork(1)
	h.settle(worker)
	h.complete(worker)
	h.ctrl.ended(worker, h.ctrl.began(worker), nil)
	h.ctrl.forget(worker)
	h.ctrl.endWork()
	require.Equal(t, ledger.StatePublished, h.settle(worker).State)
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// loseReplies loses the reply of the next such call.
func (m *counted) loseReplies(call string) {
	lost := false
	m.api.LoseReply = func(c buildtest.Call) error {
		if lost || c.String() != call {
			return nil
		}
		lost = true
		return apierrors.NewTimeoutError("the reply is lost", 1)
	}
}
