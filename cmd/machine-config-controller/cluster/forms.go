package cluster

import "strings"

// Forms of output.
const (
	Text = "text"
	Wide = "wide"
	YAML = "yaml"
	JSON = "json"
	Name = "name"
)

// Forms are those that every command has.
var Forms = []string{Text, YAML, JSON, Name}

// Quoted lists names for a message.
func Quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }
