package jobs

import (
	"context"
	"flag"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	jobcontroller "k8s.io/kubernetes/pkg/controller/job"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

const (
	startTimeout = 5 * time.Minute
	// patience is for one step, on a busy machine.
	patience = 30 * time.Second
	// quiet is how long nothing has to come after the last step.
	quiet        = 2 * time.Second
	pollInterval = 20 * time.Millisecond
	nodeName     = "node"
)

// TestMain lets scripts wait side by side, however few processors there are.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(len(buildtest.JobScripts))); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestScripts plays every script with the real Job controller, and compares.
func TestScripts(t *testing.T) {
	// The waits are the controller's own, for the whole process.
	jobcontroller.SyncJobBatchPeriod = 100 * time.Millisecond
	jobcontroller.DefaultJobPodFailureBackOff = 3 * time.Second
	jobcontroller.DefaultJobApiBackOff = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	cluster, err := devcluster.Start(ctx, devcluster.Options{Dir: t.TempDir(), Workloads: true, LogToFile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	config := cluster.RESTConfig()
	config.QPS = -1
	client := kubernetes.NewForConfigOrDie(config)
	// Pods are bound to it by hand: it is never ready, so the scheduler leaves it alone.
	_, err = client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Run("scripts", func(t *testing.T) {
		for i := range buildtest.JobScripts {
			script := &buildtest.JobScripts[i]
			t.Run(script.Name, func(t *testing.T) {
				t.Parallel()
				play(t, client, script)
			})
		}
	})
}

// play plays a script step by step, each until what was seen of the played controller is
// seen of the real one.
func play(t *testing.T, client kubernetes.Interface, script *buildtest.JobScript) {
	slug := regexp.MustCompile(`[^a-z]+`).ReplaceAllString(strings.ToLower(script.Name), "-")
	request := imagebuilder.Request{Name: slug, Pool: "worker", PoolUID: "uid", Output: "registry.example.com/os:1", PushSecret: "push", Deadline: time.Hour,
		Workload: imagebuilder.Workload{Image: "registry.example.com/builder:1"}}
	made := job.Backend{}.Objects(slug, request).Build.(*batchv1.Job)
	// The owner is nobody that is there, and the collector of garbage would see that.
	made.OwnerReferences = nil
	seen := buildtest.PlayJob(script, made)
	if script.Edit != nil {
		script.Edit(made)
	}
	st := newStage(t, client, slug, made)
	for _, want := range seen {
		st.begin(want.Do)
		for one := range strings.SplitSeq(want.Do, " and ") {
			st.do(one)
		}
		st.await(want, script)
	}
	st.staysQuiet(script)
}

// await waits until the step has come to what it is to come to.
func (st *stage) await(want buildtest.JobStep, script *buildtest.JobScript) {
	st.Helper()
	if wait.PollUntilContextTimeout(st.Context(), pollInterval, patience, true, func(context.Context) (bool, error) {
		return same(want, st.seen(), script.Racy), nil
	}) != nil {
		got := st.seen()
		require.Equal(st, want.String(), got.String(), "the real Job controller does something else: %s", script.Reason)
	}
}

// staysQuiet: nothing comes after the last step.
func (st *stage) staysQuiet(script *buildtest.JobScript) {
	st.Helper()
	before := st.seen()
	err := wait.PollUntilContextTimeout(st.Context(), pollInterval, quiet, true, func(context.Context) (bool, error) {
		return !same(before, st.seen(), script.Racy), nil
	})
	after := st.seen()
	require.Error(st, err, "something comes after the end:\n%s", after.String())
}

// same compares what two controllers did. Warnings come when they come.
func same(want, got buildtest.JobStep, racy bool) bool {
	sort := func(lines []string) []string { return slices.Sorted(slices.Values(lines)) }
	if !slices.Equal(sort(want.Warnings), sort(got.Warnings)) {
		return false
	}
	if racy {
		return slices.Equal(want.Last(), got.Last())
	}
	return slices.Equal(want.Lines, got.Lines)
}

func ignoreMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
