package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/coreos/ignition/v2/config/v3_5/types"
)

// document is a config as JSON, in which fields are found by their path.
type document struct {
	root any
}

func newDocument(config []byte) document {
	var d document
	// Whoever made it knows that it is valid.
	_ = json.Unmarshal(config, &d.root)
	return d
}

// describe writes a path for people: an item of a list is called by its path or name, as
// in storage.files[/etc/hosts].mode, else by its number.
func (d document) describe(path []any) string {
	var text strings.Builder
	value := d.root
	for _, step := range path {
		switch step := step.(type) {
		case int:
			list, _ := value.([]any)
			value = nil
			if step >= 0 && step < len(list) {
				value = list[step]
			}
			text.WriteString("[" + itemName(value, step) + "]")
		default:
			// Ignition has keys of a type of its own.
			key := fmt.Sprint(step)
			object, _ := value.(map[string]any)
			value = object[key]
			if text.Len() > 0 {
				text.WriteByte('.')
			}
			text.WriteString(shortText(key))
		}
	}
	return text.String()
}

func itemName(item any, index int) string {
	object, _ := item.(map[string]any)
	for _, key := range []string{"path", "name"} {
		if name, ok := object[key].(string); ok && name != "" {
			return shortText(name)
		}
	}
	return strconv.Itoa(index)
}

// wrongType tells which field of a config has a value of another type than its own, and of
// which it has to be; empty if none has. A decoder's own error may quote the value.
func wrongType(config []byte) string {
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(config, &types.Config{}); !errors.As(err, &mismatch) {
		return ""
	}
	path := pathAt(config, mismatch.Offset)
	if len(path) == 0 {
		return ""
	}
	kind, _, _ := strings.Cut(mismatch.Value, " ")
	text := newDocument(config).describe(path) + " is " + article(kind) + ", and has to be " + typeName(mismatch.Type)
	if path[len(path)-1] == "mode" {
		text += "; in JSON modes are decimal: 420 is 0644, 493 is 0755, 384 is 0600"
	}
	return text
}

func article(kind string) string {
	switch kind {
	case "bool":
		return "true or false"
	case "array", "object":
		return "an " + kind
	}
	return "a " + kind
}

func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}

// pathAt is the path of the value that a decoder was at when it had read so many bytes.
func pathAt(config []byte, offset int64) []any {
	decoder := json.NewDecoder(bytes.NewReader(config))
	decoder.UseNumber()
	path, _ := descend(decoder, offset, nil)
	return path
}

// descend reads one value. It tells whether the offset is reached within.
func descend(decoder *json.Decoder, offset int64, path []any) ([]any, bool) {
	token, err := decoder.Token()
	if err != nil || decoder.InputOffset() >= offset {
		return path, true
	}
	switch token {
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			if found, done := descend(decoder, offset, append(path, i)); done {
				return found, true
			}
		}
	case json.Delim('{'):
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return path, true
			}
			if found, done := descend(decoder, offset, append(path, key)); done {
				return found, true
			}
		}
	default:
		return path, false
	}
	// The end of the list or object.
	_, err = decoder.Token()
	return path, err != nil
}
