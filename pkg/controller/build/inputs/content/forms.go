package content

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
)

// form is how a program fixes that a credential is written.
type form struct {
	kind Credential
	// words are looked for first, since an expression is slow: it is tried on the lines that
	// have one of them, and on their neighbours.
	words []string
	// beside is what has to be there as well, anywhere, and unless what must not.
	beside []string
	unless string
	with   *regexp.Regexp
	// pattern may have the value in a group. One that stands for another is no credential: a
	// variable, or a word in an example.
	pattern *regexp.Regexp
	// decides, if it is there, tells of the value whether it is a credential.
	decides func(value []byte) bool
}

// neighbours is how many lines before and after the one with the word belong to what is
// written in several, as an entry of netrc may be.
const neighbours = 4

// value is one that stands for itself as far as its first characters tell: no variable, no
// command and no path.
const value = `["']?([^\s"'<>$/` + "`" + `(][^\s"'<>$]*)`

// forms are the fixed forms. Each is of the manual page of the program that reads it.
var forms = []form{
	{
		kind: PrivateKey, words: []string{"PRIVATE KEY", "OpenVPN Static key", "PuTTY-User-Key-File", "AGE-SECRET-KEY"},
		pattern: regexp.MustCompile(`-----BEGIN (?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V\d)-----|---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----` +
			`|PuTTY-User-Key-File-\d|AGE-SECRET-KEY-1`),
	},
	{
		// What crypt(3) writes (MD5, SHA-256, SHA-512, bcrypt, yescrypt, scrypt), htpasswd, LDAP,
		// Argon2 and GRUB. A dollar alone is in any script.
		kind: PasswordHash, words: []string{
			"$1$", "$5$", "$6$", "$apr1$", "$2$", "$2a$", "$2b$", "$2x$", "$2y$", "$y$", "$gy$", "$7$", "{SHA", "{SSHA", "$argon2", "$sha1$", "grub.pbkdf2",
		},
		pattern: regexp.MustCompile(`\$(?:1|5|6|apr1)\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22,86}` +
			`|\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|\$(?:y|gy|7)\$[./A-Za-z0-9$]{20,200}` +
			`|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{27,}={0,2}|\$argon2(?:id|i|d)\$|\$sha1\$\d+\$|grub\.pbkdf2\.sha512\.\d`),
	},
	{
		// An entry of a Docker config in JSON, also within a string, or in YAML.
		kind: RegistryCredentials, words: []string{"auth"}, decides: isNameAndPassword,
		pattern: regexp.MustCompile(`(?:\\*"auth\\*"\s*:\s*\\*"|(?:^|\s)auth:\s*["']?)([A-Za-z0-9+/=_-]{4,})`),
	},
	{
		kind: RegistryCredentials, words: []string{"identitytoken", "registrytoken"},
		pattern: regexp.MustCompile(`\\*"(?:identitytoken|registrytoken)\\*"\s*:\s*\\*"[^"\\]`),
	},
	{
		kind: RegistryCredentials, words: []string{"password"}, with: regexp.MustCompile(`\\*"auths\\*"\s*:`),
		pattern: regexp.MustCompile(`\\*"password\\*"\s*:\s*\\*"[^"\\]`),
	},
	{
		kind: URLPassword, words: []string{"://"},
		pattern: regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>$]*:([^\s/@"'<>]+)@[A-Za-z0-9\[]`),
	},
	{
		// A proxy need not have a scheme.
		kind: URLPassword, words: []string{"proxy", "PROXY", "Proxy"},
		pattern: regexp.MustCompile(`(?i)(?:(?:http|https|ftp|all)_proxy|proxy[-_]user(?:pwd)?)["']?\s*[=:]\s*["']?[^\s/:@"'<>$]+:([^\s/@"'<>]+)(?:@|["']?\s|["']?$)`),
	},
	{
		// Of netrc.
		kind: Password, words: []string{"password"}, beside: []string{"login"},
		pattern: regexp.MustCompile(`(?:machine\s+\S+|default)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+([^\s<>$]\S*)`),
	},
	{
		// Keys that have one meaning: of dnf, LDAP, wpa_supplicant, SSSD, OpenStack and iSCSI.
		kind: Password, words: []string{"assword", "ASSWORD", "psk", "PSK", "bindpw", "BINDPW", "authtok", "_passwd", "credential_secret"},
		pattern: regexp.MustCompile(`(?mi:^\s*(?:proxy_password|bindpw|psk|sae_password|private_key_passwd|ldap_default_authtok|application_credential_secret` +
			`|(?:node\.session|discovery\.sendtargets)\.auth\.password(?:_in)?)\s*[=:]\s*["']?([^\s"'<>$]{4,}))`),
	},
	{
		// A name and a password in lines of their own: of mount.cifs, MySQL, cloud providers and
		// many agents. That of a kubeconfig is below, with what is beside it there.
		kind: Password, words: []string{"password"}, with: regexp.MustCompile(`(?m)^\s*(?:-\s*)?(?:user|username|login|identity)\s*[=:]\s*["']?[^\s"']`),
		pattern: regexp.MustCompile(`(?m)^\s*(?:-\s*)?password\s*[=:]\s*` + value),
	},
	{
		// The same in JSON. A Docker config has a kind of its own.
		kind: Password, words: []string{`"password"`}, unless: `"auths"`, with: regexp.MustCompile(`"(?:user|username|login)"\s*:\s*"[^"]`),
		pattern: regexp.MustCompile(`"password"\s*:\s*` + value),
	},
	{
		// Of PostgreSQL, by its usual ports, or for any.
		kind: Password, words: []string{":*:", ":543", ":643"},
		pattern: regexp.MustCompile(`(?m)^[A-Za-z0-9_.*-]+:(?:\d{1,5}|\*):[A-Za-z_*][^:\s]*:[A-Za-z_*][^:\s]*:([^:\s]+)$`),
	},
	{
		// Of a connection of NetworkManager. Beside each there are flags, which are none.
		kind: Password, words: []string{"[connection]"},
		pattern: regexp.MustCompile(`(?m)^[ \t]*(?:(?:[A-Za-z0-9]+[ -])*(?:password|secret)|password-raw|psk|wep-key[0-3]|mka-cak|pin)[ \t]*=[ \t]*` + value),
	},
	{
		// Of chrony and ntpd.
		kind: Password, words: []string{"MD5", "SHA", "AES"},
		pattern: regexp.MustCompile(`(?m)^[ \t]*\d{1,10}[ \t]+(?:MD5|SHA1|SHA256|SHA384|SHA512|AES128|AES256)[ \t]+(?:HEX:|ASCII:)?([^\s$<>]{6,})[ \t]*$`),
	},
	{
		// Of ipsec.secrets.
		kind: Password, words: []string{"PSK", "XAUTH", "EAP"},
		pattern: regexp.MustCompile(`:[ \t]*(?:PSK|XAUTH|EAP)[ \t]+(?:"([^"\n]{4,})"|(0[xs][A-Za-z0-9+/=]{8,}))`),
	},
	{
		// Of swanctl.conf.
		kind: Password, words: []string{"secrets"}, with: regexp.MustCompile(`(?m)^\s*secrets\s*\{`),
		pattern: regexp.MustCompile(`(?m)^\s*secret\s*=\s*["']?([^\s"'<>$]{4,})`),
	},
	{
		// Of snmpd.
		kind: Password, words: []string{"createUser"},
		pattern: regexp.MustCompile(`(?m)^\s*createUser\s+(?:-e\s+\S+\s+)?\S+\s+(?:MD5|SHA(?:-?\d+)?)\s+["']?([^\s"'<>$]{4,})`),
	},
	{
		// Of Postfix.
		kind: Password, words: []string{"]:", ":465", ":587"},
		pattern: regexp.MustCompile(`(?m)^\[?[A-Za-z0-9.-]+\]?:(?:25|465|587|2525|smtps?|submission)[ \t]+[^\s:]+:([^\s<>$]+)[ \t]*$`),
	},
	{
		// Variables whose name says it, of a shell or of a unit.
		kind: Password, words: []string{"PASSWORD=", "PASSWD=", "MYSQL_PWD="},
		pattern: regexp.MustCompile(`(?m)(?:^|[\s"'=])(?:[A-Z][A-Z0-9_]*)?(?:PASSWORD|PASSWD|MYSQL_PWD)=["']?([^\s"'<>$/` + "`" + `(][^\s"'<>$]{3,})`),
	},
	{
		kind: Token, words: []string{"TOKEN=", "API_KEY=", "APIKEY="},
		pattern: regexp.MustCompile(`(?m)(?:^|[\s"'=])(?:[A-Z][A-Z0-9_]*)?(?:TOKEN|API_KEY|APIKEY)=["']?[A-Za-z0-9][A-Za-z0-9+/_=]{19,}`),
	},
	{
		kind: Password, words: []string{"password:"}, beside: kubeconfig,
		pattern: regexp.MustCompile(`(?m)^\s*-?\s*password:\s*["']?([^\s"'<>$]{4,})`),
	},
	{
		kind: Token, words: []string{"token:"}, beside: kubeconfig,
		pattern: regexp.MustCompile(`(?m)^\s*-?\s*token:\s*["']?([^\s"'<>$]{4,})`),
	},
	{
		kind: Token, words: []string{"uthorization", "AUTHORIZATION"},
		pattern: regexp.MustCompile(`(?i:authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+[A-Za-z0-9+/._~-]{8,})`),
	},
	{
		// Those that have a mark of their own.
		kind: Token, words: []string{
			"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glrt-", "xox", "xapp-", "sha256~", "AIza", "eyJ",
			"dckr_pat_", "npm_", "pypi-Ag", "hvs.", "tskey-", "dt0c01.",
		},
		pattern: regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|gl(?:pat|rt)-[\w-]{20}|xox[abprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}|sha256~[\w-]{43}|AIza[\w-]{35}` +
			`|dckr_pat_[\w-]{27}|npm_[A-Za-z0-9]{36}|pypi-Ag[\w-]{40,}|hvs\.[\w-]{24,}|tskey-[a-z]+-[\w-]{16,}|dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}` +
			`|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})`),
	},
	{
		kind: CloudKey, words: []string{"ccess", "ACCESS", "SESSION", "session", "AccountKey="},
		pattern: regexp.MustCompile(`(?i)(?:aws_secret_access_key|secretaccesskey|aws_session_token)["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40}|AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{43}=`),
	},
	{
		kind: CloudKey, words: []string{"ientSecret", "client_secret"},
		pattern: regexp.MustCompile(`"(?:aadClientSecret|clientSecret|client_secret)"\s*:\s*"([^"<$]{8,})"`),
	},
	{
		// Of WireGuard: of its own file, and of NetworkManager's.
		kind: PrivateKey, words: []string{"rivateKey", "rivatekey", "resharedKey", "resharedkey", "private-key", "preshared-key"},
		pattern: regexp.MustCompile(`(?:(?:Private|private|Preshared|preshared)[Kk]ey|(?:private|preshared)-key)[ \t]*=[ \t]*[A-Za-z0-9+/]{43}=`),
	},
	{
		// Of DNS.
		kind: PrivateKey, words: []string{"secret"}, beside: []string{"algorithm"},
		pattern: regexp.MustCompile(`\bsecret\s+"[A-Za-z0-9+/]{16,}={0,2}"\s*;`),
	},
}

