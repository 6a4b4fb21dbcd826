package simulator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// looker sees a simulation as the commands status and doctor see a cluster. The API in
// memory does not tell when a pool was last changed, so the looker remembers it.
type looker struct {
	sim     *simulation
	seen    map[string]string
	changed map[string]time.Time
}

func (l *looker) pools() []*mcfgv1.MachineConfigPool {
	var pools []*mcfgv1.MachineConfigPool
	for _, stored := range l.sim.pools() {
		pool := stored.DeepCopy()
		text, err := json.Marshal([]any{pool.UID, pool.Labels, pool.Annotations, pool.Spec})
		if err != nil {
			panic(err)
		}
		if l.seen[pool.Name] != string(text) {
			l.seen[pool.Name], l.changed[pool.Name] = string(text), l.sim.clock.Now()
		}
		pool.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "test", Time: &metav1.Time{Time: l.changed[pool.Name]}}}
		pools = append(pools, pool)
	}
	return pools
}

func (l *looker) objects() doctor.Objects {
	o := doctor.Objects{
		Now: l.sim.clock.Now(), Pools: l.pools(), Backend: openshift.Backend{}, Builds: openshift.MadeOf(l.sim.builds()), BuildsKnown: true, InputsKnown: true,
		SettingsKnown: true, Configs: map[string]bool{},
	}
	var inputsOf []*metav1.ObjectMeta
	secrets := storedIn[*corev1.Secret](l.sim, "secrets")
	for _, secret := range secrets {
		if secret.Labels[constants.OwnedLabel] == constants.OwnedLabelValue {
			inputsOf = append(inputsOf, &secret.ObjectMeta)
		}
	}
	o.Inputs = imagebuilder.InputsOf([]imagebuilder.Backend{openshift.Backend{}}, inputsOf)
	for _, configMap := range storedIn[*corev1.ConfigMap](l.sim, "configmaps") {
		if configMap.Name == constants.ConfigMapName {
			o.Settings = configMap
		}
	}
	if o.Settings != nil {
		settings, _ := inputs.ReadSettings(o.Settings)
		for key, name := range map[string]string{
			constants.FinalImagePushSecretKey: settings.FinalImagePushSecret, constants.BaseImagePullSecretKey: settings.BaseImagePullSecret,
		} {
			content := doctor.Secret{Name: name, Keys: []string{key}}
			if at := slices.IndexFunc(secrets, func(s *corev1.Secret) bool { return s.Name == name }); at >= 0 {
				content.Exists, content.Content = true, secrets[at]
			}
			o.Secrets = append(o.Secrets, content)
		}
	}
	for _, config := range storedIn[*mcfgv1.MachineConfig](l.sim, "machineconfigs") {
		o.Configs[config.Name] = true
	}
	for _, pool := range o.Pools {
		p := foretold(l.sim, pool)
		o.Decisions = append(o.Decisions, doctor.Decision{Pool: pool.Name, State: p.Plan.State, Reason: p.Plan.Reason, Message: p.Plan.Message, Warnings: p.Snapshot.Warnings(), Strangers: p.Plan.Strangers})
	}
	return o
}

// foretold is what the controller would decide now about a pool.
func foretold(sim *simulation, pool *mcfgv1.MachineConfigPool) build.Preview {
	o := build.Objects{
		Now: sim.clock.Now(), Pool: pool, Pools: sim.pools(),
		Configs:           storedIn[*mcfgv1.MachineConfig](sim, "machineconfigs"),
		ControllerConfigs: storedIn[*mcfgv1.ControllerConfig](sim, "controllerconfigs"),
		ConfigMaps:        storedIn[*corev1.ConfigMap](sim, "configmaps"),
		Secrets:           storedIn[*corev1.Secret](sim, "secrets"),
	}
	o.Builds, o.Active = imagebuilder.ObservationsOf(openshift.MadeOf(sim.builds()), pool.Name)
	p, err := build.NewPreview(o)
	if err != nil {
		panic(err)
	}
	return p
}

