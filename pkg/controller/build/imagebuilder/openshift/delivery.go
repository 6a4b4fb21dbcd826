package openshift

import (
	"encoding/json"
	"strings"

	"github.com/openshift/imagebuilder/dockerfile/parser"
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

	// inlineStub is the inline text of a Build whose Containerfile is an input. The
	// builder insists on text that it can parse.
	inlineStub = "FROM scratch\n"
)

// fitsInline tells whether an OpenShift Build can carry the Containerfile inline.
// Heredocs cannot be carried: the builder loses their bodies when it rewrites
// inline text. Nor can text that is over a limit of the API or of the environment.
func fitsInline(containerfile string) bool {
	if len(containerfile) > maxInlineBytes {
		return false
	}
	// A string always encodes.
	if encoded, _ := json.Marshal(containerfile); len(encoded) > maxInlineJSONBytes {
		return false
	}
	parsed, err := parser.Parse(strings.NewReader(containerfile))
	if err != nil || len(parsed.AST.Children) == 0 {
		return false
	}
	for _, node := range parsed.AST.Children {
		if len(node.Heredocs) > 0 {
			return false
		}
	}
	return true
}

// deliver splits a Containerfile for an OpenShift Build: inline is for the Build
// itself, and file, unless it is nil, belongs under containerfileKey into a Secret
// among the Build's inputs. A build's own labels are lost in the second case, so the
// Containerfile has to have them.
func deliver(containerfile string) (inline string, file []byte) {
	if fitsInline(containerfile) {
		return containerfile, nil
	}
	return inlineStub, []byte(containerfile)
}
