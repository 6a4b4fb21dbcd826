package build

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/version"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
)

// metricsPrefix begins the name of every metric of the BuildController.
const metricsPrefix = "machine_os_builder"

// Registry is where metrics are registered.
type Registry = machineos.Registry

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
	machineOS *machineos.Metrics
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
	m.machineOS = machineos.NewMetrics()
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
			m.machineOS.Register(registry),
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
		m.machineOS.Forget(pool)
	}
}

// follow has the pools of the controller told of; nil for none.
func (m *Metrics) follow(ctrl *Controller) {
	if m == nil {
		return
	}
	m.collector.follow(ctrl)
	if ctrl != nil {
		m.machineOS.Follow(ctrl.machineOS)
	} else {
		m.machineOS.Follow(nil)
	}
}

// poolCollector tells of the process and of its pools when it is asked. What it tells of
// a pool comes from the caches, so series vanish with their pool, and none are left over
// in a process that does not work on pools (any more).
type poolCollector struct {
	metrics.BaseStableCollector
	tallies *tallies

	info, working                    *metrics.Desc
	state, reason, stale             *metrics.Desc
	pending, running, usual          *metrics.Desc
	started, finished, retries, used *metrics.Desc

	mu sync.Mutex
	// ctrl is the controller while it works.
	ctrl *Controller
	// stalePools are the pools that were stale when they were looked at last, with since
	// when. What the cluster tells of that is less once the pool says that it has no image.
	stalePools map[string]time.Time
}

func newPoolCollector(tallies *tallies) *poolCollector {
	desc := func(name, help string, labels ...string) *metrics.Desc {
		return metrics.NewDesc(metricsPrefix+"_"+name, help, labels, nil, metrics.ALPHA, "")
	}
	return &poolCollector{
		tallies: tallies,
		info:    desc("build_info", "The version of the program. Always 1.", "version", "git_commit", "go_version"),
		working: desc("working", "1 while the process works on pools: it leads, and its caches are full. Otherwise 0."),
		state:   desc("pool_state", "1 for the state that the pool's conditions tell of, 0 for the others.", "pool", "state"),
		reason:  desc("pool_reason", "Always 1; the label reason is that of the pool's build condition which is True.", "pool", "reason"),
		stale:   desc("image_stale_seconds", "For how long the published image has not been the wanted one; 0 while it is.", "pool"),
		pending: desc("builds_pending", "Builds that exist and have not begun to run.", "pool"),
		running: desc("builds_running", "Builds that run, including superseded ones that are being stopped.", "pool"),
		usual:   desc("build_usual_seconds", "For how long the pool's builds run: the median of the last ones that made an image. None while there were none.", "pool"),
		started: desc("builds_started_total", "Builds that were created.", "pool"),
		finished: desc("builds_finished_total", "Builds that ended, or were given up, by result and reason. A superseded build is one whose inputs were not wanted any more before it ended.",
			"pool", "result", "reason"),
		retries: desc("build_retries_total", "Attempts at what an attempt before had failed at for a passing reason.", "pool"),
		used:    desc("images_reused_total", "Images that were published without a build, because an earlier one had made them.", "pool"),
	}
}

// DescribeWithStability implements metrics.StableCollector.
func (c *poolCollector) DescribeWithStability(ch chan<- *metrics.Desc) {
	for _, desc := range []*metrics.Desc{
		c.info, c.working, c.state, c.reason, c.stale, c.pending, c.running, c.usual, c.started, c.finished, c.retries, c.used,
	} {
		ch <- desc
	}
}

// follow has the pools of the controller told of; nil for none.
func (c *poolCollector) follow(ctrl *Controller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctrl, c.stalePools = ctrl, nil
}

// CollectWithStability implements metrics.StableCollector.
func (c *poolCollector) CollectWithStability(ch chan<- metrics.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := version.Get()
	ch <- metrics.NewLazyConstMetric(c.info, metrics.GaugeValue, 1, v.GitVersion, v.GitCommit, v.GoVersion)
	ch <- metrics.NewLazyConstMetric(c.working, metrics.GaugeValue, asNumber(c.ctrl != nil))
	if c.ctrl == nil {
		return
	}
	pools, err := c.ctrl.mcpLister.List(labels.Everything())
	if err != nil {
		return
	}
	stalePools := map[string]time.Time{}
	for _, pool := range pools {
		if ledger.IsLayered(pool) {
			c.collectState(ch, pool)
			c.collectStale(ch, pool, stalePools)
			c.collectUsual(ch, pool)
			c.collectBuilds(ch, pool)
			c.collectCounts(ch, pool.Name)
		}
	}
	c.stalePools = stalePools
}