// TestDoctorFindsNothingInNormalLife: at no moment of a scenario in which nothing goes
// wrong, between any two calls of the controller, is there a finding, except those that
// the scenario is about.
func TestDoctorFindsNothingInNormalLife(t *testing.T) {
	quiet(t)
	// What is wrong in a scenario on purpose. A Build that was deleted by hand is found
	// until the controller has seen that it is gone.
	expected := map[string][]string{"secret": {"SecretMissing"}, "stuck": {"BuildStuck"}, "pruned": {"BuildMissing", "InputsWithoutBuild"}}
	for _, name := range scenarioNames("") {
		t.Run(name, func(t *testing.T) {
			sim := newSimulation(schedule{scenario: name})
			l := &looker{sim: sim, seen: map[string]string{}, changed: map[string]time.Time{}}
			looks, met := 0, map[string]bool{}
			look := func() {
				looks++
				for _, finding := range doctor.Examine(l.objects()) {
					met[finding.Check] = true
					if !slices.Contains(expected[name], finding.Check) {
						t.Fatalf("look %d at %s: a false alarm: %+v", looks, sim.clock.Now().Format(time.TimeOnly), finding)
					}
				}
			}
			before := sim.api.Before
			sim.api.Before = func(call buildtest.Call) { look(); before(call) }
			require.Empty(t, sim.play(look))
			require.Greater(t, looks, 10)
			for _, check := range expected[name] {
				require.True(t, met[check], "%s is found", check)
			}
			sim.clock.Step(time.Hour)
			require.Empty(t, doctor.Examine(l.objects()), "at rest nothing is left, however old it is")
		})
	}
}

// TestStatusFollowsTheController: whenever the controller has nothing to do, the status
// of a pool is the state that it reported last, and not taken for outdated.
func TestStatusFollowsTheController(t *testing.T) {
	quiet(t)
	for _, name := range scenarioNames("") {
		t.Run(name, func(t *testing.T) {
			sim := newSimulation(schedule{scenario: name})
			states := map[ledger.State]bool{}
			sim.play(func() {
				if sim.isIdle() {
					requireStatus(t, sim, states)
				}
			})
			for _, pool := range sim.pools() {
				if _, ok := pool.Annotations[constants.DesiredOSImageAnnotation]; ok {
					require.True(t, states[ledger.StatePublished], "the states are %v", states)
				}
			}
		})
	}
}

// requireStatus compares the status with what the controller would plan now.
func requireStatus(t *testing.T, sim *simulation, states map[ledger.State]bool) {
	t.Helper()
	var builds []imagebuilder.Observation
	for _, made := range openshift.MadeOf(sim.builds()) {
		builds = append(builds, made.Observation)
	}
	for _, row := range status.Of(status.Objects{Now: sim.clock.Now(), Pools: sim.pools(), Builds: builds, BuildsKnown: true, MaxAttempts: 4}) {
		if !row.OptedIn {
			continue
		}
		pool := sim.api.Pool(row.Name)
		planned := foretold(sim, pool).Plan
		if waitsForQuiet(pool) {
			planned = plan.Plan{Report: ledger.Report{State: ledger.StateSettling, Reason: ledger.ReasonInputsChanging}}
		}
		if planned.State == ledger.StateQuiet || planned.State == ledger.StateUnsettled || len(planned.Effects) > 0 {
			continue
		}
		states[row.State] = true
		require.Empty(t, row.Outdated, "%+v; planned is %s: %s", row, planned.State, planned.Message)
		require.Equal(t, planned.State == ledger.StatePublished, row.State == ledger.StatePublished, "%+v", row)
		require.Equal(t, planned.State == ledger.StateFailed, row.State == ledger.StateFailed, "%+v", row)
		require.Equal(t, planned.State == ledger.StateRetrying, row.State == ledger.StateRetrying, "%+v", row)
		require.Equal(t, planned.State == ledger.StateBuilding, row.State == ledger.StateBuilding, "%+v", row)
		require.True(t, planned.Reason == "" || strings.HasPrefix(row.Reason, planned.Reason), "%+v", row)
	}
}

// waitsForQuiet tells whether the pool says that it waits for its inputs to stop
// changing. Nobody who looks is held up by that.
func waitsForQuiet(pool *mcfgv1.MachineConfigPool) bool {
	return slices.ContainsFunc(pool.Status.Conditions, func(c mcfgv1.MachineConfigPoolCondition) bool {
		return c.Status == corev1.ConditionTrue && c.Reason == ledger.ReasonInputsChanging
	})
}
