package doctor

import (
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const (
	wanted    = "rendered-worker-a"
	buildName = "machine-os-worker-0123456789-1"
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	image = buildtest.Repository + "@" + buildtest.Digest(7)
)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// world is a cluster in which one pool has its image, made an hour ago by a Build that
// is kept, and another one did not opt in.
type world struct {
	Objects
	worker, idle *mcfgv1.MachineConfigPool
	build        *imagebuilder.Made
	record       ledger.Record
}

func newWorld() *world {
	w := &world{worker: buildtest.Pool("worker").Layered().Wants(wanted).Object(), idle: buildtest.Pool("idle").Wants(wanted).Object()}
	w.record = ledger.Record{Build: buildName, Fingerprint: strings.Repeat("f", 64), Config: wanted, Attempt: 1, ClaimedAt: ago(time.Hour), Image: image}
	w.Objects = Objects{
		Now: now, Backend: openshift.Backend{}, Pools: []*mcfgv1.MachineConfigPool{w.worker, w.idle}, BuildsKnown: true, InputsKnown: true, Configs: map[string]bool{wanted: true},
		Settings: buildtest.SettingsConfigMap(), SettingsKnown: true,
		Secrets: []Secret{
			{Name: buildtest.PushSecret, Keys: []string{constants.FinalImagePushSecretKey}, Exists: true, Content: buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry)},
			{Name: buildtest.PullSecret, Keys: []string{constants.BaseImagePullSecretKey}, Exists: true, Content: buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com")},
		},
		Account: ctrlcommon.MCONamespace + "/machine-os-build-controller",
		Builds: []imagebuilder.Made{{Object: buildName, Pool: "worker", Observation: imagebuilder.Observation{
			Name: buildName, PoolUID: w.worker.UID, RenderedConfig: wanted, Phase: imagebuilder.PhaseSucceeded, Image: image, Created: ago(time.Hour), Finished: ago(50 * time.Minute),
		}}},
	}
	w.build = &w.Builds[0]
	for _, pool := range w.Pools {
		pool.CreationTimestamp = metav1.NewTime(ago(24 * time.Hour))
	}
	w.annotate(constants.DesiredOSImageAnnotation, image)
	w.annotate(constants.DesiredOSImageConfigAnnotation, wanted)
	w.annotate(constants.BuildRecordAnnotation, w.record.String())
	w.report(ledger.Report{State: ledger.StatePublished, Reason: ledger.ReasonImagePublished, Message: "Image " + image + " of " + wanted + " is published."})
	return w
}

func (w *world) annotate(key, value string) {
	metav1.SetMetaDataAnnotation(&w.worker.ObjectMeta, key, value)
}

// report has the pool say what the controller would.
func (w *world) report(p ledger.Report) {
	w.worker.Status.Conditions, _ = p.Conditions(w.worker.Status.Conditions, ago(30*time.Minute))
}

// attempt puts another attempt on record, with a Build in that phase.
func (w *world) attempt(phase imagebuilder.Phase, change func(*ledger.Record)) {
	w.record.Image = ""
	change(&w.record)
	w.annotate(constants.BuildRecordAnnotation, w.record.String())
	w.build.Phase, w.build.Image, w.build.Finished = phase, "", time.Time{}
	if phase.IsFinished() {
		w.build.Finished = ago(50 * time.Minute)
	}
	state, reason := ledger.StateBuilding, ledger.ReasonBuildRunning
	if phase == imagebuilder.PhasePending {
		state, reason = ledger.StatePending, ledger.ReasonBuildStuck
	}
	w.report(ledger.Report{State: state, Reason: reason, Message: "Build " + buildName + " of " + wanted + " is on its way."})
}

func (w *world) runs() { w.attempt(imagebuilder.PhaseRunning, func(*ledger.Record) {}) }

// input adds a Secret for the build.
func (w *world) input(build string, created time.Time) {
	w.Inputs = append(w.Inputs, imagebuilder.Made{Object: build, Pool: "worker", Observation: imagebuilder.Observation{Name: build, PoolUID: w.worker.UID, Created: created}})
}

func (w *world) condition(t mcfgv1.MachineConfigPoolConditionType) *mcfgv1.MachineConfigPoolCondition {
	for i := range w.worker.Status.Conditions {
		if c := &w.worker.Status.Conditions[i]; c.Type == t {
			return c
		}
	}
	return nil
}

func (w *world) lease(holder string, renewed time.Time) {
	w.Lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "machine-os-build-controller"}}
	w.Lease.Spec = coordinationv1.LeaseSpec{HolderIdentity: ptr.To(holder), LeaseDurationSeconds: ptr.To[int32](137), RenewTime: &metav1.MicroTime{Time: renewed}}
}

