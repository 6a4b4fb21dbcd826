package build

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	mcfginformers "github.com/openshift/client-go/machineconfiguration/informers/externalversions"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/machineos"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// harness drives the real controller and the real OpenShift adapter over the
// in-memory API, one sync at a time. Its caches hold what deliver put there.
type harness struct {
	t     testing.TB
	api   *buildtest.API
	clock *clocktesting.FakeClock
	ctrl  *Controller
	// registry is what the controller asks for images; nil for nobody.
	registry ImageRegistry
	// events are those of the controller's life so far, oldest first.
	events []string
	// created counts Builds, see count.
	created int

	recorder *record.FakeRecorder
	// machineOS turns MachineOSConfigs on, and otherBuilder is why nothing is to be written.
	machineOS    bool
	otherBuilder string
	// denied are the resources of MachineOSConfigs that may not be listed from the next restart on.
	denied []string
	// sharesPools is Config.SharesPools.
	sharesPools bool
	// atRest is asked whenever the pool has settled, and tells whether something has changed
	// since; nil for nothing to ask.
	atRest func() bool
	// crashed tells that the controller is to be restarted before its next sync.
	crashed  bool
	caches   map[string]cache.Indexer
	metadata cache.Indexer
}

const (
	worker  = buildtest.Worker
	configA = buildtest.ConfigA
	configB = buildtest.ConfigB
)

var goodInputs = buildtest.GoodInputs

func newHarness(t testing.TB, objects ...runtime.Object) *harness {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	h := &harness{t: t, clock: clock, api: buildtest.NewAPI(clock, objects...)}
	h.restart()
	return h
}

func layeredHarness(t *testing.T, configs ...string) *harness {
	return newHarness(t, append(goodInputs(configs...), buildtest.Pool(worker).Layered().Wants(configs[0]).Object())...)
}

// restart replaces the controller by a new one with empty memory and caches,
// as after a crash, and delivers what is stored.
func (h *harness) restart() {
	h.t.Helper()
	mcfg := mcfginformers.NewSharedInformerFactory(h.api.Mcfg, 0).Machineconfiguration().V1()
	configMaps := informers.NewSharedInformerFactory(h.api.Kube, 0).Core().V1().ConfigMaps()
	builds := buildinformers.NewSharedInformerFactory(h.api.Build, 0).Build().V1().Builds().Informer()
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	h.recorder = record.NewFakeRecorder(1000)

	builder, err := openshift.New(ctrlcommon.MCONamespace, h.api.Build, h.api.Kube, builds, secrets)
	require.NoError(h.t, err)
	config := DefaultConfig()
	var denials map[string]*deniable
	config.Clock, config.Registry, config.SharesPools = h.clock, h.registry, h.sharesPools
	if h.machineOS {
		configs, builds := &deniable{SharedIndexInformer: mcfg.MachineOSConfigs().Informer()}, &deniable{SharedIndexInformer: mcfg.MachineOSBuilds().Informer()}
		config.MachineOS, err = machineos.New(h.api.Mcfg, configs, builds, func() string { return h.otherBuilder })
		denials = map[string]*deniable{"machineosconfigs": configs, "machineosbuilds": builds}
		require.NoError(h.t, err)
	}
	h.ctrl, err = New(config, mcfg.MachineConfigPools(), mcfg.MachineConfigs(), mcfg.ControllerConfigs(), configMaps, secrets,
		builder, h.api.Kube, h.api.Mcfg, h.recorder)
	require.NoError(h.t, err)

	h.metadata = secrets.GetIndexer()
	h.caches = map[string]cache.Indexer{
		"machineconfigpools": mcfg.MachineConfigPools().Informer().GetIndexer(),
		"machineconfigs":     mcfg.MachineConfigs().Informer().GetIndexer(),
		"controllerconfigs":  mcfg.ControllerConfigs().Informer().GetIndexer(),
		"configmaps":         configMaps.Informer().GetIndexer(),
		"builds":             builds.GetIndexer(),
	}
	if h.machineOS {
		h.caches["machineosconfigs"] = mcfg.MachineOSConfigs().Informer().GetIndexer()
		h.caches["machineosbuilds"] = mcfg.MachineOSBuilds().Informer().GetIndexer()
	}
	for _, resource := range h.denied {
		delete(h.caches, resource)
		denials[resource].deny(h.t, resource)
	}
	h.deliver()
}

// deliver brings every cache, or those named, up to date.
func (h *harness) deliver(resources ...string) {
	for resource, indexer := range h.caches {
		if len(resources) == 0 || slices.Contains(resources, resource) {
			h.api.Fill(indexer, resource)
		}
	}
	if len(resources) == 0 || slices.Contains(resources, "secrets") {
		h.api.FillMetadata(h.metadata, "secrets")
	}
	// The builder's own notifications hang on running informers.
	h.ctrl.memory.disturb(imagebuilder.AllPools)
}

// sync delivers everything and syncs the pool once.
func (h *harness) sync(pool string) (plan.Plan, error) {
	h.t.Helper()
	h.deliver()
	return h.syncStale(pool)
}

// syncStale syncs the pool once, with the caches as they are.
func (h *harness) syncStale(pool string) (plan.Plan, error) {
	h.t.Helper()
	p, err := h.ctrl.syncMachineConfigPool(context.Background(), pool)
	for {
		select {
		case event := <-h.recorder.Events:
			h.events = append(h.events, event)
			continue
		default:
		}
		return p, err
	}
}

