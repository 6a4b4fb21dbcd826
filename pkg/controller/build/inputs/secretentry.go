package inputs

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

type entry struct {
	// name is as it stands in the file, and place what it is filed under.
	name, place string
	// lack is why there is no login in it; empty for one that there is.
	lack string
	// bare tells of an entry with nothing in it at all.
	bare bool
}

// parseEntry reads one entry, and says why the builder refuses the file for it.
func parseEntry(name string, raw json.RawMessage) (e entry, refused string) {
	var other struct {
		Email                        string
		IdentityToken, RegistryToken json.RawMessage
	}
	var fields map[string]json.RawMessage
	e.name = name
	e.place, _ = placeOf(name)
	if json.Unmarshal(raw, &fields) != nil {
		return e, "is no object"
	}
	user, password, refused := loginIn(raw)
	if refused != "" {
		return e, refused
	}
	_ = json.Unmarshal(raw, &other)
	token := !isEmptyJSON(other.IdentityToken) || !isEmptyJSON(other.RegistryToken)
	switch {
	case user != "" && password != "":
	case len(fields) == 0:
		e.bare, e.lack = true, "there is nothing in it"
	case token:
		e.lack = "it has a token in place of a password, and builders log in with a user name and a password only"
	case user != "":
		e.lack = "its password is empty"
	case password != "":
		e.lack = "its user name is empty"
	case other.Email != "":
		e.lack = "it has an e-mail address, and neither a user name nor a password"
	default:
		e.lack = "its user name and password are empty or not there"
	}
	return e, ""
}

// loginIn is the user name and the password of an entry.
func loginIn(raw json.RawMessage) (user, password, refused string) {
	var login struct {
		Username, Password, Email, Auth string
	}
	if json.Unmarshal(raw, &login) != nil {
		return "", "", "has a username, password, email or auth that is no text"
	}
	if login.Auth != "" {
		return decodeAuth(login.Auth)
	}
	return login.Username, login.Password, ""
}

// decodeAuth takes apart what the keyring takes apart.
func decodeAuth(auth string) (user, password, refused string) {
	encoding := base64.RawStdEncoding
	if strings.HasSuffix(strings.TrimSpace(auth), "=") {
		encoding = base64.StdEncoding
	}
	decoded, err := encoding.DecodeString(auth)
	if err != nil {
		return "", "", "has an auth that is not base64"
	}
	user, password, found := strings.Cut(string(decoded), ":")
	if !found {
		return "", "", "has an auth that is not base64 of a user name, a colon and a password"
	}
	return user, password, ""
}

// shown is an entry's name for a message. People put user names and passwords into URLs.
func shown(name string) string {
	scheme, rest, found := strings.Cut(name, "://")
	if !found {
		scheme, rest = "", name
	} else {
		scheme += "://"
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "…" + rest[at:]
	}
	return quote(scheme + rest)
}

// strictEntry refuses what builders refuse, wherever it is. Of two entries of one name, the
// last one counts, and none may be malformed.
type strictEntry struct{}

// UnmarshalJSON fails for what builders refuse.
func (*strictEntry) UnmarshalJSON(raw []byte) error {
	if _, refused := parseEntry("", raw); refused != "" {
		return errors.New(refused)
	}
	return nil
}

func refusedTwice(key string, text []byte) string {
	var config struct {
		Auths map[string]strictEntry `json:"auths"`
	}
	var err error
	if key == corev1.DockerConfigKey {
		err = json.Unmarshal(text, &config.Auths)
	} else {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
