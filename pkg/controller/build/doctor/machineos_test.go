package doctor

import (
	"os"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// machineOS opts the pool of that name in.
func (w *world) machineOS(name, pool string) *mcfgv1.MachineOSConfig {
	config := buildtest.MachineOSConfig(name, func(c *mcfgv1.MachineOSConfig) {
		c.Spec.MachineConfigPool.Name, c.UID, c.CreationTimestamp = pool, types.UID("uid-of-"+name), metav1.NewTime(ago(time.Hour))
	})
	w.MachineOS.Configs = append(w.MachineOS.Configs, config)
	return config
}

// tells gives the MachineOSConfig a MachineOSBuild of the wanted config, with that condition.
func (w *world) tells(config *mcfgv1.MachineOSConfig, condition mcfgv1.BuildProgress) *mcfgv1.MachineOSBuild {
	build := &mcfgv1.MachineOSBuild{ObjectMeta: metav1.ObjectMeta{Name: config.Name + "-0", CreationTimestamp: metav1.NewTime(ago(time.Hour)),
		OwnerReferences: []metav1.OwnerReference{{UID: config.UID, Controller: ptr.To(true)}}}}
	build.Spec.MachineConfig.Name, build.Spec.MachineOSConfig.Name = wanted, config.Name
	build.Status.Conditions = []metav1.Condition{{Type: string(condition), Status: metav1.ConditionTrue, Reason: "R", Message: "It is so."}}
	w.MachineOS.Builds = append(w.MachineOS.Builds, build)
	return build
}

func TestMachineOSConfigsAreLookedAt(t *testing.T) {
	const label = "warning LabelWithoutMachineOSConfig " + operatorObject
	for name, test := range map[string]struct {
		reason string
		// labelled keeps the label of pool worker, and off the gate off.
		labelled, off bool
		change        func(*world)
		want          []string
		says, repair  string
	}{
		"all is well":                       {reason: "a pool that a MachineOSConfig opts in", change: func(w *world) { w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded) }},
		"nothing asks for anything":         {reason: "the API alone does no harm", change: func(w *world) { w.Builds = nil; w.worker.Annotations = nil }},
		"a label on a cluster of today":     {reason: "its operator is Degraded", labelled: true, off: true, want: []string{label}, says: "MachineOSBuilderFailed", repair: "hack/deploy/machine-os-configs"},
		"a label, and the gate on":          {reason: "the component is there", labelled: true, want: []string{label}, says: "tells of no build there", repair: "oc label machineconfigpool <pool> " + ctrlcommon.LayeringEnabledPoolLabel + "-"},
		"a label, and the API is not there": {reason: "that is how it was meant", labelled: true, change: func(w *world) { w.MachineOS.Served = false }},
		"both":                              {reason: "one of them is ignored", labelled: true, change: func(w *world) { w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded) }, want: []string{"warning LabelAndMachineOSConfig " + worker}, says: "MachineOSConfig worker, which alone counts", repair: "layering-enabled-"},
		"several":                           {reason: "nobody can tell which counts", change: func(w *world) { w.machineOS("worker", "worker"); w.machineOS("other", "worker") }, want: []string{"error SeveralMachineOSConfigs " + worker}, says: "other, worker", repair: "oc delete machineosconfig"},
		"no pool": {reason: "a reference that dangles", change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.machineOS("infra", "infra")
		}, want: []string{"error PoolMissing MachineOSConfig infra"}, says: "MachineConfigPool infra (spec.machineConfigPool.name), which does not exist", repair: "oc delete machineosconfig infra"},
		"its MachineOSConfig is gone": {reason: "the collector of garbage did not get it", change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.tells(buildtest.MachineOSConfig("gone"), mcfgv1.MachineOSBuildSucceeded)
		}, want: []string{"error Orphaned MachineOSBuild gone-0"}, says: "MachineOSConfig gone", repair: "oc delete machineosbuild gone-0"},
		"its MachineOSConfig is another": {reason: "a name that was used again", change: func(w *world) {
			build := w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			stale := build.DeepCopy()
			stale.Name, stale.OwnerReferences[0].UID = "worker-9", "before"
			w.MachineOS.Builds = append(w.MachineOS.Builds, stale)
		}, want: []string{"error Orphaned MachineOSBuild worker-9"}, says: "created anew", repair: "oc delete machineosbuild worker-9"},
		"refused": {reason: "the image is there, and more is to be done", change: func(w *world) {
			config := w.machineOS("worker", "worker")
			w.tells(config, mcfgv1.MachineOSBuildSucceeded)
			config.Status.Conditions = []metav1.Condition{{Type: ledger.ConfigDegraded, Status: metav1.ConditionTrue, Reason: ledger.ReasonRequestRefused, Message: "could not delete it: no"}}
		}, want: []string{"error RequestRefused MachineOSConfig worker"}, says: "could not delete it: no", repair: "logs deployment/"},
		"failed":        {reason: "it is final", change: func(w *world) { w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildFailed) }, want: []string{"error BuildFailed MachineOSConfig worker"}, says: "MachineOSBuild worker-0 says: It is so.", repair: constants.RebuildAnnotation},
		"interrupted":   {reason: "somebody wanted that", change: func(w *world) { w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildInterrupted) }, want: []string{"warning BuildCancelled MachineOSConfig worker"}, repair: constants.RebuildAnnotation},
		"nobody builds": {reason: "the lease may be held", change: func(w *world) { w.machineOS("worker", "worker") }, want: []string{"error NotReported MachineOSConfig worker"}, says: "has no MachineOSBuild", repair: "get lease machine-os-builder"},
		"it cannot be seen": {reason: "whoever may not list it cannot serve it", change: func(w *world) {
			w.machineOS("worker", "worker")
			w.Denied = []Permission{{Group: mcfgv1.GroupName, Resource: "machineosconfigs", Verb: "list"}}
		}, want: []string{"error NotReported MachineOSConfig worker", "error PermissionMissing ServiceAccount " + newWorld().Account}, says: "has no MachineOSBuild", repair: "rbac.yaml"},
		"others build": {reason: "with the gate off it is not ours", off: true, change: func(w *world) { w.machineOS("worker", "worker"); w.Builds = nil; w.worker.Annotations = nil }, want: []string{"error NotReported MachineOSConfig worker"}, repair: "logs deployment/machine-os-builder"},
		"held": {reason: "the controller would say so, if it ran", change: func(w *world) {
			w.machineOS("worker", "worker")
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonSecretMissing, Message: "Secret none does not exist"}}
		}, want: []string{"error SecretMissing MachineOSConfig worker", "error NotReported MachineOSConfig worker"}, says: "Secret none", repair: "create secret docker-registry"},
		"failed for what is written": {reason: "that is one thing that is wrong", change: func(w *world) {
			build := w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildFailed)
			build.Status.Conditions[0].Reason = ledger.ReasonCustomContentInvalid
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateFailed, Reason: ledger.ReasonCustomContentInvalid, Message: "MachineOSConfig worker, spec.containerFile[NoArch].content: line 2"}}
		}, want: []string{"error CustomContentInvalid MachineOSConfig worker"}, says: "spec.containerFile[NoArch].content: line 2", repair: "oc edit machineosconfig worker"},
		"failed, and mended": {reason: "nobody has taken notice", change: func(w *world) {
			build := w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildFailed)
			build.Status.Conditions[0].Reason = ledger.ReasonCustomContentInvalid
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateBuilding}}
		}, want: []string{"error BuildFailed MachineOSConfig worker"}, says: "It is so.", repair: constants.RebuildAnnotation},
		"failed, and would again": {reason: "it is the build that failed", change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildFailed)
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateFailed, Reason: ledger.ReasonBuildFailed}}
		}, want: []string{"error BuildFailed MachineOSConfig worker"}},
		"it is the ConfigMap": {reason: "that is looked at by itself", change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonConfigMapInvalid}}
		}},
		"others build, and would not": {reason: "what we decide does not count", off: true, change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.Builds, w.worker.Annotations = nil, nil
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonSecretMissing}}
		}},
		"nodes without credentials": {reason: "the nodes degrade, and that is seen before they do", change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StatePublished, Warnings: []string{"MachineOSConfig worker, spec.renderedImagePushSpec: nodes will pull from there"}}}
		}, want: []string{"warning BuildWarning " + worker}, says: "MachineOSConfig worker, spec.renderedImagePushSpec: nodes will", repair: "nothing waits for that"},
		"nodes of others": {reason: "what we would warn of is not built by us", off: true, change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.Builds, w.worker.Annotations = nil, nil
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StatePublished, Warnings: []string{"MachineOSConfig worker: x"}}}
		}},
		"without settings": {reason: "the MachineOSConfig says it all", change: func(w *world) {
			w.tells(w.machineOS("worker", "worker"), mcfgv1.MachineOSBuildSucceeded)
			w.Settings = nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.MachineOS.Served, w.MachineOS.Gate = true, !test.off
			if !test.labelled {
				delete(w.worker.Labels, ctrlcommon.LayeringEnabledPoolLabel)
				w.worker.Status.Conditions = nil
			}
			if test.change != nil {
				test.change(w)
			}
			findings := Examine(w.Objects)
			require.Equal(t, test.want, listed(findings), "%s: %+v", test.reason, findings)
			if len(findings) > 0 {
				require.Contains(t, findings[0].Problem, test.says, test.reason)
				require.Contains(t, findings[0].Repair, test.repair, test.reason)
			}
		})
	}
}

// TestPermissionsOfTheComponent: each is missed, with the gate on, and the repair is the file
// that grants it.
func TestPermissionsOfTheComponent(t *testing.T) {
	for _, permission := range MachineOSPermissions() {
		w := newWorld()
		w.Denied = []Permission{permission}
		findings := Examine(w.Objects)
		require.Len(t, findings, 1)
		require.Contains(t, findings[0].Problem, "may not "+permission.Verb+" "+permission.Resource+" ")
		require.Equal(t, "oc apply -f hack/deploy/machine-os-configs/rbac.yaml", findings[0].Repair)
	}
	_, err := os.Stat("../../../../hack/deploy/machine-os-configs/rbac.yaml")
	require.NoError(t, err)
}
