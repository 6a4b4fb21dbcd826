package integration

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
)

const (
	currentBuild = "machineconfiguration.openshift.io/current-machine-os-build"
	// currentBuildPath is the annotation as kubectl's paths have it.
	currentBuildPath = `{.metadata.annotations.machineconfiguration\.openshift\.io/current-machine-os-build}`
)

// kubectl does what an administrator does, with the kubectl that administrators have.
func kubectl(t *testing.T, stdin string, args ...string) {
	t.Helper()
	common := []string{"--kubeconfig", shared.cluster.KubeconfigPath(), "--cache-dir", filepath.Join(shared.dir, "kubectl")}
	cmd := exec.CommandContext(t.Context(), shared.kubectl, append(common, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "kubectl %s: %s", strings.Join(args, " "), output)
}

// create makes the MachineOSConfig from a manifest; the test that fails to delete it has it
// deleted at the end.
func (p *shippedPool) create(config *mcfgv1.MachineOSConfig) {
	p.t.Helper()
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": mcfgv1.GroupVersion.String(), "kind": "MachineOSConfig", "metadata": map[string]any{"name": config.Name}, "spec": config.Spec,
	})
	require.NoError(p.t, err)
	kubectl(p.t, string(manifest), "create", "-f", "-")
	deletedInTheEnd(p.t, config.Name)
}

// wait waits for that of the object, by condition or by path.
func (p *shippedPool) wait(object, what string) {
	p.t.Helper()
	kubectl(p.t, "", "wait", object, "--for="+what, "--timeout=120s")
}

// waitForBuild waits until the MachineOSConfig names a MachineOSBuild, and that has the condition.
func (p *shippedPool) waitForBuild(progress mcfgv1.BuildProgress) *mcfgv1.MachineOSBuild {
	p.t.Helper()
	p.wait("machineosconfig/"+p.name, "jsonpath="+currentBuildPath)
	object, _ := p.object()
	p.wait("machineosbuild/"+object.Annotations[currentBuild], "condition="+string(progress))
	_, build := p.object()
	return build
}
