package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/dynamic"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/crds"
)

const (
	machineOSGateOn   = gateOn + ",MachineOSConfigs=true"
	replaceBuilder    = "--replace-machine-os-builder"
	otherBuilderLease = "machine-os-builder"
	// apiAbsent is what the log says of a cluster without the API.
	apiAbsent = "This cluster does not serve MachineOSConfigs and MachineOSBuilds"
)

// machineOSRequests are the requests of the controller, since the log had so many lines, that
// are about MachineOSConfigs, MachineOSBuilds, or the lease of the operator's own builder.
func machineOSRequests(t *testing.T, since int) (requests []auditv1.Event) {
	t.Helper()
	file, err := os.Open(shared.cluster.AuditLogPath())
	require.NoError(t, err)
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for line := 1; scanner.Scan(); line++ {
		if line <= since {
			continue
		}
		var event auditv1.Event
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &event))
		if event.User.Username != controllerUser || event.ObjectRef == nil || command.MatchString(event.UserAgent) {
			continue
		}
		if object := event.ObjectRef; strings.HasPrefix(object.Resource, "machineos") || object.Resource == "leases" && object.Name == otherBuilderLease {
			requests = append(requests, event)
		}
	}
	require.NoError(t, scanner.Err())
	return requests
}

// TestMachineOSGateOff: without the feature gate MachineOSConfigs nothing of that API is asked
// for or written, though the cluster serves it, the permissions are there, and an object waits.
func TestMachineOSGateOff(t *testing.T) {
	useSettings(t)
	first, second := createConfig(t), createConfig(t)
	createPool(t, "mosc-off", first)
	unlabelled(t, "mosc-off-alone", first)
	ofLabelled, err := machineOSConfig(t, "mosc-off")
	require.NoError(t, err)
	alone, err := machineOSConfig(t, "mosc-off-alone")
	require.NoError(t, err)

	_, mark := auditLines(t, 0)
	startBuildController(t)
	awaitImage(t, "mosc-off", first)
	wantConfig(t, "mosc-off", second)
	awaitImage(t, "mosc-off", second)
	require.NoError(t, shared.mcfg.MachineconfigurationV1().MachineConfigPools().Delete(t.Context(), "mosc-off", metav1.DeleteOptions{}))
	awaitNoInputs(t)
	settled(t, mark)

	require.Empty(t, machineOSRequests(t, mark), "not even a read")
	for _, before := range []*mcfgv1.MachineOSConfig{ofLabelled, alone} {
		after, err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Get(t.Context(), before.Name, metav1.GetOptions{})
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
	require.Empty(t, getPool(t, "mosc-off-alone").Status.Conditions, "a pool that only a MachineOSConfig opts in is none of ours")
}

// machineOSAPI has the API server serve MachineOSConfigs and MachineOSBuilds, or not; it does
// again when the test ends.
type machineOSAPI struct{ t *testing.T }

var machineOSDefinitions = []string{"machineosconfigs", "machineosbuilds"}

func newMachineOSAPI(t *testing.T) *machineOSAPI {
	t.Helper()
	a := &machineOSAPI{t}
	t.Cleanup(a.serve)
	return a
}

func (a *machineOSAPI) definitions() dynamic.ResourceInterface {
	return dynamic.NewForConfigOrDie(shared.cluster.RESTConfig()).
		Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
}

// serve waits until both kinds are served. The test's context has ended when it is cleaned up.
func (a *machineOSAPI) serve() {
	a.t.Helper()
	for _, name := range machineOSDefinitions {
		manifest, err := crds.Read("0000_80_machine-config_01_" + name + ".crd.yaml")
		require.NoError(a.t, err)
		require.NoError(a.t, shared.cluster.Apply(context.Background(), string(manifest)))
	}
	require.Eventually(a.t, func() bool {
		_, err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().List(context.Background(), metav1.ListOptions{})
		_, err2 := shared.mcfg.MachineconfigurationV1().MachineOSBuilds().List(context.Background(), metav1.ListOptions{})
		return err == nil && err2 == nil
	}, soon, 20*time.Millisecond)
}

// remove waits until the definitions, and with them all objects, are gone.
func (a *machineOSAPI) remove() {
	a.t.Helper()
	for _, name := range machineOSDefinitions {
		name += ".machineconfiguration.openshift.io"
		require.NoError(a.t, a.definitions().Delete(a.t.Context(), name, metav1.DeleteOptions{}))
		require.Eventually(a.t, func() bool {
			_, err := a.definitions().Get(a.t.Context(), name, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		}, soon, 20*time.Millisecond)
	}
}

// errorLine is a line of the log that tells of an error.
var errorLine = regexp.MustCompile(`(?m)^E\d{4} .*$`)

// errorsOf are the errors that were logged, but for that of a replica which meant to lead and
// came second.
func errorsOf(p *process) []string {
	return slices.DeleteFunc(errorLine.FindAllString(p.logText(), -1), func(line string) bool {
		return strings.Contains(line, "Failed to update lease") && strings.Contains(line, "the object has been modified")
	})
}

// patiently waits until the controller has looked for the API in vain the given number of times
// since the mark, and says no more of it than it is to, and asks less and less often.
func (a *machineOSAPI) patiently(p *process, mark, looks, lines int) {
	a.t.Helper()
	asked := func() map[string][]time.Time {
		times := map[string][]time.Time{}
		for _, event := range machineOSRequests(a.t, mark) {
			if resource := event.ObjectRef.Resource; resource != "leases" && event.Verb == "list" && event.ResponseStatus.Code == http.StatusNotFound {
				times[resource] = append(times[resource], event.RequestReceivedTimestamp.Time)
			}
		}
		return times
	}
	require.Eventually(a.t, func() bool {
		times := asked()
		return len(times[machineOSDefinitions[0]]) >= looks && len(times[machineOSDefinitions[1]]) >= looks
	}, 2*time.Minute, 100*time.Millisecond, "the API is looked for no more")
	for resource, times := range asked() {
		for i := 1; i < looks; i++ {
			least := 700 * time.Millisecond << (i - 1)
			require.GreaterOrEqual(a.t, times[i].Sub(times[i-1]), least, "look %d for %s comes too soon", i+1, resource)
		}
	}
	require.Equal(a.t, lines, strings.Count(p.logText(), apiAbsent), "it is said once")
	require.Equal(a.t, http.StatusOK, p.get("/readyz"))
	require.Equal(a.t, http.StatusOK, p.get("/healthz"))
}

func awaitMachineOSImage(t *testing.T, name, config string) (build *mcfgv1.MachineOSBuild) {
	t.Helper()
	require.Eventually(t, func() bool {
		found, err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Get(t.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		if found.Status.MachineOSBuild == nil || found.Status.CurrentImagePullSpec == "" {
			return false
		}
		build, err = shared.mcfg.MachineconfigurationV1().MachineOSBuilds().Get(t.Context(), found.Status.MachineOSBuild.Name, metav1.GetOptions{})
		return err == nil && build.Spec.MachineConfig.Name == config
	}, 2*time.Minute, 50*time.Millisecond, "MachineOSConfig %s gets no image of %s", name, config)
	return build
}

// TestMachineOSAPIComesAndGoes: with the feature gate on, on a cluster that does not serve the
// API, pools with the label are served as ever, and what is missing is told once and asked for
// less and less. When the API comes, pools with a MachineOSConfig are served without a restart,
// and when it goes, the others go on.
func TestMachineOSAPIComesAndGoes(t *testing.T) {
	useJobs(t)
	first, second := createConfig(t), createConfig(t)
	api := newMachineOSAPI(t)
	api.remove()

	_, mark := auditLines(t, 0)
	p := startBuildController(t, machineOSGateOn, replaceBuilder)
	createPool(t, "api-label", first)
	unlabelled(t, "api-mosc", first)
	awaitImage(t, "api-label", first)
	api.patiently(p, mark, 4, 1)
	require.Empty(t, getPool(t, "api-mosc").Status.Conditions)
	require.Empty(t, errorsOf(p))

	api.serve()
	_, err := machineOSConfig(t, "api-mosc", func(c *mcfgv1.MachineOSConfig) { c.Spec.RenderedImagePushSpec = repository + ":latest" })
	require.NoError(t, err)
	before := awaitMachineOSImage(t, "api-mosc", first)
	requests, mark := settled(t, mark)
	for _, request := range requests {
		require.NotEqual(t, "create machineosbuilds 409", request, "while one kind is known and the other is not, nothing is written")
	}
	wantConfig(t, "api-label", second)
	wantConfig(t, "api-mosc", second)
	awaitImage(t, "api-label", second)
	awaitMachineOSImage(t, "api-mosc", second)
	wantConfig(t, "api-mosc", first)
	require.Equal(t, before.UID, awaitMachineOSImage(t, "api-mosc", first).UID, "going back builds nothing")
	_, err = shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Patch(t.Context(), "api-mosc", types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"machineconfiguration.openshift.io/rebuild":""}}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		build, err := shared.mcfg.MachineconfigurationV1().MachineOSBuilds().Get(t.Context(), before.Name, metav1.GetOptions{})
		return err == nil && build.UID != before.UID && build.Status.DigestedImagePushSpec != ""
	}, soon, 20*time.Millisecond, "another MachineOSBuild tells of the rebuild")
	awaitMachineOSImage(t, "api-mosc", first)

	_, mark = settled(t, mark)
	api.remove()
	wantConfig(t, "api-label", first)
	awaitImage(t, "api-label", first)
	api.patiently(p, mark, 2, 2)
	requests, _ = settled(t, mark)
	for _, request := range requests {
		require.NotContains(t, request, "machineos", "nothing is written there is no place for")
	}
	require.Empty(t, errorsOf(p))
	awaitNoInputs(t)
}

