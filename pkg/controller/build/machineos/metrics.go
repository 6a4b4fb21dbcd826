package machineos

import (
	"errors"
	"sync"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/component-base/metrics"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Registry is where metrics are registered; a metrics.KubeRegistry is one.
type Registry interface {
	Register(metrics.Registerable) error
	CustomRegister(metrics.StableCollector) error
}

// Metrics are about MachineOSConfigs and MachineOSBuilds, under the names and with the labels
// that the alert rules which ship with the operator, and its telemetry, ask for. They are
// listed in metrics.md. There are no series while the API is not served or the gate is off.
type Metrics struct {
	metrics.BaseStableCollector
	configs, state *metrics.Desc
	builds, pushes *metrics.CounterVec
	duration       *metrics.HistogramVec

	mu sync.Mutex
	// ledger is what is told of, while the process works; nil otherwise.
	ledger *Ledger
}

// states are the conditions of a MachineOSBuild, as metrics name them.
var states = map[mcfgv1.BuildProgress]string{
	mcfgv1.MachineOSBuildPrepared: "pending", mcfgv1.MachineOSBuilding: "building", mcfgv1.MachineOSBuildSucceeded: "succeeded",
	mcfgv1.MachineOSBuildFailed: "failed", mcfgv1.MachineOSBuildInterrupted: "interrupted",
}

// NewMetrics returns metrics that wait for Register.
func NewMetrics() *Metrics {
	labels := []string{"pool", "state"}
	counter := func(name, help string) *metrics.CounterVec {
		return metrics.NewCounterVec(&metrics.CounterOpts{Name: name, Help: help, StabilityLevel: metrics.ALPHA}, labels)
	}
	return &Metrics{
		configs: metrics.NewDesc("mco_mosc_count", "MachineOSConfigs.", nil, nil, metrics.ALPHA, ""),
		state:   metrics.NewDesc("ocl_build_state", "1 for the condition that is True of the MachineOSBuild which counts for the pool, 0 for the others.", labels, nil, metrics.ALPHA, ""),
		builds:  counter("ocl_build_total", "MachineOSBuilds that came to an end, whatever their number of attempts. One that did with an image that there was is none."),
		pushes:  counter("ocl_image_push_total", "Likewise, those that were to push an image and did, or failed."),
		duration: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Name: "ocl_build_duration_seconds", Help: "How long MachineOSBuilds took, from the beginning of the first attempt to their end.",
			Buckets: []float64{60, 120, 300, 600, 900, 1200, 1800, 2700, 3600}, StabilityLevel: metrics.ALPHA,
		}, labels),
	}
}

// Register adds the metrics to the registry.
func (m *Metrics) Register(registry Registry) error {
	return errors.Join(registry.Register(m.builds), registry.Register(m.pushes), registry.Register(m.duration), registry.CustomRegister(m))
}

// Follow has the objects of the ledger told of, and what is written there counted; nil for
// none. It is called before anything is written.
func (m *Metrics) Follow(l *Ledger) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ledger = l; l != nil {
		l.metrics = m
	}
}

// DescribeWithStability implements metrics.StableCollector.
func (m *Metrics) DescribeWithStability(ch chan<- *metrics.Desc) {
	ch <- m.configs
	ch <- m.state
}

// CollectWithStability implements metrics.StableCollector.
func (m *Metrics) CollectWithStability(ch chan<- metrics.Metric) {
	m.mu.Lock()
	l := m.ledger
	m.mu.Unlock()
	if l == nil || l.waiting.Load() {
		return
	}
	ch <- metrics.NewLazyConstMetric(m.configs, metrics.GaugeValue, float64(len(l.configs.GetIndexer().ListKeys())))
	for _, pool := range l.Pools() {
		configs := l.Configs(pool)
		if len(configs) != 1 {
			continue
		}
		build := l.Build(configs[0], configs[0].Annotations[constants.CurrentBuildAnnotation])
		if build == nil {
			continue
		}
		is := ledger.ProgressOf(&build.Status)
		for progress, state := range states {
			value := 0.0
			if progress == is {
				value = 1
			}
			ch <- metrics.NewLazyConstMetric(m.state, metrics.GaugeValue, value, pool, state)
		}
	}
}

// ended counts the last word of a MachineOSBuild. before is its status ahead of that: one that
// has never been anything has the image of another.
func (m *Metrics) ended(pool string, before, status *mcfgv1.MachineOSBuildStatus) {
	progress := ledger.ProgressOf(status)
	if m == nil || !ledger.IsEnd(progress) || progress == mcfgv1.MachineOSBuildSucceeded && ledger.ProgressOf(before) == "" {
		return
	}
	state := states[progress]
	m.builds.WithLabelValues(pool, state).Inc()
	if progress != mcfgv1.MachineOSBuildInterrupted && status.Builder != nil {
		m.pushes.WithLabelValues(pool, state).Inc()
	}
	if status.BuildStart != nil && status.BuildEnd != nil {
		m.duration.WithLabelValues(pool, state).Observe(status.BuildEnd.Sub(status.BuildStart.Time).Seconds())
	}
}

// Forget drops what was counted of a pool that does not exist any more.
func (m *Metrics) Forget(pool string) {
	for _, state := range states {
		labels := map[string]string{"pool": pool, "state": state}
		m.builds.Delete(labels)
		m.pushes.Delete(labels)
		m.duration.Delete(labels)
	}
}
