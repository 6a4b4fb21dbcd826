package build

import (
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const evil = "evil.example.com/x/y"

// strip takes away what is ours on the pool, as a tool does that writes it anew from a
// manifest of its own.
func (h *harness) strip() {
	h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) {
		for _, key := range constants.PoolAnnotations() {
			delete(p.Annotations, key)
		}
	})
}

// forge makes a Build under another name that says of itself what the newest one does.
func (h *harness) forge(name string, change func(*buildv1.Build)) {
	h.t.Helper()
	for _, b := range h.api.Builds() {
		if b.Name == h.newestBuild(worker) {
			forged := b.DeepCopy()
			forged.Name, forged.UID = name, ""
			forged.Annotations[constants.BuildNameAnnotation] = name
			forged.Annotations[constants.ClaimAnnotation] = strings.ReplaceAll(forged.Annotations[constants.ClaimAnnotation], b.Name, name)
			for i := range forged.Spec.Source.Secrets {
				forged.Spec.Source.Secrets[i].Secret.Name = strings.Replace(forged.Spec.Source.Secrets[i].Secret.Name, b.Name, name, 1)
			}
			forged.Spec.Output.To.Name = buildtest.Repository + ":" + name
			forged.CreationTimestamp = metav1.NewTime(h.clock.Now().Truncate(time.Second))
			forged.Status = buildv1.BuildStatus{Phase: buildv1.BuildPhaseNew}
			change(forged)
			h.api.Put(forged)
			return
		}
	}
	require.FailNow(h.t, "there is no Build to copy")
}

func complete(h *harness, b *buildv1.Build) {
	b.Status.Phase = buildv1.BuildPhaseComplete
	b.Status.StartTimestamp, b.Status.CompletionTimestamp = ptr.To(metav1.NewTime(h.clock.Now())), ptr.To(metav1.NewTime(h.clock.Now()))
	b.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: buildtest.Digest(666)}
}

func (h *harness) eventsWith(text string) (found []string) {
	for _, event := range h.events {
		if strings.Contains(event, text) {
			found = append(found, event)
		}
	}
	return found
}

// requireNothingEvil checks that no image is taken over that the controller did not have
// made, neither now nor from what is on record.
func (h *harness) requireNothingEvil() {
	h.t.Helper()
	annotations := h.api.Pool(worker).Annotations
	images := []string{annotations[constants.DesiredOSImageAnnotation]}
	if record, err := ledger.ParseRecord(annotations[constants.BuildRecordAnnotation]); err == nil {
		require.NotEqual(h.t, "machine-os-worker-forged-1", record.Build)
		images = append(images, record.Image)
		for _, past := range record.History {
			images = append(images, past.Image)
		}
	}
	for _, image := range images {
		require.NotContains(h.t, image, evil)
		require.NotContains(h.t, image, buildtest.Digest(666))
	}
}

// TestR46StrangersAreNotTakenOver: the pool's record is lost, and a Build is there with our
// labels, owner and fingerprint that somebody else made.
func TestR46StrangersAreNotTakenOver(t *testing.T) {
	spec := func(change func(*buildv1.BuildSpec)) func(*harness, *buildv1.Build) {
		return func(_ *harness, b *buildv1.Build) { change(&b.Spec) }
	}
	for name, test := range map[string]struct {
		reason string
		change func(*harness, *buildv1.Build)
		// says is a text of the event.
		says string
	}{
		"another registry": {"its image is published", spec(func(s *buildv1.BuildSpec) {
			s.Output.To.Name, s.Source.Dockerfile = evil+":1", ptr.To("FROM scratch\n")
		}), evil},
		"another Containerfile": {"it pushes evil to our own registry", spec(func(s *buildv1.BuildSpec) { s.Source.Dockerfile = ptr.To("FROM scratch\nRUN evil\n") }), "Containerfile"},
		"the stub":              {"the cache cannot tell, the API can", spec(func(s *buildv1.BuildSpec) { s.Source.Dockerfile = ptr.To("FROM scratch\n") }), "dockerfile"},
		"another tag":           {"it takes the place of an image in use", spec(func(s *buildv1.BuildSpec) { s.Output.To.Name = buildtest.Repository + ":latest" }), "latest"},
		"an input more":         {"it takes the place of the Containerfile", spec(func(s *buildv1.BuildSpec) { s.Source.ConfigMaps = []buildv1.ConfigMapBuildSource{{}} }), "configMaps"},
		"another base": {"it takes the place of ours", spec(func(s *buildv1.BuildSpec) {
			s.Strategy.DockerStrategy.From = &corev1.ObjectReference{Kind: "DockerImage", Name: evil}
		}), evil},
		"one input less":  {"the config is not in it", spec(func(s *buildv1.BuildSpec) { s.Source.Secrets = nil }), "secrets"},
		"another attempt": {"attempts count from 1", func(_ *harness, b *buildv1.Build) { b.Annotations[constants.AttemptAnnotation] = "0" }, "attempt 0"},
		"another config": {"the image would be published as that of it", func(_ *harness, b *buildv1.Build) {
			b.Annotations[constants.RenderedConfigAnnotation] = "rendered-evil"
		}, "rendered-evil"},
	} {
		for _, ended := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				h := layeredHarness(t, "rendered-worker-1")
				h.settle(worker)
				own := h.newestBuild(worker)
				h.clock.Step(2 * time.Second)
				h.forge("machine-os-worker-forged-1", func(b *buildv1.Build) {
					test.change(h, b)
					if ended {
						complete(h, b)
					}
				})
				h.strip()
				h.clock.Step(time.Minute)
				h.settle(worker)
				h.requireNothingEvil()
				require.NotEmpty(t, h.eventsWith("machine-os-worker-forged-1"), test.reason)
				require.Contains(t, h.eventsWith("machine-os-worker-forged-1")[0], test.says)
				require.Len(t, h.eventsWith("machine-os-worker-forged-1"), 1, "once")

				for _, b := range h.api.Builds() {
					if b.Name == "machine-os-worker-forged-1" && !ended {
						h.api.CompleteBuild(b.Name, buildtest.Digest(666))
					}
				}
				h.settle(worker)
				h.requireNothingEvil()
				require.Equal(t, own, h.newestBuild(worker), "our own is found again, and not made anew")
				h.complete(worker)
				h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
			})
		}
	}
}

