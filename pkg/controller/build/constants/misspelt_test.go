package constants

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMeant(t *testing.T) {
	names := []string{"layering-enabled", "rebuild-requested", "worker", "gpu"}
	for written, want := range map[string]string{
		"layering-enabled": "", "layering_enabled": "layering-enabled", "layeringEnabled": "layering-enabled", "layering-enable": "layering-enabled",
		"layer-enabled": "", "LAYERING-ENABLED": "layering-enabled", "rebuild-reqeusted": "rebuild-requested", "rebuild-requests": "rebuild-requested",
		"rebuild": "", "": "", "w": "", "worker1": "worker", "wrkr": "", "gpus": "", "gpu.txt": "gpu", "my-gpu": "gpu", "pgu": "",
	} {
		require.Equal(t, want, Meant(written, names), written)
	}
	require.Empty(t, Meant("worker", nil))
	require.Equal(t, "b-worker", Meant("b-workre", []string{"a-worker", "b-worker"}), "the nearest one")
}
