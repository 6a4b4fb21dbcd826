package inputs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Settings is the checked content of the ConfigMap machine-os-builder-config.
type Settings struct {
	// BaseImagePullSecret names the Secret for pulling the base image; may be empty.
	BaseImagePullSecret string
	// FinalImagePushSecret names the Secret for pushing the result.
	FinalImagePushSecret string
	// FinalImageRepository is the target as registry/path, without tag or digest.
	FinalImageRepository string
	// RejectCredentials tells not to build what looks like a credential into an image.
	RejectCredentials bool
	// Limits never decide what is in an image.
	Limits Limits
}

// ConfigMapObject is how messages name the ConfigMap.
const ConfigMapObject = "ConfigMap " + constants.ConfigMapName

// ParseSettings checks the ConfigMap's data as a whole. All problems are
// returned at once, in the order of the keys in the documentation; Settings
// are usable only when there are none; their Limits always are.
func ParseSettings(data map[string]string) (Settings, []Problem) {
	var problems []Problem
	report := func(key, format string, args ...any) {
		problems = append(problems, Problem{Object: ConfigMapObject, Key: key, Text: fmt.Sprintf(format, args...)})
	}

	settings := Settings{
		BaseImagePullSecret:  strings.TrimSpace(data[constants.BaseImagePullSecretKey]),
		FinalImagePushSecret: strings.TrimSpace(data[constants.FinalImagePushSecretKey]),
	}

	if name := settings.BaseImagePullSecret; name != "" {
		if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 {
			report(constants.BaseImagePullSecretKey, "%s is not a valid Secret name; name a Secret or leave it empty", quote(name))
		}
	}

	if name := settings.FinalImagePushSecret; name == "" {
		report(constants.FinalImagePushSecretKey, "is missing or empty; set it to the name of a Secret with credentials for pushing the image")
	} else if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 {
		report(constants.FinalImagePushSecretKey, "%s is not a valid Secret name", quote(name))
	}

	if pullspec := strings.TrimSpace(data[constants.FinalImagePullspecKey]); pullspec == "" {
		report(constants.FinalImagePullspecKey, "is missing or empty; set it to the repository to push to, as registry/organisation/repository")
	} else if repository, err := ParseRepository(pullspec); err != nil {
		report(constants.FinalImagePullspecKey, "%s: %v; use registry/organisation/repository", quote(pullspec), err)
	} else {
		settings.FinalImageRepository = repository
	}

	switch reject := strings.TrimSpace(data[constants.RejectCredentialsKey]); reject {
	case "true":
		settings.RejectCredentials = true
	case "", "false":
	default:
		report(constants.RejectCredentialsKey, `%s is neither "true" nor "false"`, quote(reject))
	}

	limits, limitProblems := parseLimits(data)
	problems = append(problems, limitProblems...)
	settings.Limits = limits

	if len(problems) > 0 {
		return Settings{Limits: DefaultLimits()}, problems
	}
	return settings, nil
}

// UnknownKeys returns the keys of the ConfigMap's data that mean nothing, in
// order. A misspelt key would otherwise be ignored without a word.
func UnknownKeys(data map[string]string) []string {
	var unknown []string
	for key := range data {
		if !slices.Contains(knownKeys, key) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	return unknown
}

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