func (c *poolCollector) collectState(ch chan<- metrics.Metric, pool *mcfgv1.MachineConfigPool) {
	told := ledger.ReadConditions(pool.Status.Conditions)
	reason := told.Reason
	if told.State == ledger.StateNotReported || told.State == ledger.StateContradictory {
		reason = string(told.State)
	} else if !slices.Contains(ledger.ReportedReasons, reason) {
		// Somebody spoiled it; it will be mended.
		reason = reasonOther
	}
	for _, s := range ledger.FoundStates {
		ch <- metrics.NewLazyConstMetric(c.state, metrics.GaugeValue, asNumber(told.State == s), pool.Name, string(s))
	}
	ch <- metrics.NewLazyConstMetric(c.reason, metrics.GaugeValue, 1, pool.Name, reason)
}

func (c *poolCollector) collectStale(ch chan<- metrics.Metric, pool *mcfgv1.MachineConfigPool, stalePools map[string]time.Time) {
	now := c.ctrl.config.Clock.Now()
	since := now
	if isStale(pool) {
		if told := c.ctrl.staleSince(pool); !told.IsZero() {
			since = told
		}
		if before, ok := c.stalePools[pool.Name]; ok && before.Before(since) {
			since = before
		}
		stalePools[pool.Name] = since
	}
	// The API server's clock may run ahead of ours.
	ch <- metrics.NewLazyConstMetric(c.stale, metrics.GaugeValue, max(now.Sub(since), 0).Seconds(), pool.Name)
}

// isStale tells whether the pool wants an image that is not the published one. The
// condition knows of everything that goes into an image, the annotation of a config that
// was not acted on yet.
func isStale(pool *mcfgv1.MachineConfigPool) bool {
	wanted := pool.Spec.Configuration.Name
	_, published := ledger.PublishedSince(pool)
	return wanted != "" && (!published || pool.Annotations[constants.DesiredOSImageConfigAnnotation] != wanted)
}

// staleSince is since when a pool is stale, as far as the cluster tells; zero if it does
// not.
func (ctrl *Controller) staleSince(pool *mcfgv1.MachineConfigPool) time.Time {
	since, published := ledger.PublishedSince(pool)
	if !published {
		return since
	}
	// A config that is older than the last success was wanted again at some time after it.
	config, err := ctrl.observer.mcLister.Get(pool.Spec.Configuration.Name)
	if err != nil || !config.CreationTimestamp.After(since) {
		return time.Time{}
	}
	return config.CreationTimestamp.Time
}

// collectBuilds tells nothing while the builder cannot be asked.
func (c *poolCollector) collectBuilds(ch chan<- metrics.Metric, pool *mcfgv1.MachineConfigPool) {
	builds, err := c.ctrl.builder.Observe(pool.Name)
	if err != nil {
		return
	}
	pending, running := 0, 0
	for i := range builds {
		switch builds[i].Phase {
		case imagebuilder.PhasePending:
			pending++
		case imagebuilder.PhaseRunning:
			running++
		}
	}
	ch <- metrics.NewLazyConstMetric(c.pending, metrics.GaugeValue, float64(pending), pool.Name)
	ch <- metrics.NewLazyConstMetric(c.running, metrics.GaugeValue, float64(running), pool.Name)
}

func (c *poolCollector) collectUsual(ch chan<- metrics.Metric, pool *mcfgv1.MachineConfigPool) {
	told := ledger.Read(pool)
	if usual := told.Record.Usually(); usual > 0 {
		ch <- metrics.NewLazyConstMetric(c.usual, metrics.GaugeValue, usual.Seconds(), pool.Name)
	}
}

func (c *poolCollector) collectCounts(ch chan<- metrics.Metric, pool string) {
	counted, ok := c.tallies.of(pool)
	if !ok {
		return
	}
	for desc, n := range map[*metrics.Desc]int{c.started: counted.started, c.retries: counted.retries, c.used: counted.reused} {
		ch <- metrics.NewLazyConstMetric(desc, metrics.CounterValue, float64(n), pool)
	}
	for e, n := range counted.finished {
		ch <- metrics.NewLazyConstMetric(c.finished, metrics.CounterValue, float64(n), pool, e.result, e.reason)
	}
}

func asNumber(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
