package inputs

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Which entry of a file of credentials serves an image is not ours to decide: the builder
// asks Kubernetes' keyring, and what is here answers as that does, down to its oddities.
// Both are compared by tests of the module test.

// dockerHub is the entry that serves Docker's own registry under any of its names.
const dockerHub = "index.docker.io"

// placeOf is what the keyring files an entry under; not ok for a name that it skips.
func placeOf(entry string) (place string, ok bool) {
	if !strings.HasPrefix(entry, "https://") && !strings.HasPrefix(entry, "http://") {
		entry = "https://" + entry
	}
	parsed, err := url.Parse(entry)
	if err != nil {
		return "", false
	}
	within := parsed.Path
	if strings.HasPrefix(within, "/v1/") || strings.HasPrefix(within, "/v2/") {
		within = within[len("/v1"):]
	}
	if within == "/" {
		within = ""
	}
	return parsed.Host + within, true
}

// placesFor are those of the places that serve the image, the one that counts first.
func placesFor(image string, places []string) []string {
	// The keyring's order is that of the letters, backwards, in which what is longer comes
	// before what it begins with.
	places = slices.Compact(slices.Sorted(slices.Values(places)))
	slices.Reverse(places)
	var serving []string
	for _, place := range places {
		if serves(place, image) {
			serving = append(serving, place)
		}
	}
	if len(serving) == 0 && isOfDockerHub(image) && slices.Contains(places, dockerHub) {
		return []string{dockerHub}
	}
	return serving
}

func serves(place, image string) bool {
	have, err := url.Parse("https://" + place)
	if err != nil {
		return false
	}
	want, err := url.Parse("https://" + image)
	if err != nil {
		return false
	}
	pattern, patternPort := splitHost(have.Host)
	host, port := splitHost(want.Host)
	// A path is compared by its letters, not by its parts.
	if patternPort != port || len(pattern) != len(host) || !strings.HasPrefix(want.Path, have.Path) {
		return false
	}
	for i := range pattern {
		if matched, err := path.Match(pattern[i], host[i]); err != nil || !matched {
			return false
		}
	}
	return true
}

func splitHost(host string) (labels []string, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	return strings.Split(name, "."), port
}

func isOfDockerHub(image string) bool {
	host, _, found := strings.Cut(image, "/")
	switch {
	case host == "":
		return false
	case !found, host == "docker.io", host == dockerHub:
		return true
	}
	return !strings.ContainsAny(host, ".:")
}
