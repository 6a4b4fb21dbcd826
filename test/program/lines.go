package program

import (
	"bytes"
	"strings"
	"sync"
)

// LastLine is a writer that keeps the last line with anything on it, and tells it.
type LastLine struct {
	// Note, if any, is told every line.
	Note func(line string)

	mu   sync.Mutex
	part []byte
	last string
}

// Write implements io.Writer.
func (l *LastLine) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, data...)
	for {
		// Progress bars end their lines with a carriage return.
		end := bytes.IndexAny(l.part, "\r\n")
		if end < 0 {
			return len(data), nil
		}
		line := strings.TrimSpace(string(l.part[:end]))
		l.part = l.part[end+1:]
		// What Go says of each module that it downloads tells nobody anything.
		if line == "" || strings.HasPrefix(line, "go: downloading ") {
			continue
		}
		l.last = line
		if l.Note != nil {
			l.Note(line)
		}
	}
}

// Text is the last line so far.
func (l *LastLine) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rest := strings.TrimSpace(string(l.part)); rest != "" {
		return rest
	}
	return l.last
}