// settle syncs until the controller has nothing more to do at this instant,
// tolerating errors, and returns the last plan. The bound is generous: what
// takes longer is wedged.
func (h *harness) settle(pool string) plan.Plan {
	h.t.Helper()
	for range 50 {
		if h.crashed {
			h.crashed = false
			h.restart()
		}
		h.api.ResetCalls()
		p, err := h.sync(pool)
		if err == nil && len(h.api.Calls()) == 0 {
			if h.atRest == nil || !h.atRest() {
				return p
			}
		}
	}
	require.FailNow(h.t, "the pool does not settle", "last calls: %v", h.api.Calls())
	return plan.Plan{}
}

// pass lets time go by and settles.
func (h *harness) pass(d time.Duration, pool string) plan.Plan {
	h.t.Helper()
	h.clock.Step(d)
	return h.settle(pool)
}

func (h *harness) want(config string) {
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = config })
}

// editSettings sets keys of the ConfigMap.
func (h *harness) editSettings(settings map[string]string) {
	configMap := buildtest.SettingsConfigMap()
	maps.Copy(configMap.Data, settings)
	h.api.Put(configMap)
	h.deliver()
}

// activeBuilds are the names of the Builds that have not ended.
func (h *harness) activeBuilds() []string {
	var names []string
	for _, b := range h.api.Builds() {
		if !buildtest.Ended(b) {
			names = append(names, b.Name)
		}
	}
	return names
}

// complete lets the newest build of the pool succeed, and the controller see it.
func (h *harness) complete(pool string) {
	h.t.Helper()
	h.waiting()
	h.api.CompleteBuild(h.newestBuild(pool), buildtest.Digest(1))
	h.deliver()
	h.ctrl.enqueueFromBuilder(pool)
	h.settle(pool)
}

// stopped lets a cancelled Build come to its end.
func (h *harness) stopped(name string) {
	h.api.FailBuild(name, buildv1.BuildPhaseCancelled, buildv1.StatusReasonCancelledBuild, "The build was cancelled by the user.")
}

// waiting empties the work queue and returns the pools in it that wait for a place
// to build in.
func (h *harness) waiting() []string {
	var pools []string
	for h.ctrl.queue.Len() > 0 {
		name, _ := h.ctrl.queue.Get()
		h.ctrl.queue.Done(name)
		if !slices.Contains(pools, name) && !h.ctrl.slots.since(name).IsZero() {
			pools = append(pools, name)
		}
	}
	return pools
}

// newestBuild is the name of the build on record.
func (h *harness) newestBuild(pool string) string {
	h.t.Helper()
	return h.record(pool).Build
}

func (h *harness) record(pool string) *ledger.Record {
	h.t.Helper()
	record, err := ledger.ParseRecord(h.api.Pool(pool).Annotations[constants.BuildRecordAnnotation])
	require.NoError(h.t, err)
	return record
}

// requireCondition checks that the one build condition that is True is this
// one, that all are present, and returns its message.
func (h *harness) requireCondition(pool string, conditionType mcfgv1.MachineConfigPoolConditionType, reason string) string {
	h.t.Helper()
	conditions := map[mcfgv1.MachineConfigPoolConditionType]mcfgv1.MachineConfigPoolCondition{}
	var trueTypes []mcfgv1.MachineConfigPoolConditionType
	for _, c := range h.api.Pool(pool).Status.Conditions {
		require.NotContains(h.t, conditions, c.Type, "a condition occurs twice")
		conditions[c.Type] = c
		if ledger.IsOurs(c.Type) {
			require.NotEmpty(h.t, c.Reason, "%s has no reason", c.Type)
			require.NotEmpty(h.t, c.Message, "%s has no message", c.Type)
			if c.Status == corev1.ConditionTrue && c.Type != mcfgv1.MachineConfigPoolImageBuildDegraded {
				trueTypes = append(trueTypes, c.Type)
			}
		}
	}
	require.Equal(h.t, []mcfgv1.MachineConfigPoolConditionType{conditionType}, trueTypes, "exactly one build condition is True; message: %s", conditions[conditionType].Message)
	require.Equal(h.t, reason, conditions[conditionType].Reason, "message: %s", conditions[conditionType].Message)
	for _, t := range []mcfgv1.MachineConfigPoolConditionType{
		mcfgv1.MachineConfigPoolBuildPending, mcfgv1.MachineConfigPoolBuilding, mcfgv1.MachineConfigPoolBuildSuccess,
		mcfgv1.MachineConfigPoolBuildFailed, mcfgv1.MachineConfigPoolBuildInterrupted, mcfgv1.MachineConfigPoolImageBuildDegraded,
	} {
		require.Contains(h.t, conditions, t, "every condition is present")
	}
	degraded := conditions[mcfgv1.MachineConfigPoolImageBuildDegraded].Status == corev1.ConditionTrue
	require.Equal(h.t, conditionType == mcfgv1.MachineConfigPoolBuildFailed, degraded, "ImageBuildDegraded is True exactly while the wanted config's build has failed for good")
	return conditions[conditionType].Message
}

// requirePublished checks the image on the pool.
func (h *harness) requirePublished(pool, config string, digest string) {
	h.t.Helper()
	annotations := h.api.Pool(pool).Annotations
	require.Equal(h.t, buildtest.Repository+"@"+digest, annotations[constants.DesiredOSImageAnnotation])
	require.Equal(h.t, config, annotations[constants.DesiredOSImageConfigAnnotation])
	h.requireCondition(pool, mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished)
}
