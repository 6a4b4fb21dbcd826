package inputs

import (
	"strconv"
	"strings"
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
	// TrustBundle is what ParseTrustBundle returned.
	TrustBundle []byte
	// Custom is the custom content for the pool.
	Custom Custom
	// Repository is the repository that the image is pushed to.
	Repository string
}

// Recipe is what the Containerfile of the identity is rendered from. The
// fingerprint becomes a label; it may be empty.
func (i Identity) Recipe(fingerprint string) Recipe {
	return Recipe{
		Pool: i.Pool, RenderedConfig: i.RenderedConfig, Fingerprint: fingerprint, BaseImage: i.BaseImage,
		ExtensionsImage: i.ExtensionsImage, Packages: i.Packages, Custom: i.Custom,
	}
}

// Fingerprint is the SHA-256, in hexadecimal, over the identity, the Containerfile
// that it renders to, and the programs that the build runs. The latter two make a
// controller that was upgraded to others build anew. The text of custom content is
// part of the Containerfile.
func (i Identity) Fingerprint() string {
	containerfile, err := i.Recipe("").render()
	if err != nil {
		// Such an identity cannot be built. It still has to differ from others.
		containerfile = err.Error()
	}
	return hashOf(
		i.Pool,
		i.RenderedConfig,
		strconv.FormatInt(i.RenderedConfigGeneration, 10),
		i.BaseImage,
		i.Repository,
		i.Packages.kernel(),
		strings.Join(i.Packages.Extensions, ","),
		string(i.TrustBundle),
		containerfile,
		scriptsHash,
	)
}
