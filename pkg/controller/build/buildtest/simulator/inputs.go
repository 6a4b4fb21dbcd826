package simulator

import (
	"fmt"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// inputState is a way in which the inputs of the pool worker can be (E11). From
// any of them to any other one the controller has to find the way on its own.
type inputState struct {
	name string
	// apply makes it so; all else is good.
	apply func(*simulation)
	// reason is why nothing is built; empty when something is.
	reason string
}

var inputStates = []inputState{
	{"not-layered", optIn(false), "not layered"},
	{"good", func(*simulation) {}, ""},
	{"bad-base-image", func(sim *simulation) {
		config := buildtest.RenderedConfig("rendered-worker-bad-base")
		config.Spec.OSImageURL = "os:latest"
		sim.api.Put(config)
		wants(config.Name)(sim)
	}, ledger.ReasonBaseImageInvalid},
	{"missing-secret", removeFromNamespace("secrets", buildtest.PushSecret), ledger.ReasonSecretMissing},
	{"malformed-secret", func(sim *simulation) {
		secret := buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)
		secret.Data[corev1.DockerConfigJsonKey] = []byte("{" + buildtest.Canary)
		sim.api.Put(secret)
	}, ledger.ReasonSecretInvalid},
	{"missing-configmap", removeFromNamespace("configmaps", constants.ConfigMapName), ledger.ReasonConfigMapMissing},
	{"malformed-configmap", func(sim *simulation) {
		settings := buildtest.SettingsConfigMap()
		settings.Data[constants.MaxAttemptsKey] = "many"
		sim.api.Put(settings)
	}, ledger.ReasonConfigMapInvalid},
	// One that is too large is found out in the same place, but takes long to make.
	{"unusable-config", func(sim *simulation) {
		config := buildtest.RenderedConfig("rendered-worker-unusable")
		config.Spec.Config.Raw = nil
		sim.api.Put(config)
		wants(config.Name)(sim)
	}, ledger.ReasonRenderedConfigInvalid},
	{"custom-content", customContent("FROM configs AS final\nRUN true\n"), ""},
	{"bad-custom-content", customContent(badContent), ledger.ReasonCustomContentInvalid},
	{"paused", editWorker(func(p *mcfgv1.MachineConfigPool) {
		p.Spec.Paused = true
		p.Spec.Configuration.Name = "rendered-worker-paused"
	}), ledger.ReasonPoolPaused},
	{"rebuild", editWorker(func(p *mcfgv1.MachineConfigPool) {
		p.Annotations[constants.RebuildRequestedAnnotation] += "again "
	}), ""},
	{"config-a", wants(buildtest.ConfigA), ""},
	{"config-b", wants(buildtest.ConfigB), ""},
	{"deleting", editWorker(func(p *mcfgv1.MachineConfigPool) {
		p.DeletionTimestamp = &metav1.Time{Time: simStart}
		p.Finalizers = []string{"example.com/foreign"}
	}), "being deleted"},
}

// badContent is refused.
const badContent = "FROM configs AS final\nCOPY --from=nothing /a /b\n"

// become puts the inputs into the state, from whatever state they are in.
func (s inputState) become(sim *simulation) {
	pool := poolOfWorker(sim)
	if pool == nil || pool.DeletionTimestamp != nil {
		sim.api.Remove("machineconfigpools", "", buildtest.Worker)
		fresh := layeredWorker()
		again := fresh[len(fresh)-1].(*mcfgv1.MachineConfigPool)
		again.UID += "-again"
		if sim.machineOS {
			delete(again.Labels, ctrlcommon.LayeringEnabledPoolLabel)
		}
		sim.api.Put(again)
	}
	for _, object := range buildtest.GoodInputs(buildtest.ConfigA, buildtest.ConfigB, "rendered-worker-paused") {
		sim.api.Put(object)
	}
	removeFromNamespace("configmaps", inputs.CustomConfigMapName)(sim)
	optIn(true)(sim)
	editMachineOSConfigs(func(c *mcfgv1.MachineOSConfig) { c.Spec.Containerfile = nil })(sim)
	editWorker(func(p *mcfgv1.MachineConfigPool) {
		p.Spec.Paused = false
		p.Spec.Configuration.Name = buildtest.ConfigA
	})(sim)
	s.apply(sim)
}

// inputsScenario makes the scenario "from/to"; an empty one if there is none.
func inputsScenario(name string) scenario {
	from, to, _ := strings.Cut(name, "/")
	var states [2]*inputState
	for i := range inputStates {
		if inputStates[i].name == from {
			states[0] = &inputStates[i]
		}
		if inputStates[i].name == to {
			states[1] = &inputStates[i]
		}
	}
	if states[0] == nil || states[1] == nil {
		return scenario{}
	}
	// The second state comes once in the middle of what the first one leads to.
	inTheMiddle := func(sim *simulation) bool { return sim.round >= 4 }
	return scenario{objects: layeredWorker, outcome: succeeds, ends: states[1].ends, story: []act{
		{name: states[0].name, when: always, do: states[0].become},
		{name: states[1].name, when: inTheMiddle, do: states[1].become},
	}}
}

// ends tells what is wrong with the pool at the end; empty for nothing.
func (s inputState) ends(sim *simulation) string {
	pool := poolOfWorker(sim)
	switch {
	case pool.DeletionTimestamp != nil:
		if len(sim.builds()) > 0 {
			return "a Build of a pool that is being deleted is left"
		}
	case !sim.isOptedIn(pool):
		return traceOn(pool)
	case s.reason != "" && !says(s.reason)(sim):
		// What was built before may do for the wanted inputs, or be at work on them.
		if !isPublished(sim) {
			return fmt.Sprintf("the pool says %s instead of %s", sim.told(pool), s.reason)
		}
	case s.reason == "" && !isPublished(sim):
		return fmt.Sprintf("the image of %s is not published: the pool says %s", pool.Spec.Configuration.Name, sim.told(pool))
	}
	return ""
}
