package inputs

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// SecretObject is how messages name a Secret.
func SecretObject(name string) string { return "Secret " + name }

// credentialKeys are where the OpenShift builder looks for credentials, in its
// order. The first two hold {"auths": {…}}, the last one the map itself.
var credentialKeys = []string{"config.json", corev1.DockerConfigJsonKey, corev1.DockerConfigKey}

// RegistriesOf reads which registries or repositories a registry credential
// Secret has entries for, sorted. Content never appears in the problem.
func RegistriesOf(secret *corev1.Secret) ([]string, *Problem) {
	problem := func(key, format string, args ...any) *Problem {
		return &Problem{Object: SecretObject(secret.Name), Key: key, Text: fmt.Sprintf(format, args...)}
	}

	for _, key := range credentialKeys {
		content, ok := secret.Data[key]
		if !ok {
			continue
		}
		entries, ok := parseCredentials(key, content)
		if !ok {
			return nil, problem(key, "is not valid JSON of registry credentials; create the Secret with 'oc create secret docker-registry'")
		}
		if len(entries) == 0 {
			return nil, problem(key, "has no entry for any registry")
		}
		sort.Strings(entries)
		return entries, nil
	}
	return nil, problem("", "of type %s has none of the keys %s; create it with 'oc create secret docker-registry'",
		quote(string(secret.Type)), strings.Join(credentialKeys, ", "))
}

func parseCredentials(key string, content []byte) (entries []string, ok bool) {
	var auths map[string]json.RawMessage
	if key == corev1.DockerConfigKey {
		if err := json.Unmarshal(content, &auths); err != nil {
			return nil, false
		}
	} else {
		var config struct {
			Auths map[string]json.RawMessage `json:"auths"`
		}
		if err := json.Unmarshal(content, &config); err != nil {
			return nil, false
		}
		auths = config.Auths
	}
	for entry, credentials := range auths {
		var object map[string]any
		if err := json.Unmarshal(credentials, &object); err != nil {
			return nil, false
		}
		entries = append(entries, entry)
	}
	return entries, true
}

// Covers tells whether one of the entries is for the repository: its registry,
// the repository or a parent of it, or a registry pattern such as
// *.example.com. A scheme and a path behind a legacy entry (https://host/v1/)
// do not count.
func Covers(entries []string, repository string) bool {
	host, _, _ := strings.Cut(repository, "/")
	for _, entry := range entries {
		if stripped, legacy := stripScheme(entry); legacy {
			entry, _, _ = strings.Cut(stripped, "/")
		}
		entry = strings.TrimSuffix(entry, "/")
		switch {
		case entry == host, entry == repository, strings.HasPrefix(repository, entry+"/"):
			return true
		case strings.HasPrefix(entry, "*.") && matchesPattern(entry, host):
			return true
		}
	}
	return false
}

func stripScheme(entry string) (rest string, had bool) {
	for _, scheme := range []string{"https://", "http://"} {
		if rest, ok := strings.CutPrefix(entry, scheme); ok {
			return rest, true
		}
	}
	return entry, false
}

// matchesPattern compares label by label, so that *.example.com is for
// a.example.com but neither for example.com nor for a.b.example.com.
func matchesPattern(pattern, host string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(host, ".")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != "*" && want[i] != have[i] {
			return false
		}
	}
	return true
}
