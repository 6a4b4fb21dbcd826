package inputs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func identity() Identity {
	return Identity{
		Pool: "worker", RenderedConfig: "rendered-worker-1", RenderedConfigGeneration: 1,
		BaseImage: "quay.io/org/os:4.20", Repository: "registry.example.com/org/repo",
	}
}

// TestFingerprintCoversEveryInput: an input that the fingerprint leaves out is a
// change that never reaches the nodes.
func TestFingerprintCoversEveryInput(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*Identity)
	}{
		"pool":       {reason: "the image's label names the pool", change: func(i *Identity) { i.Pool = "infra" }},
		"config":     {reason: "it is what is built", change: func(i *Identity) { i.RenderedConfig = "rendered-worker-2" }},
		"generation": {reason: "a config edited by hand keeps its name", change: func(i *Identity) { i.RenderedConfigGeneration = 2 }},
		"base":       {reason: "it is what is built on", change: func(i *Identity) { i.BaseImage = "quay.io/org/os:4.21" }},
		"repository": {reason: "the image has to be where the settings say", change: func(i *Identity) { i.Repository = "other.example.com/org/repo" }},
	} {
		t.Run(name, func(t *testing.T) {
			changed := identity()
			test.change(&changed)
			require.NotEqual(t, identity().Fingerprint(), changed.Fingerprint(), test.reason)
		})
	}
	require.Equal(t, identity().Fingerprint(), identity().Fingerprint(), "equal inputs have equal fingerprints")
}

// TestH41FingerprintCoversTheTemplate: after an upgrade upstream kept building
// with the old code.
func TestH41FingerprintCoversTheTemplate(t *testing.T) {
	before := identity().Fingerprint()
	original := containerfileTemplate
	t.Cleanup(func() { containerfileTemplate = original })
	containerfileTemplate = template("FROM {{ .BaseImage }}\nRUN true\n")
	require.NotEqual(t, before, identity().Fingerprint(), "another template is another image")
}
