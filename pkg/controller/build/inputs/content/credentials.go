package content

import (
	"encoding/base64"
	"iter"
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

// look finds credentials in one window; encoded tells to look into base64 as well,
// which is how kubeconfigs and Secrets hold them.
func (s *scanner) look(text []byte, encoded bool) {
	for i := range forms {
		if f := &forms[i]; !slices.Contains(s.found, f.kind) {
			s.note(f.kind, f.isIn(text))
		}
	}
	s.note(PrivateKey, hasKeyInBinary(text))
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
