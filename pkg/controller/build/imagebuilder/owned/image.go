package owned

import (
	"regexp"

	"github.com/distribution/reference"
)

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// ImageOf is the repository of an output, by the digest that a builder reported. It is empty
// without one: a builder may lose it.
func ImageOf(output, digest string) string {
	if !digestForm.MatchString(digest) {
		return ""
	}
	target, err := reference.ParseNamed(output)
	if err != nil {
		return ""
	}
	return reference.TrimNamed(target).Name() + "@" + digest
}
