package parsers

import (
	"fmt"
	"strings"

	"github.com/openshift/imagebuilder"
	"github.com/openshift/imagebuilder/dockerfile/parser"
)

// parse is the reading of the builder whose parser this module is built with, without stages.
func parse(text string) (*reading, *parser.Node, error) {
	node, err := imagebuilder.ParseDockerfile(strings.NewReader(text))
	if err != nil {
		return nil, nil, fmt.Errorf("could not parse Containerfile: %w", err)
	}
	result := &reading{}
	for _, child := range node.Children {
		result.Instructions = append(result.Instructions, instructionOf(child))
	}
	return result, node, nil
}

// theirs is the reading with its stages, and with what those are made from.
func theirs(text string) (*reading, error) {
	result, node, err := parse(text)
	if err != nil {
		return nil, err
	}
	stages, err := imagebuilder.NewStages(node, imagebuilder.NewBuilder(map[string]string{}))
	if err != nil {
		return nil, fmt.Errorf("could not find stages: %w", err)
	}
	for _, s := range stages {
		base, err := s.Builder.From(s.Node)
		if err != nil {
			return nil, fmt.Errorf("could not find what stage %s is made from: %w", s.Name, err)
		}
		result.Stages = append(result.Stages, stage{Name: s.Name, Base: base})
	}
	return result, nil
}

func instructionOf(node *parser.Node) instruction {
	i := instruction{Name: node.Value, Line: node.StartLine}
	if len(node.Flags) > 0 {
		i.Flags = node.Flags
	}
	for next := node.Next; next != nil; next = next.Next {
		if len(next.Children) > 0 {
			// What ONBUILD puts off.
			trigger := instructionOf(next.Children[0])
			i.Args = append(i.Args, trigger.Name)
			i.Args = append(append(i.Args, trigger.Flags...), trigger.Args...)
			continue
		}
		i.Args = append(i.Args, next.Value)
	}
	for _, h := range node.Heredocs {
		// The parser begins the text with a line break, and ends it without one.
		content := strings.TrimPrefix(h.Content+"\n", "\n")
		if h.Chomp {
			content = withoutTabs(content)
		}
		i.Heredocs = append(i.Heredocs, heredoc{Name: h.Name, Content: content, Quoted: !h.Expand})
	}
	return i
}

func withoutTabs(content string) string {
	var result strings.Builder
	for line := range strings.Lines(content) {
		result.WriteString(strings.TrimLeft(line, "\t"))
	}
	return result.String()
}