const worker = "MachineConfigPool worker"

// TestFindings: one case for each thing that can be wrong, and its neighbours that are
// not.
func TestFindings(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*world)
		// want is severity, check and object of the findings.
		want []string
		// says is in the problem of the first one, and repair in how to repair it.
		says, repair string
	}{
		"nothing": {reason: "all is well", change: func(*world) {}},

		"orphaned build": {reason: "the garbage collector does not work", change: func(w *world) { w.build.PoolUID = "gone" },
			want: []string{"error Orphaned Build " + buildName}, says: "MachineConfigPool worker, which does not exist any more", repair: "oc -n openshift-machine-config-operator delete build " + buildName},
		"build without owner": {reason: "someone took the reference away", change: func(w *world) { w.build.PoolUID = "" }, want: []string{"error Orphaned Build " + buildName}},
		"orphan that is new":  {reason: "the garbage collector is about to", change: func(w *world) { w.build.PoolUID, w.build.Created = "gone", ago(30*time.Second) }},
		"copied build": {reason: "copies bear the label", change: func(w *world) { w.build.Pool = "" },
			want: []string{"warning NotOurs Build " + buildName}, repair: "delete build"},
		"R46 forged build, by its form": {reason: "it is in no form of ours", change: func(w *world) { w.build.Foreign = "spec.source.git is set" },
			want: []string{"error BuildForged Build " + buildName}, says: "spec.source.git is set", repair: "delete build " + buildName},
		"R46 forged build, by what is asked for": {reason: "it goes elsewhere", change: func(w *world) {
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StatePublished, Strangers: []plan.Stranger{{Name: buildName, Why: "it pushes to evil.example.com"}}}}
		}, want: []string{"error BuildForged Build " + buildName}, says: "evil.example.com"},
		"build of an opted-out pool": {reason: "the controller was away", change: func(w *world) { w.build.PoolUID = w.idle.UID },
			want: []string{"error LeftBehind Build " + buildName}, says: "did not opt in", repair: "delete build " + buildName},
		"build of a pool opted out just now": {reason: "the controller is about to", change: func(w *world) {
			w.build.PoolUID = w.idle.UID
			w.idle.ManagedFields = []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: ago(10 * time.Second)}}}
		}},
		"superseded build": {reason: "nobody stops it", change: func(w *world) { w.runs(); w.build.RenderedConfig = "rendered-worker-0" },
			want: []string{"error BuildSuperseded Build " + buildName}, says: "is running and was not asked to stop, though it is of rendered-worker-0", repair: `{"status":{"cancelled":true}}`},
		"superseded build that stops": {reason: "its pod takes its time", change: func(w *world) { w.runs(); w.build.RenderedConfig, w.build.Stopping = "rendered-worker-0", true }},
		"superseded just now": {reason: "the quiet period", change: func(w *world) {
			w.runs()
			w.build.RenderedConfig = "rendered-worker-0"
			w.worker.ManagedFields = []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: ago(80 * time.Second)}}}
		}},
		"second build": {reason: "two run for one pool", change: func(w *world) {
			w.runs()
			second := *w.build
			second.Object, second.Name = "machine-os-worker-9876543210-1", "machine-os-worker-9876543210-1"
			w.Builds = append(w.Builds, second)
		}, want: []string{"error BuildNotOnRecord Build machine-os-worker-9876543210-1"}, says: "newest attempt of MachineConfigPool worker is Build " + buildName},

		"input without a build": {reason: "it holds the config", change: func(w *world) { w.input("machine-os-worker-9876543210-1", ago(time.Hour)) },
			want: []string{"error InputsWithoutBuild Secret machine-os-worker-9876543210-1"}, repair: "delete secret machine-os-worker-9876543210-1"},
		"input that is new": {reason: "its Build comes next", change: func(w *world) { w.input("machine-os-worker-9876543210-1", ago(time.Second)) }},
		"input of a refused build": {reason: "the controller goes on trying", change: func(w *world) {
			w.runs()
			w.Builds = nil
			w.input(buildName, ago(time.Hour))
			w.report(plan.Held(plan.Hold{Reason: ledger.ReasonBuilderRefused, Message: "exceeded quota"}).Report)
		}, want: []string{"error BuilderRefused " + worker}, says: "exceeded quota", repair: "--server-dry-run"},
		"input that outlives its build": {reason: "it holds the config", change: func(w *world) { w.input(buildName, ago(time.Hour)) },
			want: []string{"error InputsOutliveBuild Secret " + buildName}},
		"input of a build that ended just now": {reason: "the controller is about to", change: func(w *world) { w.input(buildName, ago(time.Hour)); w.build.Finished = ago(time.Second) }},
		"input of a running build":             {reason: "it is read", change: func(w *world) { w.runs(); w.input(buildName, ago(time.Hour)) }},
		"orphaned input":                       {reason: "it holds the config", change: func(w *world) { w.input(buildName, ago(time.Hour)); w.Inputs[0].PoolUID = "gone" }, want: []string{"error Orphaned Secret " + buildName}},
		"Builds unknown":                       {reason: "nothing is said of what is not known", change: func(w *world) { w.input("another", ago(time.Hour)); w.runs(); w.Builds, w.BuildsKnown = nil, false }},

		"build missing": {reason: "someone deleted it, and nobody noticed", change: func(w *world) { w.runs(); w.Builds = nil },
			want: []string{"error BuildMissing " + worker}, says: "there is no such Build"},
		"claimed just now": {reason: "it is about to be created", change: func(w *world) {
			w.attempt(imagebuilder.PhaseRunning, func(r *ledger.Record) { r.ClaimedAt = ago(time.Second) })
			w.Builds = nil
			w.worker.ManagedFields = []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: ago(time.Second)}}}
		}},
		"record malformed": {reason: "someone edited it", change: func(w *world) { w.annotate(constants.BuildRecordAnnotation, "{") },
			want: []string{"error RecordMalformed " + worker}, repair: "oc annotate machineconfigpool worker " + constants.BuildRecordAnnotation + "-"},
		"record shared": {reason: "the pool was copied", change: func(w *world) {
			w.idle.Labels, w.idle.Annotations, w.idle.Status = w.worker.Labels, w.worker.Annotations, w.worker.Status
		}, want: []string{"error RecordShared MachineConfigPool idle"}, says: "so does MachineConfigPool worker", repair: "oc annotate machineconfigpool idle"},

		"image without config": {reason: "a wrong image may be served", change: func(w *world) { delete(w.worker.Annotations, constants.DesiredOSImageConfigAnnotation) },
			want: []string{"error ImageConfigUnknown " + worker, "error NotReported " + worker}},
		"config without image": {reason: "there is none", change: func(w *world) { delete(w.worker.Annotations, constants.DesiredOSImageAnnotation) },
			want: []string{"error ImageMissing " + worker, "error NotReported " + worker}},
		"image by tag": {reason: "it may change", change: func(w *world) { w.annotate(constants.DesiredOSImageAnnotation, buildtest.Repository+":latest") },
			want: []string{"error ImageNotByDigest " + worker}, says: ":latest"},
		"image of others": {reason: "someone else wrote it", change: func(w *world) {
			w.annotate(constants.DesiredOSImageAnnotation, buildtest.Repository+"@"+buildtest.Digest(8))
		},
			want: []string{"error ImageNotOnRecord " + worker}},
		"config of the image gone": {reason: "nobody can tell what is in it", change: func(w *world) {
			w.runs()
			w.annotate(constants.DesiredOSImageConfigAnnotation, "rendered-worker-0")
			w.Configs["rendered-worker-0"] = false
		}, want: []string{"warning ImageConfigMissing " + worker}, says: "rendered-worker-0"},

		"two conditions True": {reason: "one of them lies", change: func(w *world) { w.condition(mcfgv1.MachineConfigPoolBuilding).Status = corev1.ConditionTrue },
			want: []string{"error ConditionsImpossible " + worker}, says: "Building and BuildSuccess are True"},
		"no condition True": {reason: "it is nowhere", change: func(w *world) { w.condition(mcfgv1.MachineConfigPoolBuildSuccess).Status = corev1.ConditionFalse },
			want: []string{"error ConditionsImpossible " + worker, "error NotReported " + worker}, says: "none of the build conditions is True"},
		"condition twice": {reason: "which one is right?", change: func(w *world) {
			w.worker.Status.Conditions = append(w.worker.Status.Conditions, *w.condition(mcfgv1.MachineConfigPoolBuilding))
		}, want: []string{"error ConditionsImpossible " + worker}, says: "Building occurs 2 times"},
		"condition missing": {reason: "someone replaced the list", change: func(w *world) { w.worker.Status.Conditions = w.worker.Status.Conditions[1:] },
			want: []string{"error ConditionsImpossible " + worker}, says: "BuildPending is missing"},
		"condition unknown": {reason: "the controller never says so", change: func(w *world) { w.condition(mcfgv1.MachineConfigPoolBuilding).Status = corev1.ConditionUnknown },
			want: []string{"error ConditionsImpossible " + worker}, says: `Building is "Unknown"`},
		"R40 refused": {reason: "what is over cannot be removed", change: func(w *world) {
			degraded := w.condition(mcfgv1.MachineConfigPoolImageBuildDegraded)
			degraded.Status, degraded.Reason, degraded.Message = corev1.ConditionTrue, ledger.ReasonRequestRefused, "could not delete Secret x: no"
		}, want: []string{"error RequestRefused " + worker}, says: "could not delete Secret x: no"},
		"degraded success": {reason: "they exclude each other", change: func(w *world) { w.condition(mcfgv1.MachineConfigPoolImageBuildDegraded).Status = corev1.ConditionTrue },
			want: []string{"error ConditionsImpossible " + worker}, says: "ImageBuildDegraded is True together with BuildSuccess"},
		"traces": {reason: "the controller was away", change: func(w *world) {
			w.idle.Annotations, w.idle.Status = w.worker.Annotations, w.worker.Status
			w.worker.Annotations = nil
			w.worker.Status = mcfgv1.MachineConfigPoolStatus{}
			w.worker.CreationTimestamp = metav1.NewTime(now)
			w.Builds = nil
		},
			want: []string{"error TracesLeft MachineConfigPool idle"}, says: "3 annotations and 6 conditions", repair: constants.BuildRecordAnnotation + "-"},

		"not reported": {reason: "the controller does not run", change: func(w *world) { w.worker.Spec.Configuration.Name = "rendered-worker-b" },
			want: []string{"error NotReported " + worker}, says: "wants rendered-worker-b", repair: "--feature-gates OnClusterBuild=true"},
		"never reported": {reason: "the controller does not run", change: func(w *world) {
			w.worker.Annotations, w.worker.Status, w.Builds = nil, mcfgv1.MachineConfigPoolStatus{}, nil
		}, want: []string{"error NotReported " + worker}, says: "no condition of the BuildController"},
		"failed": {reason: "nothing good comes of waiting", change: func(w *world) {
			w.attempt(imagebuilder.PhaseFailed, func(r *ledger.Record) {
				r.Failure = &ledger.Failure{Reason: "DockerBuildFailed", At: ago(50 * time.Minute)}
			})
			w.report(ledger.Report{State: ledger.StateFailed, Reason: ledger.ReasonBuildFailed, Message: "Build " + buildName + " of " + wanted + " failed."})
		}, want: []string{"error BuildFailed " + worker}, says: "failed (DockerBuildFailed).", repair: "logs build/" + buildName},
		"stuck": {reason: "nothing good comes of waiting", change: func(w *world) { w.attempt(imagebuilder.PhasePending, func(*ledger.Record) {}) },
			want: []string{"error BuildStuck " + worker}, repair: "describe pod " + buildName + "-build"},
		"cancelled": {reason: "someone wanted that", change: func(w *world) {
			w.attempt(imagebuilder.PhaseStopped, func(r *ledger.Record) { r.Failure = &ledger.Failure{Interrupted: true, At: ago(50 * time.Minute)} })
			w.report(ledger.Report{State: ledger.StateInterrupted, Reason: ledger.ReasonBuildCancelled, Message: "Build of " + wanted + " was cancelled."})
		}, want: []string{"warning BuildCancelled " + worker}, repair: constants.RebuildRequestedAnnotation},

		"config missing": {reason: "the controller would say so, if it ran", change: func(w *world) {
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonRenderedConfigMissing, Message: "MachineConfig x does not exist"}}
		}, want: []string{"error RenderedConfigMissing " + worker}, says: "MachineConfig x does not exist", repair: "oc get machineconfigs"},
		"paused": {reason: "someone wanted that", change: func(w *world) {
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonPoolPaused, Message: worker + " is paused"}}
		}, want: []string{"warning PoolPaused " + worker}, says: "is paused", repair: `'{"spec":{"paused":false}}'`},
		"held for a Secret": {reason: "the Secret is looked at", change: func(w *world) {
			w.Decisions = []Decision{{Pool: "worker", State: ledger.StateHeld, Reason: ledger.ReasonSecretMissing, Message: "?"}}
		}},
		"held by the condition": {reason: "what would be decided is not known", change: func(w *world) {
			w.report(plan.Held(plan.Hold{Reason: ledger.ReasonTrustBundleInvalid, Message: "it is malformed"}).Report)
		}, want: []string{"error TrustBundleInvalid " + worker}, says: "it is malformed"},

		"ConfigMap missing": {reason: "a new user has to be told", change: func(w *world) { w.Settings, w.Secrets = nil, nil },
			want: []string{"error ConfigMapMissing ConfigMap machine-os-builder-config"}, repair: "create configmap machine-os-builder-config --from-literal=finalImagePullspec="},
		"ConfigMap missing, nobody opted in": {reason: "nobody suffers yet", change: func(w *world) { w.Settings, w.Secrets, w.Builds, w.Pools = nil, nil, nil, w.Pools[1:] },
			want: []string{"warning ConfigMapMissing ConfigMap machine-os-builder-config"}},
		"ConfigMap unknown": {reason: "it may be there", change: func(w *world) { w.Settings, w.Secrets, w.SettingsKnown = nil, nil, false }},
		"ConfigMap invalid": {reason: "every key is named", change: func(w *world) {
			w.Settings.Data[constants.FinalImagePullspecKey], w.Settings.Data[constants.MaxAttemptsKey] = "os", "many"
		}, want: []string{"error ConfigMapInvalid ConfigMap machine-os-builder-config", "error ConfigMapInvalid ConfigMap machine-os-builder-config"}, says: "key finalImagePullspec", repair: "edit configmap machine-os-builder-config"},
		"unknown key": {reason: "it may be misspelt", change: func(w *world) { w.Settings.Data["maxAtempts"] = "1" },
			want: []string{"warning UnknownKeys ConfigMap machine-os-builder-config"}, says: "maxAtempts"},
		"Secret missing": {reason: "it is named", change: func(w *world) { w.Secrets[1].Exists, w.Secrets[1].Content = false, nil },
			want: []string{"error SecretMissing Secret " + buildtest.PullSecret}, says: "key baseImagePullSecretName", repair: "create secret docker-registry pull-secret"},
		"Secret invalid": {reason: "it has no credentials", change: func(w *world) { w.Secrets[0].Content.Data = nil },
			want: []string{"error SecretInvalid Secret " + buildtest.PushSecret}, repair: "--docker-server=registry.example.com"},
		"Secret for another registry": {reason: "pushing would fail", change: func(w *world) {
			w.Secrets[0].Content = buildtest.RegistrySecret(buildtest.PushSecret, "other.example.com")
		},
			want: []string{"error SecretInvalid Secret " + buildtest.PushSecret}, says: `It has "other.example.com"`},
		"Secret unread": {reason: "nothing is said of what is not known", change: func(w *world) { w.Secrets[0].Content = nil }},
		"custom content of nobody": {reason: "it may be misspelt", change: func(w *world) { w.custom("wroker", "FROM configs AS final\nRUN true\n") },
			want: []string{"warning CustomContentUnused " + inputs.CustomObject}, says: `"wroker"`},
		"custom content invalid": {reason: "the line is named", change: func(w *world) { w.custom("worker", "FROM configs AS final\nRUNS true\n") },
			want: []string{"error CustomContentInvalid " + inputs.CustomObject}, says: "key worker: line 2"},
		"custom content invalid, not opted in": {reason: "nobody suffers yet", change: func(w *world) { w.custom("idle", "RUNS true") },
			want: []string{"warning CustomContentInvalid " + inputs.CustomObject}},

		"Build API missing": {reason: "nothing can be built", change: func(w *world) { w.BuilderProblem, w.Builds, w.BuildsKnown = "the API is not installed", nil, false },
			want: []string{"error BuilderUnavailable the cluster"}, says: "not installed"},
		"lease held": {reason: "a controller leads", change: func(w *world) { w.lease("host_1", ago(time.Minute)) }},
		"lease expired": {reason: "the controller died", change: func(w *world) { w.lease("host_1", ago(5*time.Minute)) },
			want: []string{"error LeaseExpired Lease machine-os-build-controller"}, says: "host_1, which last renewed it at 2026-03-01T11:55:00Z"},
		"lease given back": {reason: "the controller was stopped", change: func(w *world) { w.lease("", ago(5*time.Minute)) },
			want: []string{"error NobodyLeads Lease machine-os-build-controller"}},
		"lease given back just now": {reason: "the next one takes over", change: func(w *world) { w.lease("", ago(10*time.Second)) }},
		"no service account": {reason: "the manifest was not applied", change: func(w *world) { w.AccountMissing = true },
			want: []string{"error ServiceAccountMissing ServiceAccount openshift-machine-config-operator/machine-os-build-controller"}, repair: "oc apply -f hack/deploy/rbac.yaml"},
		"permission missing": {reason: "an older manifest", change: func(w *world) {
			w.Denied = []Permission{{Namespace: ctrlcommon.MCONamespace, Group: "build.openshift.io", Resource: "builds/optimizeddocker", Verb: "create"}}
		}, want: []string{"error PermissionMissing ServiceAccount openshift-machine-config-operator/machine-os-build-controller"}, says: "may not create builds/optimizeddocker", repair: "oc apply"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.change(w)
			var got []string
			findings := Examine(w.Objects)
			for _, f := range findings {
				got = append(got, strings.Join([]string{string(f.Severity), f.Check, f.Object}, " "))
				require.NotEmpty(t, f.Problem)
				require.NotEmpty(t, f.Repair, "every finding can be repaired")
				require.NotContains(t, f.Problem+f.Repair, buildtest.Canary)
			}
			require.Equal(t, test.want, got, "%s: %+v", test.reason, findings)
			if len(findings) > 0 {
				require.Contains(t, findings[0].Problem, test.says, test.reason)
				require.Contains(t, findings[0].Repair, test.repair, test.reason)
			}
		})
	}
}

func (w *world) custom(pool, text string) {
	w.Custom = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: inputs.CustomConfigMapName}, Data: map[string]string{pool: text}}
}
