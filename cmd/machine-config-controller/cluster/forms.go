package cluster

import "strings"

// Forms of output.
const (
	Text = "text"
	Wide = "wide"
	YAML = "yaml"
	JSON = "json"
)

// Forms are those that every command has.
var Forms = []string{Text, YAML, JSON}

// Quoted lists names for a message.
func Quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }
