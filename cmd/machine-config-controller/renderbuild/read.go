package renderbuild

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// standardInput is the name that -f has for it.
const standardInput = "-"

var address = regexp.MustCompile(`^https?://`)

// names are those that one -f has: kubectl takes several, with commas between them, and a name
// may have a comma of its own.
func names(given string) []string {
	if _, err := os.Stat(given); err == nil {
		return []string{given}
	}
	return strings.Split(given, ",")
}

// read reads a file, standard input, or the files of a directory in the order of their names.
func (f *objectFiles) read(name string) error {
	if name == standardInput {
		if f.in == nil {
			return errors.New("could not read -f -: standard input can be read only once")
		}
		in := f.in
		f.in = nil
		return f.readFrom("standard input", in)
	}
	if address.MatchString(name) {
		return fmt.Errorf("could not read -f %s: no network is used; fetch it first, as by curl %s | … -f -", name, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	if info.IsDir() {
		return f.readDirectory(name)
	}
	return f.readFile(name)
}

func (f *objectFiles) readDirectory(name string) error {
	entries, err := os.ReadDir(name)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(name, entry.Name())
		switch {
		case entry.IsDir() && f.recursive:
			err = f.readDirectory(path)
		case entry.IsDir():
			f.below = name
		case slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			err = f.readFile(path)
			// What a tool has written beside the objects is none of ours.
			if unreadable := (*notObjectError)(nil); f.recursive && errors.As(err, &unreadable) {
				f.left = append(f.left, err.Error())
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notObjectError is about a file that is not of Kubernetes objects.
type notObjectError struct{ text string }

func (e *notObjectError) Error() string { return e.text }

func notObject(format string, args ...any) error {
	return &notObjectError{fmt.Sprintf(format, args...)}
}

func (f *objectFiles) readFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	defer func() { _ = file.Close() }()
	return f.readFrom(name, file)
}

func (f *objectFiles) readFrom(name string, in io.Reader) error {
	content, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		return notObject("could not read %s: it is compressed; unpack it first", name)
	}
	content = inUTF8(content)
	if objects, ok := jsonObjects(content); ok {
		for i, text := range objects {
			if err := f.add(fmt.Sprintf("%s, document %d", name, i+1), text); err != nil {
				return err
			}
		}
		return nil
	}
	return f.readYAML(name, content)
}

func (f *objectFiles) readYAML(name string, content []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		where := fmt.Sprintf("%s, document %d", name, number)
		if err != nil {
			return notObject("could not read %s: it is not valid YAML", where)
		}
		text, err := yaml.YAMLToJSON(document)
		if err != nil {
			return notObject("could not read %s: it is not valid YAML%s", where, lineOf(err))
		}
		if string(bytes.TrimSpace(text)) == "null" {
			continue
		}
		if err := f.add(where, text); err != nil {
			return err
		}
	}
}

// jsonObjects are those of a file that is nothing but JSON: one, or, as jq writes them, one
// after the other, which is no YAML.
func jsonObjects(content []byte) ([]json.RawMessage, bool) {
	if !bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")) {
		return nil, false
	}
	var objects []json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(content))
	for {
		var object json.RawMessage
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return objects, true
		}
		if err != nil {
			return nil, false
		}
		objects = append(objects, object)
	}
}

// inUTF8 takes the mark away that tells how text is encoded. Where a shell writes UTF-16 into
// files, it is by this mark that one can tell.
func inUTF8(content []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(content, []byte{0xef, 0xbb, 0xbf}):
		return content[3:]
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return content
	}
	var units []uint16
	for i := 2; i+1 < len(content); i += 2 {
		units = append(units, order.Uint16(content[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

var lineNumber = regexp.MustCompile(`line \d+`)

// lineOf is all that is told of a parser's error, since it may quote a Secret.
func lineOf(err error) string {
	if line := lineNumber.FindString(err.Error()); line != "" {
		return " near " + line
	}
	return ""
}
