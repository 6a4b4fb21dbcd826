package containerfile

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Heredoc is a text that follows an instruction.
type Heredoc struct {
	// Name ends it.
	Name string
	// Quoted tells that nothing in it is replaced.
	Quoted bool
	// Content is its lines, each with its end.
	Content string
	// Start and End are the place of the word that begins it, in the text of the instruction.
	Start, End int
	// lines is how many lines it takes, with the one that ends it.
	lines int
}

var (
	// heredocWord is a word that builders take for the beginning of a heredoc.
	heredocWord = regexp.MustCompile(`^\d*<<(-?)([^<]*)$`)
	// mayBegin finds, without a look at quotes and variables, where a heredoc may begin.
	mayBegin = regexp.MustCompile(`\s\d*<<-?[^<\s]`)
	// heredocName is a name that all builders, and shells, read in the same way.
	heredocName = regexp.MustCompile(`^(?:([A-Za-z0-9_.][A-Za-z0-9_.-]*)|'([A-Za-z0-9_.][A-Za-z0-9_.-]*)'|"([A-Za-z0-9_.][A-Za-z0-9_.-]*)")$`)
)

// Reasons why a text with << is refused, with the way out.
const (
	reasonBlank      = "has a blank behind <<, where builders see no heredoc and take its lines for instructions; write the name right behind it, as in <<EOF"
	reasonGlued      = "has something right before <<, where builders see no heredoc and take its lines for instructions; write a blank before it, as in cat <<EOF"
	reasonName       = "has a heredoc whose name not all builders read in the same way; use letters and digits, with a blank behind them, as in <<EOF or <<'EOF'"
	reasonArithmetic = "has << in a calculation, where builders see a heredoc; write a blank behind it"
	reasonVariable   = "has a variable on the line of a heredoc that not all builders read in the same way; use the variable in another instruction, or no more of it than $NAME, ${NAME} or ${NAME:-value}"
	reasonEnd        = "a heredoc has no end: no line below has its name and nothing else"
	reasonTrigger    = "puts a heredoc off, whose text builders lose; do without ONBUILD or without the heredoc"
)

// readHeredocs finds the heredocs of an instruction, and their lines below it.
func (i *Instruction) readHeredocs(below []string) string {
	where := i
	if i.Trigger != nil {
		where = i.Trigger
	}
	if where.Name != "run" && where.Name != "copy" && where.Name != "add" || where.JSON {
		return ""
	}
	if reason := i.findHeredocs(); reason != "" {
		return reason
	}
	if len(i.Heredocs) > 0 && i.Trigger != nil {
		return reasonTrigger
	}
	for n := range i.Heredocs {
		if below = i.Heredocs[n].take(below); below == nil {
			return reasonEnd
		}
	}
	return ""
}

// findHeredocs finds where heredocs begin.
func (i *Instruction) findHeredocs() string {
	spans, alike, ok := shellWords(i.Text)
	switch {
	case !alike && mayBegin.MatchString(i.Text):
		return reasonVariable
	case !ok:
		spans = nil
	}
	shell := scanShell(i.Text)
	for _, span := range spans {
		heredoc, reason := heredocAt(i.Text, span)
		if reason != "" {
			return reason
		}
		if heredoc == nil {
			continue
		}
		if shell.calculates[heredoc.Start+strings.Index(i.Text[heredoc.Start:], "<<")] {
			return reasonArithmetic
		}
		i.Heredocs = append(i.Heredocs, *heredoc)
	}
	return i.unseen(shell)
}

// Alike tells that all builders which replace variables in the text of the heredoc do it in
// the same way, and can.
func (h *Heredoc) Alike() bool {
	_, alike, ok := shellWords(h.Content)
	return h.Quoted || alike && ok
}

// heredocAt reads a word; nil for one that begins no heredoc.
func heredocAt(text string, s span) (*Heredoc, string) {
	match := heredocWord.FindStringSubmatch(text[s.start:s.end])
	if match == nil || match[2] == "" {
		return nil, ""
	}
	name := heredocName.FindStringSubmatch(match[2])
	if name == nil {
		return nil, reasonName
	}
	return &Heredoc{
		Name: name[1] + name[2] + name[3], Quoted: name[1] == "", Start: s.start, End: s.end,
		// Until its lines are read, only whether tabs before them count.
		lines: len(match[1]),
	}, ""
}

// take takes the lines of the heredoc, and returns those behind; nil if it has no end.
func (h *Heredoc) take(below []string) []string {
	tabs := h.lines > 0
	var content strings.Builder
	for n, text := range below {
		text = strings.TrimSuffix(text, "\r")
		if tabs {
			text = strings.TrimLeft(text, "\t")
		}
		if text == h.Name {
			h.Content, h.lines = content.String(), n+1
			return below[n+1:]
		}
		content.WriteString(text + "\n")
	}
	return nil
}

