package content

import (
	"bytes"
	"encoding/base64"
	"iter"
	"regexp"
	"slices"
)

// Scan looks through text for what looks like a credential. The findings bear the
// given path and are sorted.
func Scan(path string, text []byte) []Finding {
	scan := &scanner{}
	_, _ = scan.Write(text)
	return scan.findings(path)
}

// A window is looked through at once. The next one begins with the end of the last,
// so that nothing is missed at the seam.
const (
	windowBytes  = 256 << 10
	overlapBytes = 16 << 10
)

// scanner looks through what is written to it. The zero value is ready to use.
type scanner struct {
	window []byte
	found  []Credential
}

// Write implements io.Writer; it never fails.
func (s *scanner) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		room := windowBytes - len(s.window)
		s.window = append(s.window, rest[:min(room, len(rest))]...)
		rest = rest[min(room, len(rest)):]
		if len(s.window) == windowBytes {
			s.look(s.window, true)
			s.window = append(s.window[:0], s.window[windowBytes-overlapBytes:]...)
		}
	}
	return len(p), nil
}

func (s *scanner) findings(path string) []Finding {
	s.look(s.window, true)
	var findings []Finding
	for _, kind := range s.found {
		findings = append(findings, Finding{Path: path, Kind: kind})
	}
	slices.SortFunc(findings, compareFindings)
	return findings
}

var (
	privateKeys = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d|AGE-SECRET-KEY-1|(?:Private|private|Preshared|preshared)[Kk]ey[ \t]*=[ \t]*[A-Za-z0-9+/]{43}=`)

	// The forms that crypt(3) writes: MD5, SHA-256, SHA-512, bcrypt, yescrypt,
	// scrypt, and those of htpasswd, Argon2 and GRUB.
	passwordHashes = regexp.MustCompile(`\$(?:1|5|6|apr1)\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22,86}` +
		`|\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|\$(?:y|gy|7)\$[./A-Za-z0-9$]{20,200}` +
		`|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{27,}={0,2}|\$argon2(?:id|i|d)\$|\$sha1\$\d+\$|grub\.pbkdf2\.sha512\.\d`)

	// hashMarks are those that passwordHashes begin with. A dollar alone is in any script.
	hashMarks = []string{"$1$", "$5$", "$6$", "$apr1$", "$2$", "$2a$", "$2b$", "$2x$", "$2y$", "$y$", "$gy$", "$7$", "{SHA", "{SSHA", "$argon2", "$sha1$", "grub.pbkdf2"}

	// An entry of a Docker config in JSON, also within a string, or in YAML.
	authEntries   = regexp.MustCompile(`(?:\\*"auth\\*"\s*:\s*\\*"|(?:^|\s)auth:\s*["']?)([A-Za-z0-9+/=_-]{4,})`)
	tokenEntries  = regexp.MustCompile(`\\*"(?:identitytoken|registrytoken)\\*"\s*:\s*\\*"[^"\\]`)
	authsSection  = regexp.MustCompile(`\\*"auths\\*"\s*:`)
	passwordEntry = regexp.MustCompile(`\\*"password\\*"\s*:\s*\\*"[^"\\]`)
)

// look finds credentials in one window; encoded tells to look into base64 as well,
// which is how kubeconfigs and Secrets hold them. A regular expression is slow, so
// each is tried only on text with a word that it needs.
func (s *scanner) look(text []byte, encoded bool) {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return bytes.Contains(text, []byte(word)) })
	}
	s.note(PrivateKey, has("PRIVATE KEY", "PuTTY-User-Key-File", "AGE-SECRET-KEY", "rivateKey", "rivatekey", "resharedKey", "resharedkey") && privateKeys.Match(text))
	s.lookForForms(text, has)
	s.note(PasswordHash, has("$", "{S", "grub.") && has(hashMarks...) && passwordHashes.Match(text))
	s.note(RegistryCredentials, has("token") && tokenEntries.Match(text))
	s.note(RegistryCredentials, has("auth") && (hasAuth(text) || authsSection.Match(text) && passwordEntry.Match(text)))
	if !encoded {
		return
	}
	for run := range base64Runs(text) {
		// What is cut off at the end does not make up four characters.
		if decoded, err := base64.RawStdEncoding.DecodeString(string(run[:len(run)-len(run)%4])); err == nil {
			s.look(decoded, false)
		}
	}
}

const shortestRun = 48

// base64Runs are the stretches of characters of base64 that are long enough to hold
// a credential.
func base64Runs(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		start := 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && inBase64[text[i]] {
				continue
			}
			if i-start >= shortestRun && !yield(text[start:i]) {
				return
			}
			start = i + 1
		}
	}
}

// inBase64 are the characters of base64.
var inBase64 = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		set[c] = true
	}
	return set
}()

func (s *scanner) note(kind Credential, found bool) {
	if found && !slices.Contains(s.found, kind) {
		s.found = append(s.found, kind)
	}
}

// hasAuth tells whether there is an entry that decodes to a name and a password.
func hasAuth(text []byte) bool {
	for _, match := range authEntries.FindAllSubmatch(text, -1) {
		value := bytes.TrimRight(match[1], "=")
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			decoded, err := encoding.DecodeString(string(value))
			if name, password, found := bytes.Cut(decoded, []byte(":")); err == nil && found && len(name) > 0 && len(password) > 0 {
				return true
			}
		}
	}
	return false
}
