package inputs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// SecretObject is how messages name a Secret.
func SecretObject(name string) string { return "Secret " + name }

// credentialKeys are where the OpenShift builder looks for credentials, in its
// order. The first two hold {"auths": {…}}, the last one the map itself.
var credentialKeys = []string{"config.json", corev1.DockerConfigJsonKey, corev1.DockerConfigKey}

// Credentials are the entries of a credential Secret, without what they hold.
type Credentials struct {
	secret, key string
	entries     []entry
	// helpers are the registries whose credentials a program has, on the computer that the
	// file was made on.
	helpers []string
	// elsewhere names keys of the Secret that would be read if this one were not there.
	elsewhere []string
}

// CredentialsFor are credentials for the given registries or repositories, in a Secret that
// cannot be read.
func CredentialsFor(names ...string) Credentials {
	var c Credentials
	for _, name := range names {
		c.entries = append(c.entries, entry{name: name, place: name})
	}
	return c
}

// ReadCredentials reads which registries or repositories a registry credential Secret has
// entries for. The problem is of the whole Secret; what it holds never appears in it.
func ReadCredentials(secret *corev1.Secret) (Credentials, *Problem) {
	var first *Problem
	for i, key := range credentialKeys {
		text, ok := secret.Data[key]
		if !ok {
			continue
		}
		c, why := parseCredentials(secret.Name, key, text)
		if why == "" {
			for _, other := range credentialKeys[i+1:] {
				if _, ok := secret.Data[other]; ok {
					c.elsewhere = append(c.elsewhere, other)
				}
			}
			if len(c.entries) == 0 && len(c.helpers) == 0 {
				return Credentials{}, c.problem("has no entry for any registry%s; %s", c.notRead(), createSecret(secret.Name, ""))
			}
			return c, nil
		}
		if first == nil {
			first = c.problem("%s; %s", why, createSecret(secret.Name, ""))
		}
	}
	if first != nil {
		return Credentials{}, first
	}
	has := "it has no keys"
	if keys := slices.Sorted(maps.Keys(secret.Data)); len(keys) > 0 {
		has = "it has " + oneLine(keys)
	}
	return Credentials{}, &Problem{Object: SecretObject(secret.Name), Text: fmt.Sprintf("of type %s has none of the keys %s (%s); %s",
		quote(string(secret.Type)), strings.Join(credentialKeys, ", "), has, createSecret(secret.Name, ""))}
}

func createSecret(name, server string) string {
	if server == "" {
		server = "…"
	}
	return fmt.Sprintf("create it with 'oc create secret docker-registry %s --docker-server=%s --docker-username=… --docker-password=…'", name, server)
}

// parseCredentials reads the content of a key, as the builder does, or says why the
// builder reads nothing of it.
func parseCredentials(secret, key string, text []byte) (c Credentials, why string) {
	c = Credentials{secret: secret, key: key}
	// The builder's own reading takes names in any case, so what is read here is too.
	var config struct {
		Auths   map[string]json.RawMessage `json:"auths"`
		Store   json.RawMessage            `json:"credsStore"`
		Helpers json.RawMessage            `json:"credHelpers"`
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return c, whyNoJSON(text)
	}
	err := json.Unmarshal(text, &config)
	if err != nil && key != corev1.DockerConfigKey {
		return c, "is not valid JSON of registry credentials: auths is not an object with an entry for each registry"
	}
	if why := whyOtherKey(key, whole, config.Auths); why != "" {
		return c, why
	}
	auths := whole
	var helpers map[string]json.RawMessage
	if key != corev1.DockerConfigKey {
		auths = config.Auths
		// Helpers that cannot be read are none: builders do not look at them.
		_ = json.Unmarshal(config.Helpers, &helpers)
	}
	c.helpers = slices.Sorted(maps.Keys(helpers))
	why = c.parseEntries(text, auths, key != corev1.DockerConfigKey && !isEmptyJSON(config.Store))
	return c, why
}

// parseEntries adds the entries, or says why builders refuse the file for one of them.
// Stored tells that the file names a credentials store.
func (c *Credentials) parseEntries(text []byte, auths map[string]json.RawMessage, stored bool) (why string) {
	for _, name := range slices.Sorted(maps.Keys(auths)) {
		e, refused := parseEntry(name, auths[name])
		if refused != "" {
			return "is not valid JSON of registry credentials: the entry " + shown(name) + " " + refused + ", and builders refuse the whole file for that"
		}
		if e.bare && (stored || slices.Contains(c.helpers, name)) {
			e.bare = false
			e.lack = "its credentials are not in the file, but in the credentials store of the computer on which somebody logged in (credsStore or credHelpers)"
		}
		c.entries = append(c.entries, e)
	}
	if refused := refusedTwice(c.key, text); refused != "" {
		return "is not valid JSON of registry credentials: an entry that is there twice " + refused + ", and builders refuse the whole file for that"
	}
	if stored && len(c.entries) == 0 {
		return "has no entry for any registry, and names a credentials store (credsStore): the credentials are on the computer on which somebody logged in, and not in the Secret"
	}
	return ""
}

func isEmptyJSON(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null" || string(raw) == `""` || string(raw) == "{}"
}

// whyNoJSON tells apart what people put in place of a file of credentials.
func whyNoJSON(text []byte) string {
	const not = "is not valid JSON of registry credentials"
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err == nil && json.Valid(decoded) {
		return not + ": it is base64 of that, encoded once more than the Secret needs"
	}
	if json.Valid(text) {
		return not + ", but other JSON"
	}
	return not
}

