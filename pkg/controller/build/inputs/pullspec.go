package inputs

import (
	"errors"
	"strconv"

	"github.com/distribution/reference"
)

var (
	errNoRegistry = errors.New("does not begin with the registry's host name")
	errHasDigest  = errors.New("has a digest, but the digest is the build's to decide")
	errTooLong    = errors.New("is longer than any pullspec")
)

// ParseRepository checks a pullspec to push to and returns it without its tag.
// The grammar is that of the distribution project's reference package; the
// registry's host has to be given, and a digest is an error.
func ParseRepository(pullspec string) (string, error) {
	ref, err := parse(pullspec)
	if err != nil {
		return "", err
	}
	if _, ok := ref.(reference.Digested); ok {
		return "", errHasDigest
	}
	return reference.TrimNamed(ref).Name(), nil
}

// ParseBaseImage checks the pullspec of a base image and returns it in the
// form to build from. A digest makes a tag next to it meaningless, and the
// OpenShift builder would pull by the tag, so the tag is dropped then.
func ParseBaseImage(pullspec string) (string, error) {
	ref, err := parse(pullspec)
	if err != nil {
		return "", err
	}
	if digested, ok := ref.(reference.Digested); ok {
		canonical, err := reference.WithDigest(reference.TrimNamed(ref), digested.Digest())
		if err != nil {
			return "", err
		}
		return canonical.String(), nil
	}
	return ref.String(), nil
}

// longestPullspec is more than the longest name (255), tag (128) and digest together.
// The grammar is a regular expression that takes a second for a megabyte.
const longestPullspec = 1024

// parse accepts only fully qualified references. Short names resolve
// differently from one host to the next.
func parse(pullspec string) (reference.Named, error) {
	if len(pullspec) > longestPullspec {
		return nil, errTooLong
	}
	ref, err := reference.ParseNamed(pullspec)
	if errors.Is(err, reference.ErrNameNotCanonical) {
		return nil, errNoRegistry
	}
	if err != nil {
		return nil, errors.New("is not a valid image pullspec: " + err.Error())
	}
	return ref, nil
}

// RegistryOf returns the host of a pullspec that ParseRepository or
// ParseBaseImage accepted; empty for anything else.
func RegistryOf(pullspec string) string {
	ref, err := reference.ParseNamed(pullspec)
	if err != nil {
		return ""
	}
	return reference.Domain(ref)
}

const longestQuoted = 200

// quote shortens and escapes a user's value for a message.
func quote(value string) string {
	if len(value) > longestQuoted {
		return strconv.QuoteToASCII(value[:longestQuoted]) + "…"
	}
	return strconv.QuoteToASCII(value)
}
