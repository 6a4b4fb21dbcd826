package inputs

import "strconv"

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
	// Repository is the repository that the image is pushed to.
	Repository string
}

// Fingerprint is the SHA-256, in hexadecimal, over the identity and the
// Containerfile that it renders to. The latter makes a controller that was
// upgraded to another template build anew.
func (i Identity) Fingerprint() string {
	return hashOf(
		i.Pool,
		i.RenderedConfig,
		strconv.FormatInt(i.RenderedConfigGeneration, 10),
		i.BaseImage,
		i.Repository,
		Containerfile(i.BaseImage),
	)
}
