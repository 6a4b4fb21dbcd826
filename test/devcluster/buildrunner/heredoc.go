package buildrunner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	buildkitparser "github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/openshift/imagebuilder/dockerfile/command"
	"github.com/openshift/imagebuilder/dockerfile/parser"
)

const (
	// heredocContext is the name of the build context with the files that took the place of heredocs. It is a context of its own,
	// so that neither COPY . nor an ignore file of the build meets them.
	heredocContext = "buildrunner-heredocs"
	// heredocTarget is where RUN finds them. Right below /run a mount point does not stay in the image.
	heredocTarget = "/run/buildrunner-heredocs"
	heredocScript = "script"
)

// heredocFile is a file in that context.
type heredocFile struct {
	path string
	mode os.FileMode
	data string
}

// withoutHeredocs says the same as a Dockerfile without its heredocs, which buildah knows since 1.33. OpenShift's builder has a newer
// one since 4.14; distributions ship older ones, and what this does stands in for the difference. Instructions without a heredoc stay
// as they are, byte for byte.
//
// A newer buildah hands the shell either the body itself, or the command line with the bodies behind it. Here the same text is a file
// that the shell reads with its dot command, so that $0, exit and whatever SHELL says mean the same.
func withoutHeredocs(text []byte) ([]byte, []heredocFile, error) {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, nil, fmt.Errorf("could not parse Dockerfile: %w", err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	var result strings.Builder
	var files []heredocFile
	next := 0
	for _, node := range parsed.AST.Children {
		if len(node.Heredocs) == 0 {
			continue
		}
		instruction, more, err := withoutHeredoc(node, strconv.Itoa(node.StartLine))
		if err != nil {
			return nil, nil, fmt.Errorf("could not do without the heredoc in line %d of Dockerfile: %w", node.StartLine, err)
		}
		files = append(files, more...)
		result.WriteString(strings.Join(lines[next:node.StartLine-1], "") + instruction + "\n")
		next = node.EndLine
	}
	result.WriteString(strings.Join(lines[next:], ""))
	return []byte(result.String()), files, nil
}

// withoutHeredoc rewrites one instruction, whose files go into a directory of the context.
func withoutHeredoc(node *parser.Node, dir string) (string, []heredocFile, error) {
	switch strings.ToLower(node.Value) {
	case command.Run:
		return runHeredoc(node, dir)
	case command.Copy, command.Add:
		return copyHeredoc(node, dir)
	}
	return "", nil, fmt.Errorf("this build runner has no other way to say %s", strings.ToUpper(node.Value))
}

func runHeredoc(node *parser.Node, dir string) (string, []heredocFile, error) {
	line := node.Next.Value
	mount := fmt.Sprintf("--mount=type=bind,from=%s,source=/%s,target=%s", heredocContext, dir, heredocTarget)
	words := append([]string{"RUN"}, node.Flags...)
	words = append(words, mount)

	script := line
	if buildkitparser.MustParseHeredoc(line) == nil {
		for _, heredoc := range node.Heredocs {
			script += contentOf(heredoc) + "\n" + heredoc.Name
		}
	} else {
		script = contentOf(node.Heredocs[0])
		if program := strings.TrimPrefix(script, "\n"); strings.HasPrefix(program, "#!") {
			return strings.Join(append(words, heredocTarget+"/"+heredocScript), " "),
				[]heredocFile{{path: path.Join(dir, heredocScript), mode: 0o755, data: program + "\n"}}, nil
		}
	}
	return strings.Join(append(words, ".", heredocTarget+"/"+heredocScript), " "),
		[]heredocFile{{path: path.Join(dir, heredocScript), mode: 0o644, data: script + "\n"}}, nil
}

// copyHeredoc makes a COPY out of either instruction: to ADD a file that is there is to copy it.
func copyHeredoc(node *parser.Node, dir string) (string, []heredocFile, error) {
	words := append([]string{"COPY"}, node.Flags...)
	words = append(words, "--from="+heredocContext)
	var files []heredocFile
	arguments := 0
	for word := node.Next; word != nil; word = word.Next {
		arguments++
		if len(files) == len(node.Heredocs) || buildkitparser.MustParseHeredoc(word.Value) == nil {
			words = append(words, word.Value)
			continue
		}
		heredoc := node.Heredocs[len(files)]
		data := strings.TrimPrefix(contentOf(heredoc), "\n") + "\n"
		if heredoc.Expand && strings.Contains(data, "$") {
			return "", nil, fmt.Errorf("this build runner does not expand variables in the text of COPY and ADD: quote %s where it begins", heredoc.Name)
		}
		files = append(files, heredocFile{path: path.Join(dir, path.Base(heredoc.Name)), mode: 0o644, data: data})
		words = append(words, files[len(files)-1].path)
	}
	if len(files) != len(node.Heredocs) || arguments != len(files)+1 {
		return "", nil, errors.New("this build runner copies heredocs to one destination, and nothing else along with them")
	}
	return strings.Join(words, " "), files, nil
}

// contentOf is the text of a heredoc, which the parser begins with a line break and ends without one.
func contentOf(heredoc buildkitparser.Heredoc) string {
	if heredoc.Chomp {
		return buildkitparser.ChompHeredocContent(heredoc.Content)
	}
	return heredoc.Content
}

func writeHeredocs(dir string, files []heredocFile) error {
	for _, file := range files {
		name := filepath.Join(dir, filepath.FromSlash(file.path))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, []byte(file.data), file.mode)
		}
		if err == nil {
			// Whatever the umask of this process.
			err = os.Chmod(name, file.mode)
		}
		if err != nil {
			return fmt.Errorf("could not write what replaces a heredoc: %w", err)
		}
	}
	return nil
}
