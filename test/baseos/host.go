package baseos

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hostSuite is the Debian suite of this machine, by its os-release.
func hostSuite(osRelease string) string {
	content, err := os.ReadFile(osRelease)
	if err != nil {
		return defaultSuite
	}
	values := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			values[key] = strings.Trim(value, `"`)
		}
	}
	if values["ID"] != "debian" || values["VERSION_CODENAME"] == "" {
		return defaultSuite
	}
	return values["VERSION_CODENAME"]
}

// hostMirror is where this machine's apt finds a suite; empty if it does not, or not over HTTP.
func hostMirror(aptDir, suite string) string {
	lists, _ := filepath.Glob(filepath.Join(aptDir, "sources.list.d", "*"))
	for _, list := range append([]string{filepath.Join(aptDir, "sources.list")}, lists...) {
		content, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		find := mirrorInList
		if strings.HasSuffix(list, ".sources") {
			find = mirrorInStanzas
		}
		if mirror := find(string(content), suite); strings.HasPrefix(mirror, "http") {
			return mirror
		}
	}
	return ""
}

// mirrorInList reads lines such as "deb [options] uri suite component...".
func mirrorInList(content, suite string) string {
	for line := range strings.Lines(content) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "deb" {
			continue
		}
		words = words[1:]
		if len(words) > 0 && strings.HasPrefix(words[0], "[") {
			end := slices.IndexFunc(words, func(word string) bool { return strings.HasSuffix(word, "]") })
			words = words[end+1:]
		}
		if len(words) > 2 && words[1] == suite && slices.Contains(words[2:], "main") {
			return words[0]
		}
	}
	return ""
}

// mirrorInStanzas reads the format of fields and values.
func mirrorInStanzas(content, suite string) string {
	for stanza := range strings.SplitSeq(content, "\n\n") {
		fields := map[string][]string{}
		for line := range strings.Lines(stanza) {
			key, value, found := strings.Cut(line, ":")
			if !found || strings.HasPrefix(line, "#") || strings.HasPrefix(line, " ") {
				continue
			}
			fields[strings.ToLower(key)] = strings.Fields(value)
		}
		packages := slices.Contains(fields["types"], "deb") && slices.Contains(fields["components"], "main")
		if packages && slices.Contains(fields["suites"], suite) && len(fields["uris"]) > 0 {
			return fields["uris"][0]
		}
	}
	return ""
}
