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
	extensionsImage := ""
	if i.Packages.Any() {
		extensionsImage = i.ExtensionsImage
	}
	custom := i.Custom.hash
	if i.Tag != "" {
		// What was built for an earlier object of that name, or for another spec of it, is
		// another image, whatever is in it.
		custom = hashOf(custom, i.Tag)
	}
	parts := []string{
		i.Pool,
		i.RenderedConfig,
		strconv.FormatInt(i.RenderedConfigGeneration, 10),
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