// TestR46BornEnded: a Build that had ended before it could begin was at work for nobody.
func TestR46BornEnded(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*harness, *buildv1.Build)
	}{
		"without times": {"nobody saw it begin", func(h *harness, b *buildv1.Build) {
			complete(h, b)
			b.Status.StartTimestamp, b.Status.CompletionTimestamp = nil, nil
		}},
		"a copy": {"what is created from another's YAML keeps its status", func(h *harness, b *buildv1.Build) {
			complete(h, b)
			b.CreationTimestamp = metav1.NewTime(h.clock.Now().Add(time.Hour))
		}},
		"never began": {"it has an end and no beginning", func(h *harness, b *buildv1.Build) { complete(h, b); b.Status.StartTimestamp = nil }},
		"ended first": {"the end is before the beginning", func(h *harness, b *buildv1.Build) {
			complete(h, b)
			b.Status.StartTimestamp = ptr.To(metav1.NewTime(h.clock.Now().Add(time.Hour)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			h.settle(worker)
			h.forge("machine-os-worker-forged-1", func(b *buildv1.Build) { test.change(h, b) })
			h.strip()
			h.settle(worker)
			h.requireNothingEvil()
			require.NotEmpty(t, h.eventsWith("forged"), test.reason)
			h.complete(worker)
			h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
		})
	}
}

// TestR46AlteredBuildIsNotPublished: the Build on record is not any more what it was made as.
func TestR46AlteredBuildIsNotPublished(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*buildv1.Build)
		says   string
	}{
		"output":        {"the image is somewhere else", func(b *buildv1.Build) { b.Spec.Output.To.Name = evil + ":1" }, evil},
		"Containerfile": {"the image is another one", func(b *buildv1.Build) { b.Spec.Source.Dockerfile = ptr.To("FROM scratch\nRUN evil\n") }, "Containerfile"},
		"base":          {"the image is another one", func(b *buildv1.Build) { b.Spec.Strategy.DockerStrategy.From = &corev1.ObjectReference{Name: evil} }, "from"},
		"made anew":     {"somebody deleted it, and made one of their own", func(b *buildv1.Build) { b.UID = "uid-of-another"; b.Spec.Output.To.Name = evil + ":1" }, evil},
	} {
		for _, when := range []string{"while it runs", "when it has ended"} {
			t.Run(name+" "+when, func(t *testing.T) {
				h := layeredHarness(t, "rendered-worker-1")
				h.settle(worker)
				build := h.newestBuild(worker)
				h.api.RunBuild(build, buildv1.BuildPhaseRunning)
				h.settle(worker)
				h.api.EditBuild(build, test.change)
				if when == "while it runs" {
					h.settle(worker)
				}
				h.api.CompleteBuild(build, buildtest.Digest(666))
				h.settle(worker)
				h.requireNothingEvil()
				message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
				require.Contains(t, message, ledger.FailureAltered, test.reason)
				require.Contains(t, message, test.says)
				require.Contains(t, message, build)

				h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Annotations[constants.RebuildRequestedAnnotation] = "again" })
				h.settle(worker)
				h.complete(worker)
				h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
			})
		}
	}
}

