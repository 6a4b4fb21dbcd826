package content

import (
	"bytes"
	"regexp"
)

// Credentials in forms that are fixed by the programs that read them. What is a variable, or
// stands for a value in an example, is none.
var (
	urlPasswords = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>$]*:([^\s/@"'<>]+)@[A-Za-z0-9\[]`)
	// A proxy need not have a scheme.
	proxyPasswords = regexp.MustCompile(`(?i)(?:(?:http|https|ftp|all)_proxy|proxy[-_]user(?:pwd)?)["']?\s*[=:]\s*["']?[^\s/:@"'<>$]+:([^\s/@"'<>]+)(?:@|["']?\s|["']?$)`)

	passwords = regexp.MustCompile(`(?:machine\s+\S+|default)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+([^\s<>$]\S*)` +
		`|(?mi:^\s*(?:proxy_password|bindpw|psk|sae_password)\s*=\s*["']?([^\s"'<>$]{4,}))`)
	// Of PostgreSQL, by its usual ports, or for any.
	pgPasswords = regexp.MustCompile(`(?m)^[A-Za-z0-9_.*-]+:(?:\d{1,5}|\*):[A-Za-z_*][^:\s]*:[A-Za-z_*][^:\s]*:([^:\s]+)$`)
	kubeconfigs = regexp.MustCompile(`(?m)^\s*-?\s*(?:token|password):\s*["']?([^\s"'<>$]{4,})`)

	tokens = regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|sha256~[\w-]{43}|AIza[\w-]{35})` +
		`|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}` +
		`|(?i:authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+[A-Za-z0-9+/._~-]{8,})`)
	cloudKeys = regexp.MustCompile(`(?i:aws_secret_access_key|secretaccesskey|aws_session_token)["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40}|AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{43}=`)
)

// lookForForms finds credentials in fixed forms.
func (s *scanner) lookForForms(text []byte, has func(...string) bool) {
	s.note(URLPassword, has("://") && isReal(urlPasswords, text) || has("proxy", "PROXY", "Proxy") && isReal(proxyPasswords, text))
	s.note(Password, has("assword", "ASSWORD", "psk", "PSK", "bindpw", "BINDPW") && isReal(passwords, text) || has(":*:", ":543", ":643") && isReal(pgPasswords, text))
	if has("users:") && has("clusters:") {
		for _, match := range kubeconfigs.FindAllSubmatch(text, -1) {
			kind := Token
			if bytes.Contains(match[0], []byte("password:")) {
				kind = Password
			}
			s.note(kind, !isPlaceholder(match[1]))
		}
	}
	s.note(Token, has("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sha256~", "AIza", "eyJ", "uthorization", "AUTHORIZATION") && tokens.Match(text))
	s.note(CloudKey, has("ccess", "ACCESS", "SESSION", "session", "AccountKey=") && cloudKeys.Match(text))
}

// isReal tells whether a match has a value that stands for itself.
func isReal(pattern *regexp.Regexp, text []byte) bool {
	for _, match := range pattern.FindAllSubmatch(text, -1) {
		for _, value := range match[1:] {
			if len(value) > 0 && !isPlaceholder(value) {
				return true
			}
		}
	}
	return false
}

var placeholders = regexp.MustCompile(`(?i)^(?:[$%{<].*|\*+|x{3,}|\.{3,}|(?:your[-_]?)?pass(?:word|wd)?|secret|changeme|redacted)$`)

func isPlaceholder(value []byte) bool {
	return placeholders.Match(value) && !bytes.HasPrefix(value, []byte("%4"))
}
