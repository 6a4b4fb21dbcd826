package simulator

import (
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// disturbances are deeds that the environment may do at any round (E7). The ones
// that take something away are followed by its return, see restore.
var disturbances = map[faultKind]func(*simulation){
	"delete-build": func(sim *simulation) {
		for _, b := range sim.api.Builds() {
			sim.api.Remove("builds", b.Namespace, b.Name)
		}
	},
	"evict-build": func(sim *simulation) {
		for _, b := range sim.api.Builds() {
			if b.Status.Phase == buildv1.BuildPhaseRunning {
				sim.api.FailBuild(b.Name, buildv1.BuildPhaseError, buildv1.StatusReasonBuildPodDeleted, "the pod was deleted")
			}
		}
	},
	"delete-inputs": func(sim *simulation) {
		for _, name := range sim.api.InputSecrets() {
			sim.api.Remove("secrets", ctrlcommon.MCONamespace, name)
		}
	},
	"rotate-secret": func(sim *simulation) {
		for _, object := range sim.api.All("secrets") {
			if secret := object.(*corev1.Secret); len(secret.OwnerReferences) == 0 {
				sim.api.Put(secret)
			}
		}
	},
	"remove-settings": func(sim *simulation) {
		removeFromNamespace("configmaps", constants.ConfigMapName)(sim)
		sim.restore(func() { sim.api.Put(buildtest.SettingsConfigMap()) })
	},
	"remove-secret": func(sim *simulation) {
		removeFromNamespace("secrets", buildtest.PushSecret)(sim)
		sim.restore(func() { sim.api.Put(buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)) })
	},
	"spoil-record":    editWorker(func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.BuildRecordAnnotation] = "{" }),
	"remove-record":   editWorker(func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.BuildRecordAnnotation) }),
	"remove-image":    editWorker(func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.DesiredOSImageAnnotation) }),
	"wipe-conditions": editWorker(func(p *mcfgv1.MachineConfigPool) { p.Status.Conditions = nil }),
	"other-condition": editWorker(func(p *mcfgv1.MachineConfigPool) {
		p.Status.Conditions = append(p.Status.Conditions, buildtest.Pool("").Condition(mcfgv1.MachineConfigPoolUpdating, corev1.ConditionTrue, "Foreign").Object().Status.Conditions...)
	}),
	"pause": func(sim *simulation) {
		editWorker(func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = true })(sim)
		sim.restore(func() { editWorker(func(p *mcfgv1.MachineConfigPool) { p.Spec.Paused = false })(sim) })
	},
	"recreate-pool": func(sim *simulation) {
		pool := poolOfWorker(sim)
		if pool == nil {
			return
		}
		sim.api.Remove("machineconfigpools", "", buildtest.Worker)
		recreated := buildtest.Pool(buildtest.Worker).Wants(pool.Spec.Configuration.Name).Object()
		recreated.Labels = pool.Labels
		recreated.UID = pool.UID + "-again"
		sim.api.Put(recreated)
	},
	"rebuild": editWorker(func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.RebuildRequestedAnnotation] += "again " }),
	"jump":    func(sim *simulation) { sim.clock.Step(time.Hour) },
}

// restore puts something back a few rounds later, in front of the story.
func (sim *simulation) restore(do func()) {
	at := sim.round + 4
	sim.story = append([]act{{name: "putting it back", when: afterRounds(at), do: func(*simulation) { do() }}}, sim.story...)
}