// TestR46AlteredWithoutSettings: what a build was claimed for counts while the settings are
// away.
func TestR46AlteredWithoutSettings(t *testing.T) {
	for _, altered := range []bool{false, true} {
		h := layeredHarness(t, "rendered-worker-1")
		h.settle(worker)
		build := h.newestBuild(worker)
		h.api.Remove("configmaps", ctrlcommon.MCONamespace, constants.ConfigMapName)
		if altered {
			h.api.EditBuild(build, func(b *buildv1.Build) { b.Spec.Output.To.Name = evil + ":1" })
		}
		h.api.CompleteBuild(build, buildtest.Digest(1))
		h.settle(worker)
		if altered {
			h.requireNothingEvil()
			require.Contains(t, h.api.Pool(worker).Annotations[constants.BuildRecordAnnotation], ledger.FailureAltered)
		} else {
			require.Equal(t, buildtest.Repository+"@"+buildtest.Digest(1), h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation])
		}
	}
}

// TestR46InputsOfOthers: a Secret has the name of an input, and was made by somebody else.
func TestR46InputsOfOthers(t *testing.T) {
	for name, change := range map[string]func(*corev1.Secret){
		"other content": func(s *corev1.Secret) {
			for key := range s.Data {
				s.Data[key] = []byte("evil")
			}
		},
		"another key more":           func(s *corev1.Secret) { s.Data["Dockerfile"] = []byte("FROM scratch\n") },
		"content that may change":    func(s *corev1.Secret) { s.Immutable = nil },
		"not ours":                   func(s *corev1.Secret) { s.Labels = nil },
		"of a pool of the same name": func(s *corev1.Secret) { s.OwnerReferences[0].UID = "another" },
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			made := h.preview(worker).Request
			require.NotNil(t, made)
			// The claim is on the pool before the Secret is made, for everybody to read.
			h.api.Before = func(call buildtest.Call) {
				if call.Verb != "create" || call.Resource != "secrets" {
					return
				}
				h.api.Before = nil
				h.forgeInput(call.Name, change)
			}
			h.settle(worker)
			taken := h.newestBuild(worker)
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled)
			require.Contains(t, message, "Secret "+taken)
			require.Contains(t, message, ledger.FailureInputsTaken)
			require.Empty(t, h.api.Builds(), "nothing is built from it")
			require.NotContains(t, message, "evil", "content is not told")

			h.pass(time.Minute, worker)
			require.NotEqual(t, taken, h.newestBuild(worker), "nobody knows the next name")
			require.Len(t, h.api.Builds(), 1)
			h.complete(worker)
			h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
		})
	}
}

// TestInputsOfAnotherRelease: the controller ends between the inputs and the build, and the one
// that takes over packs them otherwise, as another release may. Nobody has to remove anything.
func TestInputsOfAnotherRelease(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	allow := h.refuse("create", "builds", "", apierrors.NewServiceUnavailable("the controller ends"))
	_, err := h.sync(worker)
	require.Error(t, err)
	left := h.newestBuild(worker)
	h.forgeInput(left, func(s *corev1.Secret) {
		for key := range s.Data {
			s.Data[key] = []byte("packed by another release")
		}
	})
	allow()
	h.restart()

	h.pass(time.Minute, worker)
	require.Contains(t, h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled), "Secret "+left)
	h.pass(time.Minute, worker)
	h.complete(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
	require.Empty(t, h.api.InputSecrets(), "what the other release left is removed")
}

// TestBuildOfOthersHasTheName: what is there may run, so nothing runs beside it. It is told.
func TestBuildOfOthersHasTheName(t *testing.T) {
	h := layeredHarness(t, "rendered-worker-1")
	h.api.Before = func(call buildtest.Call) {
		if call.Verb == "create" && call.Resource == "builds" {
			h.api.Before = nil
			h.api.Put(&buildv1.Build{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: call.Name}})
		}
	}
	_, err := h.sync(worker)
	require.Error(t, err)
	message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonNameTaken)
	require.Contains(t, message, "Build "+h.newestBuild(worker))

	h.api.Remove("builds", ctrlcommon.MCONamespace, h.newestBuild(worker))
	h.pass(time.Minute, worker)
	h.complete(worker)
	h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
}

// TestR46ClustersAddToBuilds: what admission adds to a Build is no reason to refuse it,
// whether the record is there or lost.
func TestR46ClustersAddToBuilds(t *testing.T) {
	for _, lost := range []bool{false, true} {
		h := layeredHarness(t, "rendered-worker-1")
		h.settle(worker)
		build := h.newestBuild(worker)
		h.api.EditBuild(build, func(b *buildv1.Build) {
			b.Spec.NodeSelector = map[string]string{"build": "yes"}
			b.Spec.Resources.Limits = corev1.ResourceList{}
			b.Spec.Strategy.DockerStrategy.Env = []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "proxy.example.com"}}
			b.Spec.Strategy.DockerStrategy.ForcePull = true
			b.Spec.Output.ImageLabels = []buildv1.ImageLabel{{Name: "cluster", Value: "1"}}
			b.Labels["webhook"], b.Annotations["webhook"] = "1", "1"
		})
		// The node has an entitlement by now.
		h.api.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.EntitlementSecretName}})
		h.settle(worker)
		if lost {
			h.strip()
			h.settle(worker)
		}
		h.complete(worker)
		h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
		require.Len(t, h.api.Builds(), 1)
	}
}
