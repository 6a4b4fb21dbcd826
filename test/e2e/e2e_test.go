package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDemo runs the demo as a newcomer would, with its output on no terminal. It
// fails if any file or unit of the configs is missing from the images that were
// pulled back.
func TestDemo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("building images needs root")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	out := filepath.Join(root, "_output", "e2e")

	demo := exec.Command("go", "run", "./demo", "-root", root, "-out", out)
	demo.Dir = filepath.Join(root, "test")
	output, err := demo.CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err)
	require.NotContains(t, string(output), "\x1b[", "no terminal, no escape sequences")

	text, err := os.ReadFile(filepath.Join(out, "result.json"))
	require.NoError(t, err)
	var results []struct {
		Pool, RenderedConfig, Image, Build string
		MachineOSConfig, MachineOSBuild    string
		Seconds                            float64
	}
	require.NoError(t, json.Unmarshal(text, &results))
	require.Len(t, results, 3, "an image for two pools, and a second one for the changed config")
	images, pools := map[string]bool{}, map[string]int{}
	for _, r := range results {
		require.Regexp(t, `@sha256:[0-9a-f]{64}$`, r.Image)
		require.True(t, strings.HasPrefix(r.RenderedConfig, "rendered-"+r.Pool+"-"), r.RenderedConfig)
		require.True(t, strings.HasPrefix(r.Build, "machine-os-"+r.Pool+"-"), r.Build)
		require.Positive(t, r.Seconds)
		if r.Pool == "infra" {
			require.Equal(t, "infra", r.MachineOSConfig, "a MachineOSConfig opts it in")
			require.Regexp(t, `^infra-[0-9a-f]{32}$`, r.MachineOSBuild)
		} else {
			require.Empty(t, r.MachineOSConfig+r.MachineOSBuild, "the label opts it in")
		}
		images[r.Image] = true
		pools[r.Pool]++
	}
	require.Len(t, images, 3, "each config has an image of its own")
	require.Equal(t, map[string]int{"worker": 2, "infra": 1}, pools)
}
