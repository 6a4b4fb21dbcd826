package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	"k8s.io/component-base/metrics"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// stateSet are the series of the pool worker's states.
func stateSet(current ledger.State) []string {
	var series []string
	for _, state := range []ledger.State{
		"Building", "Contradictory", "Failed", "Held", "Interrupted", "NotReported", "Pending", "Published", "Queued", "Retrying", "Settling", "Stuck",
	} {
		series = append(series, `pool_state{pool="worker",state="`+string(state)+`"} `+number(asNumber(state == current)))
	}
	return series
}

func (m *counted) requireState(state ledger.State, reason, why string) {
	m.t.Helper()
	m.requireSeries(why, "pool_state", stateSet(state)...)
	m.requireSeries(why, "pool_reason", `pool_reason{pool="worker",reason="`+reason+`"} 1`)
}

func TestPoolState(t *testing.T) {
	m := newCounted(t, configA)
	m.requireState(ledger.StateNotReported, "NotReported", "nothing was done yet")
	m.settle(worker)
	m.requireState(ledger.StatePending, ledger.ReasonBuildCreated, "the build is created")
	m.finish(0, time.Minute, m.succeed)
	m.requireState(ledger.StatePublished, ledger.ReasonImagePublished, "the image is published")
	m.requireSeries("nothing is built", "builds_running", `builds_running{pool="worker"} 0`)

	m.api.Remove("configmaps", ctrlcommon.MCONamespace, buildtest.SettingsConfigMap().Name)
	m.settle(worker)
	m.requireState(ledger.StateHeld, ledger.ReasonConfigMapMissing, "the metrics say what is to be mended")
	m.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		for i := range p.Status.Conditions {
			p.Status.Conditions[i].Reason = "WrittenBySomebody"
		}
	})
	m.deliver()
	m.requireState(ledger.StateHeld, "Other", "whoever writes conditions cannot make series without end")
}

// TestSeriesVanish: with the pool, with its opting out, and with the lead.
func TestSeriesVanish(t *testing.T) {
	names := []string{"pool_state", "pool_reason", "image_stale_seconds", "builds_pending", "builds_running", "build_usual_seconds", "builds_started_total", "builds_finished_total", "build_retries_total", "images_reused_total"}
	for name, test := range map[string]struct {
		reason string
		end    func(m *counted)
		// works tells that the process goes on working.
		works bool
	}{
		"deleted": {reason: "its objects are gone", works: true, end: func(m *counted) {
			m.api.Remove("machineconfigpools", "", worker)
			m.deliver()
			_, err := m.sync(worker)
			require.NoError(m.t, err)
		}},
		"deleted, and not yet synced": {reason: "the cache alone decides", works: true, end: func(m *counted) {
			m.api.Remove("machineconfigpools", "", worker)
			m.deliver()
		}},
		"opted out": {reason: "nothing is built for it", works: true, end: func(m *counted) {
			m.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = "false" })
			m.settle(worker)
		}},
		"not leading": {reason: "another process tells of the pools", end: func(m *counted) { m.ctrl.endWork() }},
	} {
		t.Run(name, func(t *testing.T) {
			m := newCounted(t, configA)
			m.settle(worker)
			m.finish(0, time.Minute, m.succeed)
			for _, series := range names {
				require.NotNil(t, m.family(series), series)
			}
			m.requireSeries("the one build there was ran a minute", "build_usual_seconds", `build_usual_seconds{pool="worker"} 60`)
			test.end(m)
			for _, series := range names {
				m.requireSeries(test.reason+": "+series, series)
			}
			m.requireSeries(test.reason, "working", "working "+number(asNumber(test.works)))
		})
	}
}

// TestRecreatedPoolCountsAnew: counts belong to a pool, not to a name.
func TestRecreatedPoolCountsAnew(t *testing.T) {
	m := newCounted(t, configA)
	m.settle(worker)
	m.requireSeries("the first one", "builds_started_total", `builds_started_total{pool="worker"} 1`)
	m.api.Remove("machineconfigpools", "", worker)
	pool := buildtest.Pool(worker).Layered().Wants(configA).Object()
	pool.UID = "another"
	m.api.Put(pool)
	_, err := m.sync(worker)
	require.NoError(t, err)
	m.requireSeries("the pool of the same name", "builds_started_total", `builds_started_total{pool="worker"} 0`)
}

// TestStandbyTellsOfNoPool: of two replicas one reports, or sums would be twice too high.
func TestStandbyTellsOfNoPool(t *testing.T) {
	registry := metrics.NewKubeRegistry()
	require.NoError(t, NewMetrics().Register(registry))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				require.NotEqual(t, "pool", label.GetName(), family.GetName())
			}
		}
	}
	m := &counted{harness: &harness{t: t}, registry: registry}
	m.requireSeries("it stands by", "working", "working 0")
}

