package inputs

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/distribution/reference"
)

var (
	errNoRegistry = errors.New("does not begin with the registry's host name")
	errOnlyHost   = errors.New("is a registry's host name, and the repository there is missing")
	errHasDigest  = errors.New("has a digest, but the digest is the build's to decide")
	errTooLong    = errors.New("is longer than any pullspec")
)

// ParseRepository checks a pullspec to push to and returns it without its tag, in its
// canonical form. The grammar is that of the distribution project's reference package, and
// of the API that takes the result; the registry's host has to be given, and a digest is an
// error.
func ParseRepository(pullspec string) (string, error) {
	ref, err := parse(pullspec)
	if err != nil {
		return "", err
	}
	if _, ok := ref.(reference.Digested); ok {
		return "", errHasDigest
	}
	name := reference.TrimNamed(ref).Name()
	if strings.Count(pullspec, "/") == 1 && reference.Domain(ref) == hubDomain {
		return "", fmt.Errorf("means %s, which belongs to Docker: the organisation is missing; write %s/<organisation>/%s, or %s if that is meant",
			name, hubDomain, path.Base(name), name)
	}
	if err := checkOutput(reference.Domain(ref), name); err != nil {
		return "", err
	}
	return name, nil
}

// longestOutput is what the API of Builds takes for the name of an image, host included.
const longestOutput = 255

// checkOutput finds what the API of Builds refuses of names that are valid elsewhere, and
// what no connection can be made to.
func checkOutput(host, name string) error {
	if strings.HasPrefix(host, "[") {
		return errors.New("has an IPv6 address for the registry, which the API of Builds refuses; use a host name that resolves to it")
	}
	if len(name) > longestOutput {
		return fmt.Errorf("is longer than the %d characters, host name included, that the API of Builds takes", longestOutput)
	}
	if _, port, found := strings.Cut(host, ":"); found {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("has the port %s, and ports are from 1 to 65535", quote(port))
		}
	}
	return nil
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

// hubDomain is the canonical host name of Docker Hub.
const hubDomain = "docker.io"

// parse accepts only fully qualified references, in any of their forms, and returns the
// canonical one. Short names resolve differently from one host to the next.
func parse(pullspec string) (reference.Named, error) {
	if len(pullspec) > longestPullspec {
		return nil, errTooLong
	}
	ref, err := reference.ParseNormalizedNamed(pullspec)
	if err != nil {
		return nil, errors.New("is not a valid image pullspec: " + whyInvalid(pullspec, err))
	}
	host, _, hasPath := strings.Cut(pullspec, "/")
	name, _, _ := strings.Cut(host, ":")
	switch domain := reference.Domain(ref); {
	case !hasPath && strings.Contains(name, "."):
		return nil, errOnlyHost
	case !hasPath:
		return nil, errNoRegistry
	case domain != host && (domain != hubDomain || host != dockerHub):
		return nil, fmt.Errorf("%w: %s has neither a dot nor a port, and is taken for an organisation then", errNoRegistry, quote(host))
	}
	return ref, nil
}

// whyInvalid names what is wrong with a pullspec, of what people write, in place of the
// grammar's verdict.
func whyInvalid(pullspec string, err error) string {
	scheme, _, hasScheme := strings.Cut(pullspec, "://")
	switch {
	case pullspec == "":
		return "it is empty"
	case hasScheme:
		return "it begins with " + quote(scheme+"://") + "; leave that out"
	case strings.ContainsFunc(pullspec, unicode.IsSpace):
		return "it contains a blank or a line break"
	case strings.ContainsAny(pullspec, "\"'`"):
		return "it contains a quotation mark"
	case strings.HasPrefix(pullspec, "/"):
		return "it begins with a slash, and not with the registry's host name"
	case strings.HasSuffix(pullspec, "/"):
		return "it ends with a slash"
	case strings.Contains(pullspec, "//"):
		return "it has nothing between two slashes"
	case strings.HasSuffix(pullspec, ":"):
		return "it ends with a colon, and no tag follows"
	case strings.Contains(pullspec, "@"):
		return "what follows @ is not a digest, such as sha256: and 64 hexadecimal digits"
	}
	return err.Error()
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