// whyOtherKey recognises the format of the other key. The builder takes it for a file
// without entries, or with one of the name auths.
func whyOtherKey(key string, whole, auths map[string]json.RawMessage) string {
	if key == corev1.DockerConfigKey {
		if len(auths) > 0 && !anyLogin(whole) {
			return fmt.Sprintf("holds the entries within auths, which is the format of the key %s in a Secret of type %s; under this key the entries are the file itself",
				corev1.DockerConfigJsonKey, corev1.SecretTypeDockerConfigJson)
		}
		return ""
	}
	if len(auths) == 0 && anyLogin(whole) {
		return fmt.Sprintf("holds the entries themselves, without auths around them, which is the format of the key %s in a Secret of type %s",
			corev1.DockerConfigKey, corev1.SecretTypeDockercfg)
	}
	if within := auths["auths"]; len(auths) == 1 && within != nil {
		var inner map[string]json.RawMessage
		if json.Unmarshal(within, &inner) == nil && anyLogin(inner) {
			return "holds auths within auths; the entries have to be in the outer one"
		}
	}
	return ""
}

// anyLogin tells whether one of the values looks like an entry.
func anyLogin(entries map[string]json.RawMessage) bool {
	for _, raw := range entries {
		var fields struct{ Auth, Username, Password json.RawMessage }
		if json.Unmarshal(raw, &fields) == nil && (fields.Auth != nil || fields.Username != nil || fields.Password != nil) {
			return true
		}
	}
	return false
}

// Registries names what there are entries for, for a message.
func (c Credentials) Registries() string {
	var names []string
	for i := range c.entries {
		names = append(names, shown(c.entries[i].name))
	}
	return fmt.Sprintf("%.500s", strings.Join(names, ", "))
}

func (c Credentials) problem(format string, args ...any) *Problem {
	return &Problem{Object: SecretObject(c.secret), Key: c.key, Text: fmt.Sprintf(format, args...)}
}

func (c Credentials) notRead() string {
	if len(c.elsewhere) == 0 {
		return ""
	}
	return fmt.Sprintf(" (the key %s is not read next to it)", strings.Join(c.elsewhere, ", "))
}

// serving are the entries that serve the image, grouped by what they are filed under. The
// first group is what the builder takes a login from.
func (c Credentials) serving(image string) [][]entry {
	places := make([]string, 0, len(c.entries))
	for i := range c.entries {
		places = append(places, c.entries[i].place)
	}
	var groups [][]entry
	for _, place := range placesFor(image, places) {
		var group []entry
		for i := range c.entries {
			if c.entries[i].place == place {
				group = append(group, c.entries[i])
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// Serve tells whether there is an entry that serves the image, with or without a login.
func (c Credentials) Serve(image string) bool { return len(c.serving(image)) > 0 }

// CheckPush finds out why a build that pushes to the repository would have no login there.
// The warning is of what may be meant.
// named is where the repository is written.
func (c Credentials) CheckPush(repository string, named Place) (problem, warning *Problem) {
	problem, warning = c.checkServing(repository+":", repository, RegistryOf(repository))
	if problem != nil || c.Serve(repository+":") {
		return problem, warning
	}
	registry := RegistryOf(repository)
	pushes := fmt.Sprintf("%s, which %s, pushes to", repository, named)
	switch {
	case slices.Contains(c.helpers, registry):
		return c.problem("has no entry for %s, but the name of a program (credHelpers): the credentials are on the computer on which somebody logged in, and not in the Secret; %s",
			pushes, createSecret(c.secret, registry)), nil
	case len(c.entries) == 0:
		return c.problem("has no entry for %s, but names of programs (credHelpers) for others%s; %s", pushes, c.notRead(), createSecret(c.secret, registry)), nil
	}
	return c.problem("has no entry for %s; add one for %s. It has %s%s; an entry serves what has its host, by the letter and with the port, and a path that begins with its own",
		pushes, registry, c.Registries(), c.notRead()), nil
}

// CheckPull finds out why the credentials would be in the way of a build that pulls the
// image: an entry without a login comes before the node's own. That there is none is right.
func (c Credentials) CheckPull(image string) (problem, warning *Problem) {
	return c.checkServing(image, image, RegistryOf(image))
}

func (c Credentials) checkServing(image, named, registry string) (problem, warning *Problem) {
	groups := c.serving(image)
	if len(groups) == 0 {
		return nil, nil
	}
	for _, e := range groups[0] {
		if e.lack == "" {
			continue
		}
		text := fmt.Sprintf("the entry %s, which serves %s, gives a build no login: %s", shown(e.name), named, e.lack)
		if other := anyLoginIn(groups[1:]); other != "" {
			text += fmt.Sprintf("; %s has a login, but the most specific entry is the one that counts", shown(other))
		}
		if !e.bare {
			return c.problem("%s; %s", text, createSecret(c.secret, registry)), nil
		}
		if warning == nil {
			warning = c.problem("%s; builds go on without one, which is right for a registry that asks for none", text)
		}
	}
	return nil, warning
}

func anyLoginIn(groups [][]entry) string {
	for _, group := range groups {
		for _, e := range group {
			if e.lack == "" {
				return e.name
			}
		}
	}
	return ""
}

// LoginFor is the login that a builder would take from the Secret for the image. Both are empty
// where it has none.
func LoginFor(secret *corev1.Secret, image string) (user, password string) {
	c, problem := ReadCredentials(secret)
	groups := c.serving(image)
	if problem != nil || len(groups) == 0 {
		return "", ""
	}
	var config struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	var err error
	if c.key == corev1.DockerConfigKey {
		err = json.Unmarshal(secret.Data[c.key], &config.Auths)
	} else {
		err = json.Unmarshal(secret.Data[c.key], &config)
	}
	at := slices.IndexFunc(groups[0], func(e entry) bool { return e.lack == "" })
	if err != nil || at < 0 {
		return "", ""
	}
	user, password, _ = loginIn(config.Auths[groups[0][at].name])
	return user, password
}