// TestImageStale: for how long the pool has not had what it wants, in the face of
// restarts and of a controller that does nothing about it.
func TestImageStale(t *testing.T) {
	stale := func(m *counted, seconds float64, reason string) {
		m.t.Helper()
		m.deliver()
		m.requireSeries(reason, "image_stale_seconds", `image_stale_seconds{pool="worker"} `+number(seconds))
	}
	published := func(t *testing.T) *counted {
		t.Helper()
		m := newCounted(t, configA, configB)
		m.settle(worker)
		m.finish(0, time.Minute, m.succeed)
		stale(m, 0, "it is published")
		m.clock.Step(time.Hour)
		stale(m, 0, "and stays so")
		return m
	}

	t.Run("first image", func(t *testing.T) {
		m := newCounted(t, configA)
		stale(m, 0, "it is wanted since now")
		m.clock.Step(10 * time.Second)
		stale(m, 10, "though the pool says nothing yet")
		m.settle(worker)
		m.clock.Step(time.Minute)
		stale(m, 70, "and goes on when it does")
		m.again()
		stale(m, 60, "after a restart it counts since the pool said that there is no image")
	})
	t.Run("new config", func(t *testing.T) {
		m := published(t)
		m.render("rendered-worker-new")
		m.clock.Step(20 * time.Second)
		stale(m, 20, "since the config was made, though the controller did nothing yet")
		m.settle(worker)
		m.clock.Step(time.Minute)
		stale(m, 80, "that the pool says so now makes no difference")
		m.render("rendered-worker-newer")
		m.settle(worker)
		m.clock.Step(time.Minute)
		stale(m, 140, "a newer config does not make the image any fresher")
		m.again()
		stale(m, 120, "after a restart it counts since the pool said that there is no image")
	})
	t.Run("older config", func(t *testing.T) {
		m := published(t)
		m.want(configB)
		stale(m, 0, "nobody knows since when it is wanted")
		m.clock.Step(30 * time.Second)
		stale(m, 30, "so it counts since that was seen")
		m.want(configA)
		stale(m, 0, "it is wanted no longer")
		m.want(configB)
		stale(m, 0, "what was seen before is over")
	})
	t.Run("missing config", func(t *testing.T) {
		m := published(t)
		m.want("rendered-worker-missing")
		stale(m, 0, "it is wanted since now")
		m.clock.Step(time.Minute)
		stale(m, 60, "and cannot be built")
	})
	t.Run("other inputs", func(t *testing.T) {
		m := published(t)
		m.editSettings(map[string]string{constants.FinalImagePullspecKey: buildtest.Registry + "/other"})
		m.pass(time.Minute, worker)
		m.pass(time.Minute, worker)
		m.clock.Step(time.Minute)
		require.Equal(t, configA, m.api.Pool(worker).Annotations[constants.DesiredOSImageConfigAnnotation], "the config is the same")
		require.GreaterOrEqual(t, m.family("image_stale_seconds").GetMetric()[0].GetGauge().GetValue(), 60.0, "the image is not")
	})
	t.Run("nothing wanted", func(t *testing.T) {
		m := newCounted(t, configA)
		m.want("")
		m.settle(worker)
		m.clock.Step(time.Hour)
		stale(m, 0, "no image is wanted")
	})
}

// TestBuilderThatCannotBeAsked: unknown numbers are not zero.
func TestBuilderThatCannotBeAsked(t *testing.T) {
	m := newCounted(t, configA)
	m.settle(worker)
	m.ctrl.builder = knownBuilds{problem: "the backend does not answer"}
	m.requireSeries("nobody knows", "builds_pending")
	m.requireSeries("nobody knows", "builds_running")
	m.requireState(ledger.StatePending, ledger.ReasonBuildCreated, "the pool says what it says")
}

// TestNoticingNothingCostsNothing: every sync that is not cut short comes by.
func TestNoticingNothingCostsNothing(t *testing.T) {
	m := newCounted(t, configA)
	m.settle(worker)
	m.finish(0, time.Minute, m.succeed)
	pool, err := m.ctrl.mcpLister.Get(worker)
	require.NoError(t, err)
	snapshot, err := m.ctrl.observer.observe(pool)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		began := m.ctrl.began(worker)
		m.ctrl.metrics.count(&snapshot, m.ctrl.builder)
		m.ctrl.ended(worker, began, nil)
	}))
}
