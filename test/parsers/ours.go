// Package parsers compares the controller's reading of Containerfiles with that of the
// builders. It is a module of its own, with two module files: go.mod has the parser of the
// newest builder that is supported, OpenShift 4.22, and oldest.mod that of the oldest, 4.14.
package parsers

import (
	"strconv"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// reading is what a Containerfile says.
type reading struct {
	Instructions []instruction
	Stages       []stage
}

type instruction struct {
	Name     string
	Line     int
	Flags    []string
	Args     []string
	Heredocs []heredoc
}

type heredoc struct {
	Name, Content string
	Quoted        bool
}

type stage struct{ Name, Base string }

// ours is the controller's reading.
func ours(text string) (*reading, *containerfile.Error) {
	file, err := containerfile.Parse(text)
	if err != nil {
		return nil, err
	}
	result := &reading{}
	for n := range file.Instructions {
		result.Instructions = append(result.Instructions, inTheirTerms(&file.Instructions[n]))
	}
	for n, s := range file.Stages() {
		name := s.Name
		if name == "" {
			// Builders call it by its number.
			name = strconv.Itoa(n)
		}
		result.Stages = append(result.Stages, stage{Name: name, Base: s.Base})
	}
	return result, nil
}

// inTheirTerms is an instruction as parsers have it.
func inTheirTerms(i *containerfile.Instruction) instruction {
	result := instruction{Name: i.Name, Line: i.Line, Args: i.Args}
	for _, flag := range i.Flags {
		word := "--" + flag.Name
		if flag.Given {
			word += "=" + flag.Value
		}
		result.Flags = append(result.Flags, word)
	}
	switch {
	case i.Trigger != nil:
		trigger := inTheirTerms(i.Trigger)
		result.Args = append(append([]string{trigger.Name}, trigger.Flags...), trigger.Args...)
	case i.Name == "env" || i.Name == "label":
		result.Args = nil
		for _, pair := range i.Args {
			name, value, _ := strings.Cut(pair, "=")
			result.Args = append(result.Args, name, value)
		}
	}
	if len(result.Args) == 0 {
		result.Args = nil
	}
	for _, h := range i.Heredocs {
		result.Heredocs = append(result.Heredocs, heredoc{Name: h.Name, Content: h.Content, Quoted: h.Quoted})
	}
	return result
}
