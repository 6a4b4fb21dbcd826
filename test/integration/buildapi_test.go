package integration

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/openshift/machine-config-operator/test/devcluster/crds"
)

// withoutBuildAPI takes the kind of the Build capability away until the returned function is
// called, or the test ends.
func withoutBuildAPI(t *testing.T) (install func()) {
	t.Helper()
	definitions := dynamic.NewForConfigOrDie(shared.cluster.RESTConfig()).
		Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	const name = "builds.build.openshift.io"
	require.NoError(t, definitions.Delete(t.Context(), name, metav1.DeleteOptions{}))
	require.Eventually(t, func() bool {
		_, err := definitions.Get(t.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, soon, 20*time.Millisecond)
	install = sync.OnceFunc(func() {
		manifest, err := crds.Read("builds.crd.yaml")
		require.NoError(t, err)
		require.NoError(t, shared.cluster.Apply(context.Background(), string(manifest)))
	})
	t.Cleanup(install)
	return install
}

// TestH36BuildAPIAbsent: on a cluster without the Build capability the controller
// starts, says what is missing, and goes on when the API appears.
func TestH36BuildAPIAbsent(t *testing.T) {
	useSettings(t)
	config := createConfig(t)
	install := withoutBuildAPI(t)
	startBuildController(t)
	createPool(t, "no-build-api", config)
	message := awaitReason(t, "no-build-api", "BuilderUnavailable")
	require.Contains(t, message, "build.openshift.io/v1")
	require.Contains(t, message, "imageBuilder", "there is another way")
	install()
	require.Eventually(t, func() bool {
		reason, _ := condition(t, getPool(t, "no-build-api"))
		return reason != "BuilderUnavailable"
	}, 2*time.Minute, 50*time.Millisecond, "the controller does not notice that the API is there")
	awaitImage(t, "no-build-api", config)
}

// TestJobsBuildWithoutTheBuildAPI: where the Build capability was never on, Jobs build, and
// nothing waits for it.
func TestJobsBuildWithoutTheBuildAPI(t *testing.T) {
	useJobs(t)
	config := createConfig(t)
	withoutBuildAPI(t)
	startBuildController(t)
	createPool(t, "jobs-alone", config)
	awaitImage(t, "jobs-alone", config)
	require.NotEmpty(t, jobsOf(t, "jobs-alone"))
}
