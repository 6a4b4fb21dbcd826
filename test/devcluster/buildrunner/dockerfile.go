package buildrunner

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
)

// instruction is one logical line of a Dockerfile, continuations joined.
type instruction struct {
	name string
	rest string
}

// dockerfile is a Dockerfile as far as the builder looks into it.
type dockerfile struct {
	instructions []instruction
	// heredoc is set if an instruction lost the body of a heredoc in parsing.
	heredoc bool
}

var (
	escapeDirective = regexp.MustCompile("^#[ \t]*escape[ \t]*=[ \t]*([\\\\`])[ \t]*$")
	anyDirective    = regexp.MustCompile(`^#[ \t]*[a-zA-Z][a-zA-Z0-9]*[ \t]*=`)
	heredocWord     = regexp.MustCompile(`^[0-9]*<<(-?)([^<]+)$`)
)

// parseDockerfile reads a Dockerfile the way the builder's first step does: comments go, continuations are joined, and the body of a
// heredoc is skipped, which is the defect that makes heredocs unusable in inline Dockerfiles.
func parseDockerfile(text string) (*dockerfile, error) {
	parsed := &dockerfile{}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	escape := escapeOf(lines)
	for i := 0; i < len(lines); i++ {
		line := strings.TrimLeft(lines[i], " \t")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		logical := line
		for continues(logical, escape) {
			logical = strings.TrimSuffix(strings.TrimRight(logical, " \t"), escape)
			i++
			for i < len(lines) && skippedInContinuation(lines[i]) {
				i++
			}
			if i >= len(lines) {
				break
			}
			logical += lines[i]
		}
		next := splitInstruction(logical)
		if err := next.check(); err != nil {
			return nil, err
		}
		for _, end := range next.heredocs() {
			parsed.heredoc = true
			found := false
			for !found && i+1 < len(lines) {
				i++
				found = strings.TrimLeft(lines[i], "\t") == end
			}
			if !found {
				return nil, fmt.Errorf("could not parse Dockerfile: unterminated heredoc %q", end)
			}
		}
		parsed.instructions = append(parsed.instructions, next)
	}
	if len(parsed.instructions) == 0 {
		return nil, errors.New("could not parse Dockerfile: file with no instructions")
	}
	return parsed, nil
}

func splitInstruction(line string) instruction {
	line = strings.TrimSpace(line)
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		end = len(line)
	}
	return instruction{name: strings.ToUpper(line[:end]), rest: strings.TrimSpace(line[end:])}
}

// escapeOf finds the escape character, which a directive before everything else may set.
func escapeOf(lines []string) string {
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if match := escapeDirective.FindStringSubmatch(strings.ToLower(line)); match != nil {
			return match[1]
		}
		if !anyDirective.MatchString(line) {
			break
		}
	}
	return `\`
}

func continues(line, escape string) bool {
	return strings.HasSuffix(strings.TrimRight(line, " \t"), escape)
}

func skippedInContinuation(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || strings.HasPrefix(line, "#")
}

// check finds what the first step refuses; it is little, since that step does not know what instructions mean.
func (in instruction) check() error {
	switch in.name {
	case "ENV", "LABEL":
		if !strings.ContainsAny(in.rest, " =") {
			return fmt.Errorf("could not parse Dockerfile: %s must have two arguments", in.name)
		}
	case "FROM", "RUN", "COPY", "ADD":
		if in.rest == "" {
			return fmt.Errorf("could not parse Dockerfile: %s requires at least one argument", in.name)
		}
	}
	return nil
}

// heredocs gives the words that end the heredocs of an instruction.
func (in instruction) heredocs() []string {
	if in.name != "RUN" && in.name != "COPY" && in.name != "ADD" {
		return nil
	}
	var ends []string
	quote := rune(0)
	words := strings.FieldsFunc(in.rest, func(r rune) bool {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			return false
		case r == '\'' || r == '"':
			quote = r
			return false
		default:
			return r == ' ' || r == '\t'
		}
	})
	for _, word := range words {
		if match := heredocWord.FindStringSubmatch(word); match != nil {
			ends = append(ends, strings.Trim(match[2], `"'`))
		}
	}
	return ends
}

// rewriteDockerfile applies the strategy and the output of a Build to its Dockerfile.
func rewriteDockerfile(parsed *dockerfile, build *buildv1.Build) {
	strategy := build.Spec.Strategy.DockerStrategy
	if strategy.From != nil && strategy.From.Kind == "DockerImage" {
		replaceLastFrom(parsed, strategy.From.Name)
	}
	if len(strategy.Env) > 0 {
		var withEnv []instruction
		for _, in := range parsed.instructions {
			withEnv = append(withEnv, in)
			if in.name == "FROM" {
				withEnv = append(withEnv, instruction{name: "ENV", rest: keyValues(envPairs(strategy.Env))})
			}
		}
		parsed.instructions = withEnv
	}
	labels := [][2]string{{"io.openshift.build.name", build.Name}, {"io.openshift.build.namespace", build.Namespace}}
	for _, label := range build.Spec.Output.ImageLabels {
		// After the automatic ones, so that the user's value wins.
		labels = append(labels, [2]string{label.Name, label.Value})
	}
	parsed.instructions = append(parsed.instructions,
		instruction{name: "ENV", rest: keyValues([][2]string{
			{"OPENSHIFT_BUILD_NAME", build.Name}, {"OPENSHIFT_BUILD_NAMESPACE", build.Namespace},
		})},
		instruction{name: "LABEL", rest: keyValues(labels)})
}

func envPairs(env []corev1.EnvVar) [][2]string {
	pairs := make([][2]string, 0, len(env))
	for _, variable := range env {
		pairs = append(pairs, [2]string{variable.Name, variable.Value})
	}
	return pairs
}

// replaceLastFrom changes the image of the last stage only and keeps its flags and alias.
func replaceLastFrom(parsed *dockerfile, image string) {
	for i := len(parsed.instructions) - 1; i >= 0; i-- {
		in := &parsed.instructions[i]
		if in.name != "FROM" {
			continue
		}
		words := strings.Fields(in.rest)
		for w := range words {
			if !strings.HasPrefix(words[w], "--") {
				words[w] = image
				break
			}
		}
		in.rest = strings.Join(words, " ")
		return
	}
}

// String renders the Dockerfile, one instruction per line.
func (d *dockerfile) String() string {
	var text strings.Builder
	for _, in := range d.instructions {
		text.WriteString(strings.TrimRight(in.name+" "+in.rest, " ") + "\n")
	}
	return text.String()
}

// keyValues renders pairs so that neither quotes, backslashes nor variables in a value mean anything.
func keyValues(pairs [][2]string) string {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\`+"\n")
	words := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		words = append(words, fmt.Sprintf(`"%s"="%s"`, quote.Replace(pair[0]), quote.Replace(pair[1])))
	}
	return strings.Join(words, " ")
}
