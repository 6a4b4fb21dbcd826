package crds

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCopiesAreCurrent fails after an update of the OpenShift API module until "go generate" has run.
func TestCopiesAreCurrent(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/openshift/api").Output()
	require.NoError(t, err)
	for _, name := range FromModule {
		original, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "payload-manifests", "crds", name))
		require.NoError(t, err)
		copied, err := Read(name)
		require.NoError(t, err)
		require.Equal(t, string(original), string(copied), "run go generate ./devcluster/crds")
	}
}

func TestAll(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	var names []string
	for _, crd := range all {
		names = append(names, crd.GetName())
	}
	require.ElementsMatch(t, []string{
		"builds.build.openshift.io",
		"controllerconfigs.machineconfiguration.openshift.io",
		"machineconfigpools.machineconfiguration.openshift.io",
		"machineconfigs.machineconfiguration.openshift.io",
		"machineosbuilds.machineconfiguration.openshift.io",
		"machineosconfigs.machineconfiguration.openshift.io",
		"prometheusrules.monitoring.coreos.com",
		"servicemonitors.monitoring.coreos.com",
	}, names)
}
