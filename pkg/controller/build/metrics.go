package build

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/component-base/metrics"
)

// metricsPrefix begins the name of every metric of the BuildController.
const metricsPrefix = "machine_os_builder"

// Registry is where metrics are registered; a metrics.KubeRegistry is one.
type Registry interface {
	Register(metrics.Registerable) error
	CustomRegister(metrics.StableCollector) error
}

// Metrics are what one process tells of its BuildController. They are listed, with what
// they mean, in metrics.md. Nil records nothing.
type Metrics struct {
	once        sync.Once
	registerErr error

	syncDuration  *metrics.Histogram
	syncErrors    *metrics.CounterVec
	buildDuration *metrics.HistogramVec
	queueWait     *metrics.Histogram

	tallies   tallies
	collector *poolCollector
}

var (
	// A sync that has nothing to do takes microseconds, one that does a few calls tens of
	// milliseconds, and one of which each call times out minutes.
	syncBuckets = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}
	// Images take minutes to build; the default deadlines are 30 and 60 minutes.
	waitBuckets  = []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200}
	buildBuckets = []float64{30, 60, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200}
)

// NewMetrics returns metrics that wait for Register.
func NewMetrics() *Metrics {
	m := &Metrics{
		syncDuration: metrics.NewHistogram(&metrics.HistogramOpts{
			Name: metricsPrefix + "_sync_duration_seconds", Buckets: syncBuckets, StabilityLevel: metrics.ALPHA,
			Help: "How long it took to look at a pool and to do what was due.",
		}),
		syncErrors: metrics.NewCounterVec(&metrics.CounterOpts{
			Name: metricsPrefix + "_sync_errors_total", StabilityLevel: metrics.ALPHA,
			Help: "Syncs that ended with an error and are tried again, by the kind of the error. The kinds conflict and stale are part of normal operation.",
		}, []string{"kind"}),
		buildDuration: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Name: metricsPrefix + "_build_duration_seconds", Buckets: buildBuckets, StabilityLevel: metrics.ALPHA,
			Help: "How long builds ran, from when they began to run to their end, by result.",
		}, []string{"result"}),
		queueWait: metrics.NewHistogram(&metrics.HistogramOpts{
			Name: metricsPrefix + "_build_queue_wait_seconds", Buckets: waitBuckets, StabilityLevel: metrics.ALPHA,
			Help: "How long builds waited, from the decision to build to when they began to run. Observed when a build has ended.",
		}),
	}
	m.tallies.pools = map[string]*tally{}
	m.collector = newPoolCollector(&m.tallies)
	return m
}

// Register adds the metrics to the registry. It has to be called before the controller
// runs; calling it again does nothing.
func (m *Metrics) Register(registry Registry) error {
	m.once.Do(func() {
		m.registerErr = errors.Join(
			registry.Register(m.syncDuration),
			registry.Register(m.syncErrors),
			registry.Register(m.buildDuration),
			registry.Register(m.queueWait),
			registry.CustomRegister(m.collector),
		)
		for _, kind := range errorKinds {
			m.syncErrors.WithLabelValues(kind)
		}
	})
	if m.registerErr != nil {
		return fmt.Errorf("could not register metrics: %w", m.registerErr)
	}
	return nil
}

// synced records a sync.
func (m *Metrics) synced(took time.Duration, err error) {
	if m == nil {
		return
	}
	m.syncDuration.Observe(took.Seconds())
	if err != nil {
		m.syncErrors.WithLabelValues(sortError(err).kind).Inc()
	}
}

// forget drops what was counted of a pool that does not exist any more.
func (m *Metrics) forget(pool string) {
	if m != nil {
		m.tallies.forget(pool)
	}
}

// follow has the pools of the controller told of; nil for none.
func (m *Metrics) follow(ctrl *Controller) {
	if m != nil {
		m.collector.follow(ctrl)
	}
}
