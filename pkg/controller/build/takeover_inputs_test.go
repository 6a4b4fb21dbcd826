package build

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestR46InputsReplaced: while the Build waits to run, somebody deletes its input and makes
// another one under its name.
func TestR46InputsReplaced(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.Secret)
		evil   bool
	}{
		"other content": {change: func(s *corev1.Secret) { s.Data["Dockerfile"] = []byte("FROM scratch\n") }, evil: true},
		"the same":      {change: func(*corev1.Secret) {}},
	} {
		t.Run(name, func(t *testing.T) {
			h := layeredHarness(t, "rendered-worker-1")
			h.settle(worker)
			build := h.newestBuild(worker)
			h.clock.Step(2 * time.Second)
			h.api.Remove("secrets", ctrlcommon.MCONamespace, build)
			h.forgeInput(build, func(s *corev1.Secret) {
				s.CreationTimestamp = metav1.NewTime(h.clock.Now())
				test.change(s)
			})
			h.settle(worker)
			h.api.CompleteBuild(build, buildtest.Digest(1))
			h.settle(worker)
			if !test.evil {
				h.requirePublished(worker, "rendered-worker-1", buildtest.Digest(1))
				return
			}
			require.Empty(t, h.api.Pool(worker).Annotations[constants.DesiredOSImageAnnotation])
			message := h.requireCondition(worker, mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed)
			require.Contains(t, message, "Secret "+build)
		})
	}
}

// forgeInput makes the Secret that is about to be made, changed.
func (h *harness) forgeInput(name string, change func(*corev1.Secret)) {
	other := layeredHarness(h.t.(*testing.T), "rendered-worker-1")
	other.settle(worker)
	for _, object := range other.api.All("secrets") {
		if secret := object.(*corev1.Secret); secret.Name == other.newestBuild(worker) {
			secret.Name, secret.UID = name, ""
			secret.Annotations[constants.BuildNameAnnotation] = name
			change(secret)
			h.api.Put(secret)
		}
	}
}
