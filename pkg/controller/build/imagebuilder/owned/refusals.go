package owned

import (
	"regexp"
	"strings"
)

// The build controller keeps the first 58 and the last 59 characters of a long line of the
// log, so that of what a registry answers only one end may be there. These are the words
// that are left of refusals, wherever a line was cut.
var refusals = regexp.MustCompile(`(?i)` + strings.Join([]string{
	// The codes and sentences of the distribution API, and of registries that have no others.
	`unauthorized`, `authentication (is )?required`, `\bdenied: `, `requested access to the resource is denied|access to the resource is denied`,
	`insufficient_scope|insufficient scopes?`, `failed authentication`, `no basic auth credentials`,
	// What clients make of an answer without such a code.
	`invalid username/password`, `incorrect username or password`, `status(:| code)[^;]{0,40} 40[13]\b`, `40[13] \((unauthorized|forbidden)\)`, `\b40[13] (unauthorized|forbidden)`, `HTTP 40[13] response body`,
	// Quay and Nexus: the end of "access to the requested resource is not authorized".
	`requested resource is not authorized`,
	// Harbor ends with the action, behind a path of any length.
	`, action: (push|pull)\b`,
	// Amazon names the action that no policy allows.
	`is not authorized to perform: `, `-based policy( allows the ecr:\w+ action)?$|policy allows the ecr:\w+ action`, `token has expired\. reauthenticate`, `does not exist in the registry with id|name unknown: the repository`,
	// Google ends with the resource, and with where to read on.
	`\(or it may not exist\)`, `do(es)? not have permission|permission "[^"]*" denied|needed permissions to perform this operation`, `docs/(access-control|advanced-authentication)`,
	// Azure ends with where to read on.
	`aka\.ms/acr/(authorization|firewall)`,
	// GitHub and GitLab.
	`permission_denied`, `cannot be authenticated with the token`, `does not match expected scopes`, `access forbidden`, `http-basic-access-denied`,
	// Artifactory.
	`bad_credential|bad credentials|wrong username was used`,
}, "|"))

// passing are words of lines about trouble that passes, which may also speak of who is
// authenticated: rates are limited by that.
var passing = regexp.MustCompile(`(?i)toomanyrequests|too many requests|rate limit|\b429\b|\b5\d\d (internal server error|bad gateway|service unavailable|gateway time-?out)|5\d\d \((internal server error|bad gateway|service unavailable|gateway timeout)\)`)

// SaysRefused tells of what a builder printed whether a registry does not let it pull or push,
// which no other attempt with the same credentials can help. It looks at each line on its own.
func SaysRefused(log string) bool {
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if refusals.MatchString(line) && !passing.MatchString(line) {
			return true
		}
	}
	return false
}
