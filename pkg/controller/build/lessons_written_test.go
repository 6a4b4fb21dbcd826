package build

import (
	"slices"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Lessons about what administrators write, and where it is looked for.

// notices are the events about what means nothing, or is understood in another way.
func (h *harness) notices() (notices []string) {
	for _, event := range h.events {
		if slices.ContainsFunc(ledger.NoticeReasons, func(reason string) bool { return strings.Contains(event, " "+reason+" ") }) {
			notices = append(notices, event)
		}
	}
	return notices
}

func repositories(data map[string]string, binary map[string][]byte) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ctrlcommon.MCONamespace, Name: inputs.RepositoriesConfigName}, Data: data, BinaryData: binary}
}

// TestR21BinaryDataIsNotIgnored: an image was built and published without the custom
// content, because one of its bytes was no UTF-8.
func TestR21BinaryDataIsNotIgnored(t *testing.T) {
	latin1 := []byte("FROM configs AS final\n# caf\xe9\nRUN true\n")
	custom := buildtest.CustomContent("")
	custom.Data, custom.BinaryData = nil, map[string][]byte{worker: latin1}
	for name, test := range map[string]struct {
		reason string
		breaks corev1.ConfigMap
		why    string
		names  []string
		mends  *corev1.ConfigMap
	}{
		"custom content": {
			reason: "an editor wrote Latin-1", breaks: *custom, why: ledger.ReasonCustomContentInvalid, mends: buildtest.CustomContent("FROM configs AS final\nRUN true\n"),
			names: []string{"ConfigMap machine-os-builder-custom-containerfile, key worker", "binary data", "line 2", "save the file as UTF-8"},
		},
		"a setting": {
			reason: "the file has a stray byte", why: ledger.ReasonConfigMapInvalid, mends: buildtest.SettingsConfigMap(),
			breaks: func() corev1.ConfigMap {
				settings := buildtest.SettingsConfigMap()
				delete(settings.Data, constants.FinalImagePushSecretKey)
				settings.BinaryData = map[string][]byte{constants.FinalImagePushSecretKey: []byte("push\xa0")}
				return *settings
			}(),
			names: []string{"ConfigMap machine-os-builder-config, key finalImagePushSecretName", "binary data"},
		},
		"a setting that may be missing": {
			reason: "its default would take its place", why: ledger.ReasonConfigMapInvalid, mends: buildtest.SettingsConfigMap(),
			breaks: func() corev1.ConfigMap {
				settings := buildtest.SettingsConfigMap()
				settings.BinaryData = map[string][]byte{constants.RejectCredentialsKey: []byte("\xff\xfet\x00r\x00u\x00e\x00")}
				return *settings
			}(),
			names: []string{"key rejectCredentials", "UTF-16"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, configA)
			stripped, err := Strip(test.breaks.DeepCopy())
			require.NoError(t, err)
			h.api.Put(stripped.(*corev1.ConfigMap))
			h.settle(worker)
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, test.why)
			for _, text := range test.names {
				require.Contains(t, message, text, test.reason)
			}
			require.Empty(t, h.api.Builds(), "nothing is built without it")

			h.api.Put(test.mends)
			h.settle(worker)
			h.pass(time.Minute, worker)
			require.Len(t, h.api.Builds(), 1)
		})
	}
}

// TestR21ARepositoryMayBeBinary: a volume has a file for each key, wherever its value is.
func TestR21ARepositoryMayBeBinary(t *testing.T) {
	h := layeredHarness(t, configA)
	config := buildtest.RenderedConfig("rendered-worker-extensions")
	config.Spec.Extensions, config.Spec.BaseOSExtensionsContainerImage = []string{"usbguard"}, "quay.example.com/ocp/extensions@"+buildtest.Digest(9)
	h.api.Put(config)
	stripped, err := Strip(repositories(nil, map[string][]byte{inputs.ExtensionsRepositoryKey: []byte("\xe9" + inputs.ExtensionsRepository)}))
	require.NoError(t, err)
	h.api.Put(stripped.(*corev1.ConfigMap))
	h.want(config.Name)
	h.settle(worker)
	h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonBuildCreated)
	require.Empty(t, h.notices())
}

