package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestR21R22WhatIsWrittenAndNotRead: content in a place where nobody looks, and names that
// mean nothing, are findings, whether or not anything suffers from them.
func TestR21R22WhatIsWrittenAndNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*world)
		want   []string
		says   []string
		repair string
	}{
		"custom content as binary data": {reason: "a byte that is not UTF-8", change: func(w *world) {
			w.custom("worker", "")
			w.Custom.Data, w.Custom.BinaryData = nil, map[string][]byte{"worker": []byte("FROM configs\n\xe9")}
		}, want: []string{"error CustomContentInvalid " + inputs.CustomObject}, says: []string{"key worker: is binary data", "line 2"}, repair: "edit configmap"},
		"of a pool that did not opt in": {reason: "nobody suffers yet", change: func(w *world) {
			w.custom("idle", "")
			w.Custom.Data, w.Custom.BinaryData = nil, map[string][]byte{"idle": {0xff}}
		}, want: []string{"warning CustomContentInvalid " + inputs.CustomObject}, says: []string{"key idle: is binary data"}},
		"a setting as binary data": {reason: "it would pass for missing", change: func(w *world) {
			delete(w.Settings.Data, constants.FinalImagePullspecKey)
			w.Settings.BinaryData = map[string][]byte{constants.FinalImagePullspecKey: []byte("registry.example.com/\xe9")}
		}, want: []string{"error ConfigMapInvalid " + inputs.ConfigMapObject}, says: []string{"key finalImagePullspec: is binary data", "save the file as UTF-8"}},
		"an unknown setting as binary data": {reason: "it is ignored all the same", change: func(w *world) {
			w.Settings.BinaryData = map[string][]byte{"maxAtempts": {0xff}}
		}, want: []string{"warning UnknownKeys " + inputs.ConfigMapObject}, says: []string{"maxAtempts"}},

		"Containerfile": {reason: "what --from-file makes of a file", change: func(w *world) { w.custom("Containerfile", "FROM configs\n") },
			want: []string{"warning CustomContentUnused " + inputs.CustomObject}, says: []string{`a key "Containerfile", and there is no pool of that name; the pools are idle, worker`}},
		"Worker": {reason: "names are in lower case", change: func(w *world) { w.custom("Worker", "FROM configs\n") },
			want: []string{"warning CustomContentUnused " + inputs.CustomObject}, says: []string{"is worker meant?"}},
		"worker.Containerfile, binary": {reason: "two mistakes at once", change: func(w *world) {
			w.custom("worker.Containerfile", "")
			w.Custom.Data, w.Custom.BinaryData = nil, map[string][]byte{"worker.Containerfile": {0xff}}
		}, want: []string{"warning CustomContentUnused " + inputs.CustomObject}, says: []string{"is worker meant?"}},
		"of a pool that did not opt in, and good": {reason: "somebody may believe that it is built", change: func(w *world) { w.custom("idle", "FROM configs\nRUN true\n") },
			want: []string{"warning CustomContentUnused " + inputs.CustomObject}, says: []string{"has text for MachineConfigPool idle, which did not opt in"}, repair: "oc label machineconfigpool idle " + ctrlcommon.LayeringEnabledPoolLabel + "="},
		"of a pool that did not opt in, and empty": {reason: "there is nothing to build", change: func(w *world) { w.custom("idle", "# later\n") }},
		"a repository that is not read": {reason: "dnf reads only some", change: func(w *world) {
			w.Repositories = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: inputs.RepositoriesConfigName}, Data: map[string]string{"redhat": "", "a.repo": ""}}
		}, want: []string{"warning UnknownKeys " + inputs.RepositoriesObject}, says: []string{"dnf does not read: redhat"}, repair: "edit configmap etc-yum-repos-d"},

		"a misspelt label": {reason: "the pool is believed to be opted in", change: func(w *world) {
			metav1.SetMetaDataLabel(&w.idle.ObjectMeta, "machineconfiguration.openshift.io/layering-enable", "")
		}, want: []string{"warning UnknownKeys MachineConfigPool idle"}, says: []string{"has the label machineconfiguration.openshift.io/layering-enable, which means nothing; is the label"}, repair: "oc edit machineconfigpool idle"},
		"a misspelt annotation": {reason: "a rebuild is believed to be requested", change: func(w *world) { w.annotate("machineconfiguration.openshift.io/rebuild-requestet", "1") },
			want: []string{"warning UnknownKeys " + worker}, says: []string{"is the annotation " + constants.RebuildRequestedAnnotation + " meant?"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.change(w)
			var got []string
			findings := Examine(w.Objects)
			for _, f := range findings {
				got = append(got, strings.Join([]string{string(f.Severity), f.Check, f.Object}, " "))
			}
			require.Equal(t, test.want, got, "%s: %+v", test.reason, findings)
			for _, text := range test.says {
				require.Contains(t, findings[0].Problem, text, test.reason)
			}
			if len(findings) > 0 {
				require.NotEmpty(t, findings[0].Repair)
				require.Contains(t, findings[0].Repair, test.repair, test.reason)
			}
		})
	}
}