// unseen looks for what is a heredoc to a shell and not to builders.
func (i *Instruction) unseen(shell shellScan) string {
	for _, start := range shell.heredocs {
		seen := false
		for _, heredoc := range i.Heredocs {
			seen = seen || start >= heredoc.Start && start < heredoc.End
		}
		switch behind := strings.TrimPrefix(i.Text[start+2:], "-"); {
		case seen:
		case behind == "" || strings.ContainsRune(blanks, rune(behind[0])):
			return reasonBlank
		default:
			return reasonGlued
		}
	}
	return ""
}

// span is the place of a word.
type span struct{ start, end int }

// lexer splits a line into words as builders do when they look for heredocs: at blanks
// that are neither quoted nor escaped.
type lexer struct {
	text  string
	pos   int
	spans []span
	word  int
	// alike tells that all builders split in the same way so far.
	alike bool
}

// shellWords splits a text. It is not ok for one in which builders find no words at all,
// since they cannot read it.
func shellWords(text string) (spans []span, alike, ok bool) {
	l := &lexer{text: text, word: -1, alike: true}
	ok = l.until(0)
	l.endWord()
	return l.spans, l.alike, ok
}

func (l *lexer) inWord() {
	if l.word < 0 {
		l.word = l.pos
	}
}

func (l *lexer) endWord() {
	if l.word >= 0 {
		l.spans = append(l.spans, span{l.word, l.pos})
		l.word = -1
	}
}

// until reads up to a character, or the end of everything for 0. Only there are words.
func (l *lexer) until(stop byte) bool {
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		if stop == 0 && unicode.IsSpace(r) {
			l.endWord()
			l.pos += size
			continue
		}
		l.inWord()
		ok := true
		switch {
		case stop != 0 && c == stop:
			l.pos++
			return true
		case c == '\'':
			ok = l.single()
		case c == '"':
			ok = l.double()
		case c == '$':
			ok = l.dollar(stop == 0)
		case c == '\\':
			l.escape()
		default:
			l.pos += size
		}
		if !ok {
			return false
		}
	}
	return stop == 0
}

func (l *lexer) escape() {
	l.pos++
	_, size := utf8.DecodeRuneInString(l.text[l.pos:])
	l.pos += size
}

func (l *lexer) single() bool {
	end := strings.IndexByte(l.text[l.pos+1:], '\'')
	l.pos += end + 2
	return end >= 0
}

func (l *lexer) double() bool {
	for l.pos++; l.pos < len(l.text); {
		switch c := l.text[l.pos]; {
		case c == '"':
			l.pos++
			return true
		case c == '$':
			if !l.dollar(false) {
				return false
			}
		case c == '\\' && l.pos+1 < len(l.text) && strings.IndexByte("\"$\\", l.text[l.pos+1]) >= 0:
			l.pos += 2
		default:
			l.pos++
		}
	}
	return false
}

// dollar reads a variable, which splits the word at its blanks unless it is quoted.
func (l *lexer) dollar(splits bool) bool {
	l.pos++
	if strings.HasPrefix(l.text[l.pos:], "$") {
		l.pos++
		return true
	}
	if !strings.HasPrefix(l.text[l.pos:], "{") {
		return true
	}
	start := l.pos - 1
	l.pos++
	inner := &lexer{text: l.text, pos: l.pos, word: l.word, alike: true}
	ok := inner.braces()
	l.alike = l.alike && inner.alike
	if !ok {
		return false
	}
	if splits {
		for at := start; at < inner.pos; {
			r, size := utf8.DecodeRuneInString(l.text[at:])
			l.pos = at
			if unicode.IsSpace(r) {
				l.endWord()
			} else {
				l.inWord()
			}
			at += size
		}
	}
	l.pos = inner.pos
	return true
}

// braces reads what is behind ${. What only some builders know makes a difference.
func (l *lexer) braces() bool {
	start := l.pos
	for l.pos < len(l.text) && (l.text[l.pos] == '_' || isWord(l.text[l.pos:])) {
		_, size := utf8.DecodeRuneInString(l.text[l.pos:])
		l.pos += size
	}
	if l.pos == len(l.text) {
		return false
	}
	named := l.pos > start
	if named && l.text[l.pos] == '}' {
		l.pos++
		return true
	}
	start = l.pos
	ok := named && l.modifier() && l.until('}')
	// Builders differ in how they split such a value, and in what a backslash in it means.
	inner := l.text[start:min(l.pos, len(l.text))]
	l.alike = ok && l.alike && !strings.Contains(inner, "<<") && !strings.Contains(inner, `\`)
	return ok
}

// modifier reads how a value is changed, if all builders know it.
func (l *lexer) modifier() bool {
	if l.text[l.pos] == ':' {
		l.pos += 2
		return l.pos <= len(l.text) && l.text[l.pos-1] != '#' && l.text[l.pos-1] != '%'
	}
	l.pos++
	return strings.IndexByte("+-?", l.text[l.pos-1]) >= 0
}

func isWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}