// TestR22WhatMeansNothingIsSaid: keys, labels and annotations that nobody looks up were
// ignored without a word.
func TestR22WhatMeansNothingIsSaid(t *testing.T) {
	withKey := func(key string) *corev1.ConfigMap {
		configMap := buildtest.CustomContent("")
		configMap.Data[key] = "FROM configs\nRUN true\n"
		return configMap
	}
	label := func(key, value string) func(*harness) {
		return func(h *harness) {
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { metav1.SetMetaDataLabel(&p.ObjectMeta, key, value) })
		}
	}
	annotate := func(key, value string) func(*harness) {
		return func(h *harness) {
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { metav1.SetMetaDataAnnotation(&p.ObjectMeta, key, value) })
		}
	}
	for name, test := range map[string]struct {
		reason string
		write  func(*harness)
		says   []string
	}{
		"Containerfile": {reason: "what --from-file makes of a file", write: func(h *harness) { h.api.Put(withKey("Containerfile")) },
			says: []string{"ConfigMap machine-os-builder-custom-containerfile has keys", "Containerfile", "the pools are infra, worker"}},
		"Worker": {reason: "names are in lower case", write: func(h *harness) { h.api.Put(withKey("Worker")) }, says: []string{"Worker (is worker meant?)"}},
		"binary": {reason: "two mistakes at once", write: func(h *harness) {
			configMap := buildtest.CustomContent("")
			configMap.BinaryData = map[string][]byte{"worker.Containerfile": {0xff}}
			h.api.Put(configMap)
		}, says: []string{"worker.Containerfile (is worker meant?)"}},
		"a setting, binary": {reason: "a logo among the settings", write: func(h *harness) {
			configMap := buildtest.SettingsConfigMap()
			configMap.BinaryData = map[string][]byte{"finalImage": {0xff}}
			h.api.Put(configMap)
		}, says: []string{"ConfigMap machine-os-builder-config has keys that mean nothing", "finalImage", "finalImagePullspec"}},
		"a repository": {reason: "dnf reads only some", write: func(h *harness) { h.api.Put(repositories(map[string]string{"redhat": ""}, nil)) },
			says: []string{"ConfigMap etc-yum-repos-d has keys that dnf does not read: redhat"}},
		"an annotation": {reason: "a slip of the keyboard", write: annotate("machineconfiguration.openshift.io/rebuild-request", "1"),
			says: []string{"MachineConfigPool worker has the annotation", "is the annotation " + constants.RebuildRequestedAnnotation + " meant?"}},
		"a label in place of an annotation": {reason: "oc label for oc annotate", write: label(constants.RebuildRequestedAnnotation, "1"), says: []string{"it counts as an annotation"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, configA)
			h.api.Put(buildtest.Pool("infra").Object())
			h.settle(worker)
			h.complete(worker)
			require.Empty(t, h.notices())

			test.write(h)
			h.settle(worker)
			h.pass(time.Minute, worker)
			require.Len(t, h.notices(), 1, test.reason)
			for _, text := range test.says {
				require.Contains(t, h.notices()[0], text, test.reason)
			}
			h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished)
			require.Len(t, h.api.Builds(), 1, "it holds up nothing, and builds nothing")

			for range 10 {
				h.pass(time.Hour, worker)
				h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Status.MachineCount++ })
				h.settle("infra")
			}
			require.Len(t, h.notices(), 1, "it is said once")
		})
	}
}

// TestR22OptingInMisspelt: a pool that did not opt in is not looked at for long, but for
// what was meant to opt it in.
func TestR22OptingInMisspelt(t *testing.T) {
	h := newHarness(t, append(goodInputs(configA), buildtest.Pool(worker).Wants(configA).Label("machineconfiguration.openshift.io/layering-enable", "").Object())...)
	h.settle(worker)
	h.settle(worker)
	require.Len(t, h.notices(), 1)
	require.Contains(t, h.notices()[0], "MachineConfigPool worker has the label machineconfiguration.openshift.io/layering-enable, which means nothing; is the label machineconfiguration.openshift.io/layering-enabled meant?")
	require.Empty(t, h.api.Pool(worker).Status.Conditions)
}

// TestR22APoolGoesAndItsTextStays: a key means nothing any more once its pool is gone, and
// what was said of others is not said again.
func TestR22APoolGoesAndItsTextStays(t *testing.T) {
	h := layeredHarness(t, configA)
	h.api.Put(buildtest.Pool("infra").Object())
	custom := buildtest.CustomContent("")
	custom.Data["infra"] = "FROM configs\nRUN true\n"
	h.api.Put(custom)
	h.settle(worker)
	require.Empty(t, h.notices())
	h.api.Remove("machineconfigpools", "", "infra")
	h.settle("infra")
	require.Len(t, h.notices(), 1)
	require.Contains(t, h.notices()[0], "infra; the pools are worker")
	h.api.Put(buildtest.Pool("edge").Object())
	h.settle("edge")
	h.api.Remove("machineconfigpools", "", "edge")
	h.settle("edge")
	require.Len(t, h.notices(), 1, "it is said already")
}

// TestR23AWordThatSaysNoOptsOut: a pool whose label said no was built and rolled out.
func TestR23AWordThatSaysNoOptsOut(t *testing.T) {
	for name, test := range map[string]struct {
		reason, value string
		builds, says  bool
	}{
		"False":    {reason: "as Python writes it", value: "False"},
		"0":        {reason: "as C writes it", value: "0"},
		"no":       {reason: "as YAML writes it", value: "no", says: true},
		"Off":      {reason: "as YAML writes it, too", value: "Off", says: true},
		"DISABLED": {reason: "as people write it", value: "DISABLED", says: true},
		"empty":    {reason: "presence is enough", value: "", builds: true},
		"enabled":  {reason: "a yes", value: "enabled", builds: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, configA)
			h.api.EditPool(worker, func(p *mcfgv1.MachineConfigPool) { p.Labels[ctrlcommon.LayeringEnabledPoolLabel] = test.value })
			h.settle(worker)
			require.Equal(t, test.builds, len(h.api.Builds()) > 0, test.reason)
			if !test.says {
				require.Empty(t, h.notices(), test.reason)
				return
			}
			require.Len(t, h.notices(), 1, test.reason)
			require.Contains(t, h.notices()[0], ledger.NoticeUnderstoodAsNo)
			h.pass(time.Minute, worker)
			require.Len(t, h.notices(), 1, "it is said once")
		})
	}
}
