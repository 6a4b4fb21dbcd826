package simulator

import (
	"fmt"
	"maps"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

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
	// Somebody makes a Build that says that it is the pool's, or changes the one that is.
	"forge-build": func(sim *simulation) { sim.forge(func(*buildv1.Build) {}) },
	"forge-image": func(sim *simulation) {
		sim.forge(func(b *buildv1.Build) {
			b.Status.Phase = buildv1.BuildPhaseComplete
			b.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: buildtest.DigestOf(b.Name)}
		})
	},
	"alter-build": func(sim *simulation) {
		if b := newestOf(sim.api.Builds()); b != nil && !buildtest.Ended(b) {
			sim.forged[b.Name] = true
			sim.api.EditBuild(b.Name, sim.deface)
		}
	},
}

// rewrites are deeds of others' tools, which write objects anew from manifests of their own
// (E15). They change nothing about where a run comes to.
var rewrites = map[faultKind]func(*simulation){
	// Without our annotations, all of them or one.
	"strip":        editWorker(func(p *mcfgv1.MachineConfigPool) { withoutOurs(p.Annotations) }),
	"strip-record": editWorker(func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.BuildRecordAnnotation) }),
	"strip-answer": editWorker(func(p *mcfgv1.MachineConfigPool) { delete(p.Annotations, constants.RebuildObservedAnnotation) }),
	// With those of the day on which the manifest was made.
	"bring-back": func(sim *simulation) {
		if sim.early == nil || poolOfWorker(sim) == nil {
			return
		}
		sim.api.EditPool(buildtest.Worker, func(p *mcfgv1.MachineConfigPool) {
			withoutOurs(p.Annotations)
			maps.Copy(p.Annotations, sim.early)
		})
	},
	"rewrite-settings": func(sim *simulation) {
		for _, object := range sim.api.All("configmaps") {
			sim.api.Put(object)
		}
	},
}

// rewritesOf are those of scenarios with the prefix.
func rewritesOf(prefix string) map[faultKind]func(*simulation) {
	if !hasMachineOS(prefix) {
		return rewrites
	}
	all := maps.Clone(rewrites)
	maps.Copy(all, machineOSRewrites)
	return all
}

func withoutOurs(annotations map[string]string) {
	for _, ours := range constants.PoolAnnotations() {
		delete(annotations, ours)
	}
}

// noteEarly remembers the first annotations of ours on the pool worker.
func (sim *simulation) noteEarly(pool *mcfgv1.MachineConfigPool) {
	if sim.early != nil || pool.Name != buildtest.Worker || pool.Annotations[constants.BuildRecordAnnotation] == "" {
		return
	}
	sim.early = map[string]string{}
	for _, ours := range constants.PoolAnnotations() {
		if value, ok := pool.Annotations[ours]; ok {
			sim.early[ours] = value
		}
	}
}

// forge makes a copy of the newest Build under another name.
func (sim *simulation) forge(change func(*buildv1.Build)) {
	original := newestOf(sim.api.Builds())
	if original == nil {
		return
	}
	b := original.DeepCopy()
	b.Name, b.UID = fmt.Sprintf("machine-os-worker-forged-%d", sim.round), ""
	sim.forged[b.Name] = true
	b.Annotations[constants.BuildNameAnnotation] = b.Name
	b.Annotations[constants.ClaimAnnotation] = strings.ReplaceAll(b.Annotations[constants.ClaimAnnotation], original.Name, b.Name)
	for i := range b.Spec.Source.Secrets {
		s := &b.Spec.Source.Secrets[i].Secret
		s.Name = strings.Replace(s.Name, original.Name, b.Name, 1)
	}
	b.Spec.Output.To.Name = buildtest.Repository + ":" + b.Name
	b.CreationTimestamp = metav1.NewTime(sim.clock.Now().Truncate(time.Second))
	b.Status = buildv1.BuildStatus{Phase: buildv1.BuildPhaseNew}
	change(b)
	if b.Status.Phase == buildv1.BuildPhaseNew {
		sim.deface(b)
	}
	sim.api.Put(b)
}

// deface makes of a Build one that the controller would not make, in one way or another.
func (sim *simulation) deface(b *buildv1.Build) {
	switch sim.round % 4 {
	case 0:
		b.Spec.Output.To.Name = "evil.example.com/x/y:1"
	case 1:
		b.Spec.Source.Dockerfile = ptr.To("FROM scratch\nRUN evil\n")
	case 2:
		b.Spec.Source.ConfigMaps = []buildv1.ConfigMapBuildSource{{ConfigMap: corev1.LocalObjectReference{Name: "evil"}}}
	default:
		b.Spec.Strategy.DockerStrategy.From = &corev1.ObjectReference{Kind: "DockerImage", Name: "evil.example.com/base"}
	}
}

// newestOf is the Build that was made last; nil for none.
func newestOf(builds []*buildv1.Build) *buildv1.Build {
	var newest *buildv1.Build
	for _, b := range builds {
		if newest == nil || newest.CreationTimestamp.Before(&b.CreationTimestamp) {
			newest = b
		}
	}
	return newest
}

// restore puts something back a few rounds later, in front of the story.
func (sim *simulation) restore(do func()) {
	at := sim.round + 4
	sim.story = append([]act{{name: "putting it back", when: afterRounds(at), do: func(*simulation) { do() }}}, sim.story...)
}
