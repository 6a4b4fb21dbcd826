package inputs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func identity() Identity {
	return Identity{
		Pool: "worker", RenderedConfig: "rendered-worker-1", RenderedConfigGeneration: 1,
		BaseImage: "quay.io/org/os:4.20", Repository: "registry.example.com/org/repo",
		ExtensionsImage: "quay.io/org/extensions:4.20", Packages: Packages{Extensions: []string{"usbguard"}},
		TrustBundleHash: "certificates", Custom: custom("FROM configs\nRUN true\n"),
	}
}

// TestFingerprintCoversEveryInput: an input that the fingerprint leaves out is a
// change that never reaches the nodes.
func TestFingerprintCoversEveryInput(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*Identity)
		// files tells that the nodes do it themselves, so that the kind stays.
		files bool
	}{
		"pool":             {reason: "the image's label names the pool", change: func(i *Identity) { i.Pool = "infra" }},
		"config":           {reason: "it is what is built", change: func(i *Identity) { i.RenderedConfig = "rendered-worker-2" }, files: true},
		"generation":       {reason: "a config edited by hand keeps its name", change: func(i *Identity) { i.RenderedConfigGeneration = 2 }, files: true},
		"base":             {reason: "it is what is built on", change: func(i *Identity) { i.BaseImage = "quay.io/org/os:4.21" }},
		"repository":       {reason: "the image has to be where the settings say", change: func(i *Identity) { i.Repository = "other.example.com/org/repo" }},
		"extensions image": {reason: "packages come from it", change: func(i *Identity) { i.ExtensionsImage = "quay.io/org/extensions:4.21" }},
		"kernel":           {reason: "it is in the image", change: func(i *Identity) { i.Packages.Kernel = KernelTypeRealtime }},
		"extensions":       {reason: "they are in the image", change: func(i *Identity) { i.Packages.Extensions = []string{"ipsec"} }},
		"no extensions":    {reason: "what was removed is a change too", change: func(i *Identity) { i.Packages.Extensions = nil }},
		"trust bundle":     {reason: "the image trusts it", change: func(i *Identity) { i.TrustBundleHash = "other" }},
		"custom content":   {reason: "its text decides what runs", change: func(i *Identity) { i.Custom = custom("FROM configs\nRUN false\n") }},
		"no custom":        {reason: "what was removed is a change too", change: func(i *Identity) { i.Custom = Custom{} }},
	} {
		t.Run(name, func(t *testing.T) {
			changed := identity()
			test.change(&changed)
			require.NotEqual(t, identity().Fingerprint(), changed.Fingerprint(), test.reason)
			require.Equal(t, test.files, identity().Kind() == changed.Kind(), test.reason)
		})
	}
	require.Equal(t, identity().Fingerprint(), identity().Fingerprint(), "equal inputs have equal fingerprints")
}

// TestKindCoversWhatTheConfigSaysElse: the config's name covers what the image takes from it,
// and the kind has to name it.
func TestKindCoversWhatTheConfigSaysElse(t *testing.T) {
	arguments, source, tag := identity(), identity(), identity()
	arguments.KernelArguments = []string{"debug"}
	require.NotEqual(t, identity().Kind(), arguments.Kind(), "they may be part of the image")
	source.Source = "another object"
	require.NotEqual(t, identity().Kind(), source.Kind(), "what is remembered ends with the object")
	tag.Tag = "of another config"
	require.Equal(t, identity().Kind(), tag.Kind(), "it has the config in it")
}

// TestH41FingerprintCoversTheTemplate: after an upgrade upstream kept building
// with the old code.
func TestH41FingerprintCoversTheTemplate(t *testing.T) {
	before := identity().Fingerprint()
	original := recipeHash
	t.Cleanup(func() { recipeHash = original })
	recipeHash = hashRecipe(parseRecipe(recipeText + "# changed\n"))
	require.NotEqual(t, before, identity().Fingerprint(), "another template is another image")

	recipeHash = original
	hash := scriptsHash
	t.Cleanup(func() { scriptsHash = hash })
	scriptsHash = "changed"
	require.NotEqual(t, before, identity().Fingerprint(), "so are other scripts")
}

// TestH07FingerprintIgnoresWhatDecidesNothing: a change that makes no other image
// must not cause a build.
func TestH07FingerprintIgnoresWhatDecidesNothing(t *testing.T) {
	plain := identity()
	plain.Packages = Packages{}
	other := plain
	other.ExtensionsImage = "quay.io/org/extensions:4.21"
	require.Equal(t, plain.Fingerprint(), other.Fingerprint(), "no package comes from the extensions image")
}

// custom is checked custom content.
func custom(text string) Custom {
	checked, problem := ParseCustom("worker", text)
	if problem != nil {
		panic(problem)
	}
	return checked
}
