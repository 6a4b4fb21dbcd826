package openshift

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

const (
	// maxInlineBytes is the Build API's limit of spec.source.dockerfile, see
	// ValidateBuild in openshift-apiserver.
	maxInlineBytes = 60000

	// maxInlineJSONBytes is what the text may take as JSON. A Build travels to its
	// pod as JSON in an environment variable, of which Linux takes 128 KiB at most;
	// the rest is for everything else in the Build.
	maxInlineJSONBytes = 96 << 10

	// containerfileKey is the key of a build input that takes the place of the
	// inline Containerfile: the OpenShift builder copies inputs over the file that
	// it wrote the inline text to.
	containerfileKey = "Dockerfile"

	// stubComment begins the inline text of a Build whose Containerfile is an input.
	stubComment = "# The Containerfile is an input of this build. These are the images that it pulls.\n"

	// stubEnd ends it: what comes of a stub alone has no content, and needs no image.
	stubEnd = "FROM scratch\n"
)

// isStub tells of text that only names images. The builder insists on some that it can
// parse, and pulls the images that it names.
func isStub(text string) bool {
	if text == stubEnd {
		// Builds of older controllers have no more.
		return true
	}
	images, begins := strings.CutPrefix(text, stubComment)
	images, ends := strings.CutSuffix(images, stubEnd)
	if !begins || !ends {
		return false
	}
	for line := range strings.Lines(images) {
		if words := strings.Fields(line); len(words) != 2 || words[0] != "FROM" {
			return false
		}
	}
	return true
}

// stub is the inline text of a Build whose Containerfile is an input. A builder pulls the
// images of the inline text before it builds, and reports a failure of that by its name;
// what is pulled in the build fails like any other step of it.
func stub(file *containerfile.File) string {
	var text strings.Builder
	text.WriteString(stubComment)
	if file != nil {
		for _, image := range file.Images() {
			text.WriteString("FROM " + image.Pullspec + "\n")
		}
	}
	text.WriteString(stubEnd)
	return text.String()
}

// fitsInline tells whether an OpenShift Build can carry the Containerfile inline.
// Heredocs cannot be carried: the builder loses their bodies when it rewrites
// inline text. Nor can text that is over a limit of the API or of the environment, nor one
// with an image that only a mount names, which would be pulled in the midst of the build.
func fitsInline(text string, file *containerfile.File) bool {
	if file == nil || len(file.Instructions) == 0 || len(text) > maxInlineBytes {
		return false
	}
	// A string always encodes.
	if encoded, _ := json.Marshal(text); len(encoded) > maxInlineJSONBytes {
		return false
	}
	for _, instruction := range file.Instructions {
		if len(instruction.Heredocs) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(file.Images(), func(image containerfile.Image) bool { return !image.Ahead })
}

// deliver splits a Containerfile for an OpenShift Build: inline is for the Build
// itself, and file, unless it is nil, belongs under containerfileKey into a Secret
// among the Build's inputs. A build's own labels are lost in the second case, so the
// Containerfile has to have them.
func deliver(text string) (inline string, file []byte) {
	parsed, err := containerfile.Parse(text)
	if err != nil {
		parsed = nil
	}
	if fitsInline(text, parsed) {
		return text, nil
	}
	return stub(parsed), []byte(text)
}
