package inputs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

const (
	// CustomConfigMapName is the ConfigMap, in the operator's namespace, with
	// Containerfile text of administrators: one key per pool, named like it.
	CustomConfigMapName = "machine-os-builder-custom-containerfile"

	// MaxCustomBytes bounds the text for one pool (512 KiB). Together with ours it
	// has to fit into one Secret next to nothing else.
	MaxCustomBytes = 512 << 10
)

// Names of the build stages of ours. Custom content builds on stageResult, the
// name that administrators of on-cluster layering know, and can refer to no other.
const (
	stageBase       = "machine-os-base"
	stageInputs     = "inputs"
	stageExtensions = "extensions"
	stageResult     = "configs"

	// reservedPrefix is that of names which only stages of ours have.
	reservedPrefix = "machine-os-"
)

// Custom is checked Containerfile text that runs on top of our result. The zero
// value means none.
type Custom struct {
	text string
	// head is what of it comes before everything else in the Containerfile, and body what
	// runs on top of our result. What they refer to is written out in them.
	head, body   string
	instructions int
	heredoc      bool
	hash         string
	// place is where the text is written.
	place Place
}

// Any tells whether there is custom content.
func (c Custom) Any() bool { return c.text != "" }

// Text is the checked text as it was written, with line ends of one kind.
func (c Custom) Text() string { return c.text }

// CustomObject is how messages name the ConfigMap with custom content.
const CustomObject = "ConfigMap " + CustomConfigMapName

// ParseCustom checks the text for a pool. Text without any instruction is none.
// The problem names the pool's key, the line and the reason.
func ParseCustom(pool, text string) (Custom, *Problem) {
	return parseCustom(Place{Object: CustomObject, Key: pool}, text)
}

// Place is where the text is written.
func (c Custom) Place() string { return c.place.String() }

func parseCustom(place Place, text string) (Custom, *Problem) {
	problem := func(line int, format string, args ...any) *Problem {
		message := fmt.Sprintf(format, args...)
		if line > 0 {
			message = fmt.Sprintf("line %d: %s", line, message)
		}
		p := place.problem(message)
		return &p
	}

	switch {
	case len(text) > MaxCustomBytes:
		return Custom{}, problem(0, "has %d bytes; at most %d can be built", len(text), MaxCustomBytes)
	case !utf8.ValidString(text):
		return Custom{}, problem(0, "is not valid UTF-8 text")
	case strings.ContainsRune(text, 0):
		return Custom{}, problem(1+strings.Count(text[:strings.IndexByte(text, 0)], "\n"), "has a NUL character")
	}
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	if at := strings.IndexByte(text, '\r'); at >= 0 {
		return Custom{}, problem(1+strings.Count(text[:at], "\n"), "has a carriage return that ends no line; remove it")
	}
	if hasNoInstructions(text) {
		return Custom{}, nil
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	file, ahead, err := parseOnTop(text)
	if err != nil {
		return Custom{}, problem(err.Line, "%s", err.Reason)
	}
	check := newCustomCheck(file)
	if line, reason := check.run(); reason != "" {
		return Custom{}, problem(line-ahead, "%s", reason)
	}
	custom := Custom{text: text, head: check.head(), body: check.body(), instructions: len(file.Instructions), heredoc: check.heredoc, place: place}
	custom.hash = hashOf(custom.head, custom.body)
	if place.Object != CustomObject {
		// The Containerfile says where its text is from.
		custom.hash = hashOf(custom.head, custom.body, place.String())
	}
	return custom, nil
}

// parseOnTop reads the text. One without any FROM goes on top of our result, as with the
// operator's own builder; ahead is how many lines that puts before the first of the text.
func parseOnTop(text string) (file *containerfile.File, ahead int, err *containerfile.Error) {
	if file, err = containerfile.Parse(text); err != nil || len(file.Stages()) > 0 {
		return file, 0, err
	}
	// What can be wrong with it was found just now, in lines as they were written.
	file, err = containerfile.Parse("FROM " + stageResult + " AS final\n" + text)
	return file, 1, err
}

func hasNoInstructions(text string) bool {
	for line := range strings.Lines(text) {
		if !containerfile.Blank(line) {
			return false
		}
	}
	return true
}
