package build

import (
	"context"
	"slices"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metadatafake "k8s.io/client-go/metadata/fake"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// TestEachInputIsWatched: whatever a pool waits for, its coming is noticed. The
// clock stands still, and these fakes know no versions, so that no write of the
// controller's own wakes it: nothing else does.
func TestEachInputIsWatched(t *testing.T) {
	ctx := context.Background()
	r := newRunning(t, buildtest.Pool(worker).Layered().Wants("rendered-worker-1").Object())
	r.start()

	// A config may come moments after its pool, so its absence takes a while to tell.
	require.Eventually(t, func() bool {
		r.clock.Step(time.Second)
		return slices.ContainsFunc(r.pool(t).Status.Conditions, func(c mcfgv1.MachineConfigPoolCondition) bool {
			return c.Reason == ledger.ReasonRenderedConfigMissing
		})
	}, soon, time.Millisecond)
	config := buildtest.RenderedConfig("rendered-worker-1")
	config.Spec.OSImageURL = ""
	_, err := r.mcfg.MachineconfigurationV1().MachineConfigs().Create(ctx, config, metav1.CreateOptions{})
	require.NoError(t, err)

	r.awaitReason(t, ledger.ReasonConfigMapMissing)
	_, err = r.kube.CoreV1().ConfigMaps(ctrlcommon.MCONamespace).Create(ctx, buildtest.SettingsConfigMap(), metav1.CreateOptions{})
	require.NoError(t, err)

	r.awaitReason(t, ledger.ReasonControllerConfigMissing)
	_, err = r.mcfg.MachineconfigurationV1().ControllerConfigs().Create(ctx, buildtest.ControllerConfig(buildtest.BaseImage), metav1.CreateOptions{})
	require.NoError(t, err)

	for _, secret := range []*corev1.Secret{
		buildtest.RegistrySecret(buildtest.PushSecret, buildtest.Registry),
		buildtest.RegistrySecret(buildtest.PullSecret, "quay.example.com"),
	} {
		r.awaitReason(t, ledger.ReasonSecretMissing)
		_, err = r.kube.CoreV1().Secrets(ctrlcommon.MCONamespace).Create(ctx, secret, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = r.secrets.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(ctrlcommon.MCONamespace).(metadatafake.MetadataClient).
			CreateFake(&metav1.PartialObjectMetadata{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: secret.ObjectMeta,
			}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	r.awaitReason(t, ledger.ReasonBuildCreated)
}
