package content

import (
	"bytes"
	"io"
)

// builderFiles are files of nodes that a builder has to have as well, by their names in the
// archive: where images come from in place of where they say, and which are trusted. A
// builder that is no node reads them from there.
var builderFiles = map[string]string{
	"/etc/containers/registries.conf": "registries.conf",
	"/etc/containers/policy.json":     "policy.json",
}

// forBuilder keeps what is written of such a file; of others it keeps nothing. The function
// that it returns is to be called when all is written.
func (f *filter) forBuilder(path string) (writer io.Writer, done func()) {
	name, ok := builderFiles[path]
	if !ok {
		return io.Discard, func() {}
	}
	var text bytes.Buffer
	return &text, func() {
		f.content.forBuilder = append(f.content.forBuilder, file{name, publicMode, text.Bytes()})
	}
}