// TestSeededPool: on the real API a pool begins with an image that was built before, and what
// is told of it is admitted.
func TestSeededPool(t *testing.T) {
	useJobs(t)
	config := createConfig(t)
	unlabelled(t, "seeded", config)
	const (
		annotation = "machineconfiguration.openshift.io/pre-built-image"
		image      = "images.example.com/install/os@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	)
	_, err := machineOSConfig(t, "seeded", func(c *mcfgv1.MachineOSConfig) {
		c.Annotations = map[string]string{annotation: image}
		c.Spec.RenderedImagePushSpec = repository + ":latest"
	})
	require.NoError(t, err)
	startBuildController(t, machineOSGateOn, replaceBuilder)
	build := awaitMachineOSImage(t, "seeded", config)
	require.Equal(t, image, string(build.Status.DigestedImagePushSpec))
	require.Nil(t, build.Status.Builder)
	require.Eventually(t, func() bool {
		found, err := shared.mcfg.MachineconfigurationV1().MachineOSConfigs().Get(t.Context(), "seeded", metav1.GetOptions{})
		require.NoError(t, err)
		_, named := found.Annotations[annotation]
		return !named && string(found.Status.CurrentImagePullSpec) == image && meta.IsStatusConditionTrue(found.Status.Conditions, "Seeded")
	}, soon, 20*time.Millisecond)
	jobs, err := shared.kube.BatchV1().Jobs(devcluster.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for i := range jobs.Items {
		require.NotContains(t, jobs.Items[i].Name, "seeded", "nothing is built")
	}
}
