package buildtest_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

var update = flag.Bool("update", false, "write the golden file anew")

const recordings = "testdata/jobs.txt"

// TestJobSystem: the played Job controller does what is written in the recordings, which
// the module of tests compares with the real one.
func TestJobSystem(t *testing.T) {
	request := imagebuilder.Request{Name: "build", Pool: "worker", PoolUID: "uid", Output: "registry.example.com/os:1", PushSecret: "push", Deadline: time.Hour}
	made := job.Backend{}.Objects(ctrlcommon.MCONamespace, request).Build.(*batchv1.Job)
	var text strings.Builder
	for i := range buildtest.JobScripts {
		script := &buildtest.JobScripts[i]
		text.WriteString("# " + script.Name + ": " + script.Reason + "\n")
		for _, step := range buildtest.PlayJob(script, made) {
			text.WriteString(step.String() + "\n")
		}
		text.WriteString("\n")
	}
	if *update {
		require.NoError(t, os.WriteFile(recordings, []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile(recordings)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}