var kubeconfig = []string{"users:", "clusters:"}

// keysInBinary are what private keys in binary have: the kind of a bag in PKCS #12, what stands
// before the key in PKCS #8 (RSA, and two curves) and in PKCS #1 (2,048, 3,072 and 4,096 bits).
// Each is so long that a program which merely knows those numbers has none of them.
var keysInBinary = []string{
	"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01\xa0", "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02\xa0",
	"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82",
	"\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08", "\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05",
	"\x02\x01\x00\x02\x82\x01\x01\x00", "\x02\x01\x00\x02\x82\x01\x81\x00", "\x02\x01\x00\x02\x82\x02\x01\x00",
}

const (
	keytab = "\x05\x02\x00\x00"
	// keyStore begins one of Java, whose first entry is a key, and not a certificate, if it is
	// of kind 1: after the version and the number of entries.
	keyStore = "\xfe\xed\xfe\xed"
)

// hasKeyInBinary tells of a key in what is no text.
func hasKeyInBinary(data []byte) bool {
	if bytes.IndexByte(data, 0) < 0 {
		return false
	}
	if bytes.HasPrefix(data, []byte(keytab)) || bytes.HasPrefix(data, []byte(keyStore)) && len(data) > 15 && bytes.Equal(data[12:16], []byte{0, 0, 0, 1}) {
		return true
	}
	return slices.ContainsFunc(keysInBinary, func(key string) bool { return bytes.Contains(data, []byte(key)) })
}

