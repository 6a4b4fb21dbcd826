package inputs

import (
	"strconv"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Identity is everything that decides what an image contains and where it
// goes. Two builds with the same Identity make interchangeable images.
type Identity struct {
	// Pool is the pool's name.
	Pool string
	// RenderedConfig is the name of the rendered MachineConfig; the render
	// controller derives it from the content.
	RenderedConfig string
	// RenderedConfigGeneration is the MachineConfig's metadata.generation, so
	// that one edited by hand under the same name is a new input.
	RenderedConfigGeneration int64
	// BaseImage is the pullspec of the base OS image, as ParseBaseImage returned it.
	BaseImage string
	// ExtensionsImage is the pullspec of the extensions image. It decides nothing
	// unless there are Packages, see Recipe.
	ExtensionsImage string
	// Packages are the kernel and the extensions of the rendered MachineConfig.
	Packages Packages
	// KernelArguments are those of the rendered MachineConfig.
	KernelArguments []string
	// TrustBundleHash is the Hash of what ParseTrustBundle returned.
	TrustBundleHash string
	// Custom is the custom content for the pool.
	Custom Custom
	// Repository is the repository that the image is pushed to.
	Repository string
	// Backend is what runs the build. Another one has other tools, and turning to it in the
	// middle of a build is to have the build made by it.
	Backend string
	// Tag is the image's there, where a MachineOSConfig opts the pool in; with an empty one,
	// every attempt has a tag of its own.
	Tag string
	// Source stands for the MachineOSConfig that opts the pool in; empty for none.
	Source string
}

// Recipe is what the Containerfile of the identity is rendered from. The
// fingerprint becomes a label; it may be empty.
func (i Identity) Recipe(fingerprint string) Recipe {
	return Recipe{
		Pool: i.Pool, RenderedConfig: i.RenderedConfig, Fingerprint: fingerprint, BaseImage: i.BaseImage,
		ExtensionsImage: i.ExtensionsImage, Packages: i.Packages, Custom: i.Custom,
	}
}

// Fingerprint is the SHA-256, in hexadecimal, over the identity, what a Containerfile
// is made of, and the programs that the build runs. The latter two make a
// controller that was upgraded to others build anew. It is computed often, so large
// inputs take part with hashes of their own.
func (i Identity) Fingerprint() string {
	return i.fingerprint(i.RenderedConfig, i.RenderedConfigGeneration, i.Tag)
}

// kindLength is enough of a hash to tell images of a pool apart, in digits.
const kindLength = 16

// Kind is a hash over what of the identity the nodes of a pool cannot do themselves, where
// they write the files of a config: all but the config, of which the kernel arguments count.
func (i Identity) Kind() string {
	return hashOf(i.fingerprint("", 0, ""), i.Source, strings.Join(i.KernelArguments, "\x00"))[:kindLength]
}

func (i Identity) fingerprint(config string, generation int64, tag string) string {
	extensionsImage := ""
	if i.Packages.Any() {
		extensionsImage = i.ExtensionsImage
	}
	custom := i.Custom.hash
	if tag != "" {
		// What was built for an earlier object of that name, or for another spec of it, is
		// another image, whatever is in it.
		custom = hashOf(custom, tag)
	}
	parts := []string{
		i.Pool,
		config,
		strconv.FormatInt(generation, 10),
		i.BaseImage,
		i.Repository,
		extensionsImage,
		i.Packages.kernel(),
		strings.Join(i.Packages.Extensions, ","),
		strings.Join(i.Packages.Names(), ","),
		i.TrustBundleHash,
		custom,
		recipeHash,
		scriptsHash,
	}
	// Of the first backend there are fingerprints from before there were others.
	if i.Backend != "" && i.Backend != constants.BackendOpenShiftBuild {
		parts = append(parts, i.Backend)
	}
	return hashOf(parts...)
}
