package buildrunner

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// authEntries maps a registry or a repository on it (host[:port][/path]) to base64("user:password").
type authEntries map[string]string

type authConfig struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Auth     string `json:"auth,omitempty"`
}

type authFile struct {
	Auths map[string]authConfig `json:"auths"`
}

// secretAuth reads the credentials of a Secret. Keys are tried in the order of the real builder; the first one present counts.
func secretAuth(data map[string][]byte) (authEntries, error) {
	for _, key := range []string{"config.json", ".dockerconfigjson", ".dockercfg"} {
		if raw, found := data[key]; found {
			entries, err := parseAuth(raw)
			if err != nil {
				return nil, fmt.Errorf("could not read credentials from key %q: %w", key, err)
			}
			return entries, nil
		}
	}
	return authEntries{}, nil
}

// parseAuth reads both formats, {"auths": {...}} and the older bare map. The error never quotes the content: it is a credential.
func parseAuth(raw []byte) (authEntries, error) {
	var file authFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("could not parse JSON of %d bytes", len(raw))
	}
	configs := file.Auths
	if configs == nil {
		if err := json.Unmarshal(raw, &configs); err != nil {
			return nil, fmt.Errorf("could not parse JSON of %d bytes", len(raw))
		}
	}
	entries := authEntries{}
	for registry, config := range configs {
		auth := config.Auth
		if auth == "" && config.Username != "" {
			auth = base64.StdEncoding.EncodeToString([]byte(config.Username + ":" + config.Password))
		}
		// Identity and registry tokens alone are of no use to the builder.
		if auth != "" {
			entries[normalizeRegistry(registry)] = auth
		}
	}
	return entries, nil
}

func normalizeRegistry(registry string) string {
	registry = strings.TrimPrefix(strings.TrimPrefix(registry, "https://"), "http://")
	registry = strings.TrimRight(registry, "/")
	registry = strings.TrimSuffix(strings.TrimSuffix(registry, "/v1"), "/v2")
	if registry == "index.docker.io" || registry == "registry-1.docker.io" {
		return "docker.io"
	}
	return registry
}

// orElse adds the entries of other for registries that are not covered yet.
func (entries authEntries) orElse(other authEntries) authEntries {
	merged := authEntries{}
	for registry, auth := range other {
		merged[registry] = auth
	}
	for registry, auth := range entries {
		merged[registry] = auth
	}
	return merged
}

// lookup finds the entry for an image: the most specific path wins, and a host may be a glob.
func (entries authEntries) lookup(image string) (auth string, found bool) {
	repository := repositoryOf(image)
	for prefix := repository; ; prefix = prefix[:strings.LastIndex(prefix, "/")] {
		if auth, found := entries[prefix]; found {
			return auth, true
		}
		if !strings.Contains(prefix, "/") {
			break
		}
	}
	host, _, _ := strings.Cut(repository, "/")
	for pattern, auth := range entries {
		if matched, err := path.Match(pattern, host); err == nil && matched {
			return auth, true
		}
	}
	return "", false
}

// encode gives the content of an auth file.
func (entries authEntries) encode() ([]byte, error) {
	file := authFile{Auths: map[string]authConfig{}}
	for registry, auth := range entries {
		file.Auths[registry] = authConfig{Auth: auth}
	}
	encoded, err := json.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("could not encode credentials: %w", err)
	}
	return encoded, nil
}

// pullAuth is what a build may pull with: its own pull secret, then the node's credentials for registries that one does not cover.
func pullAuth(pullSecret, node authEntries, images []string) authEntries {
	merged := pullSecret.orElse(node)
	for _, image := range images {
		// Auth files know no globs: spell out what a glob means for the images we know of.
		if auth, found := merged.lookup(image); found {
			merged[repositoryOf(image)] = auth
		}
	}
	return merged
}

// pushAuth is what a build pushes with: the push secret's entry for the output, else what it pulls with, else nothing.
func pushAuth(pushSecret, pull authEntries, output string) authEntries {
	if auth, found := pushSecret.lookup(output); found {
		return authEntries{repositoryOf(output): auth}
	}
	if auth, found := pull.lookup(output); found {
		return authEntries{repositoryOf(output): auth}
	}
	return authEntries{}
}

// repositoryOf is an image's name without tag and digest, with the registry it implies.
func repositoryOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		image = image[:colon]
	}
	host, rest, found := strings.Cut(image, "/")
	if !found {
		return "docker.io/library/" + image
	}
	if host != "localhost" && !strings.ContainsAny(host, ".:") {
		return "docker.io/" + image
	}
	return host + "/" + rest
}