func (f *form) isIn(text []byte) bool {
	lacks := func(word string) bool { return !bytes.Contains(text, []byte(word)) }
	regions := around(text, f.words)
	if len(regions) == 0 || slices.ContainsFunc(f.beside, lacks) || f.unless != "" && !lacks(f.unless) {
		return false
	}
	return slices.ContainsFunc(regions, f.matches) && (f.with == nil || f.with.Match(text))
}

// around are the lines with one of the words, each with its neighbours, in their order.
func around(text []byte, words []string) (regions [][]byte) {
	type span struct{ start, end int }
	var spans []span
	for _, word := range words {
		for from := 0; ; {
			at := bytes.Index(text[from:], []byte(word))
			if at < 0 {
				break
			}
			at += from
			start, end := at, at
			for n := 0; n <= neighbours && start >= 0; n++ {
				start = bytes.LastIndexByte(text[:start], '\n')
			}
			for n := 0; n <= neighbours && end < len(text); n++ {
				end = endOfLine(text, end) + 1
			}
			spans = append(spans, span{start + 1, min(end, len(text))})
			from = min(max(endOfLine(text, at), at+len(word)), len(text))
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	for i := 0; i < len(spans); {
		whole := spans[i]
		for i++; i < len(spans) && spans[i].start <= whole.end; i++ {
			whole.end = max(whole.end, spans[i].end)
		}
		regions = append(regions, text[whole.start:whole.end])
	}
	return regions
}

// endOfLine is where the line with that place in it ends, before its line break.
func endOfLine(text []byte, at int) int {
	if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(text)
}

// matches tells whether there is a match whose value stands for itself.
func (f *form) matches(text []byte) bool {
	if f.pattern.NumSubexp() == 0 {
		return f.pattern.Match(text)
	}
	for _, match := range f.pattern.FindAllSubmatch(text, -1) {
		for _, value := range match[1:] {
			if len(value) == 0 || isPlaceholder(value) {
				continue
			}
			if f.decides == nil || f.decides(value) {
				return true
			}
		}
	}
	return false
}

var placeholders = regexp.MustCompile(`(?i)^(?:[$%{<].*|\*+|x{3,}|\.{3,}|(?:your[-_]?)?pass(?:word|wd)?|secret|changeme|redacted|true|false|yes|no|none|null)$`)

func isPlaceholder(value []byte) bool {
	return placeholders.Match(value) && !bytes.HasPrefix(value, []byte("%4"))
}

// isNameAndPassword tells whether that decodes to a name and a password.
func isNameAndPassword(value []byte) bool {
	value = bytes.TrimRight(value, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		decoded, err := encoding.DecodeString(string(value))
		if name, password, found := bytes.Cut(decoded, []byte(":")); err == nil && found && len(name) > 0 && len(password) > 0 {
			return true
		}
	}
	return false
}
