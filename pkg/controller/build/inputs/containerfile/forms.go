package containerfile

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// forms are what stands behind the instructions and their flags. Each returns what is wrong
// with it, and quotes nothing of it: the text may hold what must not be in a condition.
var forms map[string]func(*Instruction, string) string

func init() {
	forms = map[string]func(*Instruction, string) string{
		"add": words, "arg": assignments, "cmd": command, "copy": words, "entrypoint": command, "env": pairs, "expose": list,
		"from": list, "healthcheck": healthcheck, "label": pairs, "maintainer": line, "onbuild": onbuild, "run": command,
		"shell": command, "stopsignal": line, "user": line, "volume": words, "workdir": line,
	}
}

func quote(text string) string {
	if len(text) > 40 {
		text = text[:40] + "…"
	}
	return strconv.Quote(strings.ToUpper(text))
}

func line(i *Instruction, rest string) string {
	if rest != "" {
		i.Args = []string{rest}
	}
	return ""
}

func list(i *Instruction, rest string) string {
	i.Args = strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(blanks, r) })
	return ""
}

func command(i *Instruction, rest string) string {
	if reason := i.array(rest); reason != "" || i.JSON {
		return reason
	}
	return line(i, rest)
}

func words(i *Instruction, rest string) string {
	if reason := i.array(rest); reason != "" || i.JSON {
		return reason
	}
	return list(i, rest)
}

// array reads an array of texts. Whatever is no array is in another form: a shell's test
// begins with a bracket, too.
func (i *Instruction) array(rest string) string {
	if !strings.HasPrefix(rest, "[") {
		return ""
	}
	var values []any
	decoder := json.NewDecoder(strings.NewReader(rest))
	if decoder.Decode(&values) != nil {
		return ""
	}
	for _, value := range values {
		text, ok := value.(string)
		if !ok {
			return "has a JSON form that is not an array of texts"
		}
		i.Args = append(i.Args, text)
	}
	if strings.TrimSpace(rest[decoder.InputOffset():]) != "" {
		return "has something behind the JSON form, which builders leave out; remove it"
	}
	i.JSON = true
	return ""
}

func healthcheck(i *Instruction, rest string) string {
	kind, rest, _ := strings.Cut(strings.Map(spaceOf, rest), " ")
	if kind == "" {
		return ""
	}
	reason := command(i, strings.TrimSpace(rest))
	i.Args = append([]string{kind}, i.Args...)
	return reason
}

func spaceOf(r rune) rune {
	if unicode.IsSpace(r) {
		return ' '
	}
	return r
}

func onbuild(i *Instruction, rest string) string {
	if rest == "" {
		return ""
	}
	trigger, reason := read(rest)
	i.Trigger, i.Args = &trigger, []string{rest}
	return reason
}

func assignments(i *Instruction, rest string) string {
	i.Args = quotedWords(rest)
	return ""
}

// pairs reads name=value name=value, or the old form name value.
func pairs(i *Instruction, rest string) string {
	i.Args = quotedWords(rest)
	if len(i.Args) == 0 {
		return ""
	}
	if !strings.Contains(i.Args[0], "=") {
		at := strings.IndexAny(rest, blanks)
		if at < 0 {
			return "needs a name and a value"
		}
		i.Args = []string{rest[:at] + "=" + strings.TrimLeft(rest[at:], blanks)}
		return ""
	}
	for _, word := range i.Args {
		if !strings.Contains(word, "=") {
			return "needs values of the form name=value"
		}
	}
	return ""
}

// quotedWords splits at spaces outside of quotes, which it keeps.
func quotedWords(rest string) []string {
	var result []string
	var word strings.Builder
	quoted := rune(0)
	escaped := false
	for _, r := range rest {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quoted != '\'':
			escaped = true
		case quoted == 0 && unicode.IsSpace(r):
			if word.Len() > 0 {
				result = append(result, word.String())
				word.Reset()
			}
			continue
		case quoted == 0 && (r == '\'' || r == '"'):
			quoted = r
		case r == quoted:
			quoted = 0
		}
		word.WriteRune(r)
	}
	if word.Len() > 0 {
		result = append(result, word.String())
	}
	return result
}
