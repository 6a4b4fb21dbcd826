package inputs

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// pemBlock is what begins in a text like a block of PEM.
type pemBlock struct {
	// number counts the blocks of the text from 1; line is that of its beginning.
	number, line int
	label        string
	content      []byte
	// problem is why it cannot be read; empty if it can.
	problem string
}

// pemLine finds whatever looks like the first or the last line of a block, wherever it
// stands: files that were joined have it in the middle of a line, and programs that mean
// well turn its hyphens into dashes.
var pemLine = regexp.MustCompile(`([-\x{2010}-\x{2015}\x{2212}]+)[ \t]*((?i:BEGIN|END))([A-Za-z0-9 \t]*)|(?m:^[ \t]*)(BEGIN|END)([A-Z0-9 \t]*)(?m:$)`)

// pemLineExact is how it has to be, from the word on.
var pemLineExact = regexp.MustCompile(`^(?:BEGIN|END) ([^-\n]*)-----`)

// pemMarker is a line that was found.
type pemMarker struct {
	// start and end are those of the line's text, line is its number.
	start, end, line int
	begins           bool
	label            string
	// damaged tells that it is not written as it has to be.
	damaged bool
}

// blocksOf finds the blocks of a text. What has a beginning and no end, an end and no
// beginning, or either of them damaged, is a block with a problem.
func blocksOf(text string) []pemBlock {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var blocks []pemBlock
	add := func(at *pemMarker) *pemBlock {
		blocks = append(blocks, pemBlock{number: len(blocks) + 1, line: at.line, label: at.label})
		return &blocks[len(blocks)-1]
	}
	markers := markersOf(text)
	for i := 0; i < len(markers); i++ {
		m := &markers[i]
		block := add(m)
		switch {
		case m.damaged:
			block.problem = "has a damaged first line; it has to be -----BEGIN CERTIFICATE-----, with five hyphens on either side"
			if !m.begins {
				block.problem = "has an END line without a BEGIN line before it"
			}
			// The end of what begins in another way belongs to it.
			if m.begins && i+1 < len(markers) && !markers[i+1].begins {
				i++
			}
		case !m.begins:
			block.problem = "has an END line without a BEGIN line before it"
		case i+1 == len(markers):
			block.problem = "has no END line: the bundle ends before it"
		case markers[i+1].begins:
			block.problem = fmt.Sprintf("has no END line before the next block begins, in line %d", markers[i+1].line)
		default:
			i++
			block.end(text, m, &markers[i])
		}
	}
	return blocks
}

// end reads the block between two markers.
func (b *pemBlock) end(text string, begin, end *pemMarker) {
	switch {
	case end.damaged:
		b.problem = fmt.Sprintf("has a damaged last line, line %d; it has to be -----END CERTIFICATE-----, with five hyphens on either side", end.line)
	case end.label != begin.label:
		b.problem = fmt.Sprintf("ends as something else in line %d", end.line)
	default:
		b.content, b.problem = decodeBlock(text[begin.end:end.start], begin.line)
	}
}

// markersOf finds the first and last lines of blocks that are not commented out.
func markersOf(text string) []pemMarker {
	var markers []pemMarker
	lines, last := newLineCounter(text), 0
	for _, at := range pemLine.FindAllStringSubmatchIndex(text, -1) {
		hyphens, word, behind := "", at[8], at[10]
		if word < 0 {
			hyphens, word, behind = text[at[2]:at[3]], at[4], at[6]
		}
		if word < last {
			continue
		}
		lines.goTo(word)
		if lines.isCommentedOut(word) {
			continue
		}
		m := pemMarker{start: max(at[0], last), end: at[1], line: lines.number, begins: strings.ContainsRune("Bb", rune(text[word]))}
		exact := pemLineExact.FindStringSubmatch(text[word:])
		if exact != nil && strings.HasSuffix(text[last:word], "-----") {
			m.start, m.end, m.label = word-5, word+len(exact[0]), strings.TrimSpace(exact[1])
		} else if m.damaged = true; !isDamaged(hyphens, text[word:at[1]], text[behind:at[1]]) {
			continue
		}
		last = m.end
		markers = append(markers, m)
	}
	return markers
}

var pemLabel = regexp.MustCompile(`(?i)CERT|\bKEY\b|\bCRL\b|PKCS`)

// isDamaged tells the first or last line of a block, in which something is wrong, from
// prose. The text begins with the word BEGIN or END.
func isDamaged(hyphens, text, label string) bool {
	shouted := strings.HasPrefix(text, "BEGIN") || strings.HasPrefix(text, "END")
	if label != "" && 'a' <= label[0] && label[0] <= 'z' {
		// A longer word that begins so.
		return false
	}
	switch {
	case shouted && strings.HasSuffix(hyphens, "-----"):
		return true
	case !pemLabel.MatchString(label):
		return false
	}
	return shouted || len([]rune(hyphens)) > 1
}

// lineCounter goes through the lines of a text.
type lineCounter struct {
	text string
	// place is how far it is, in the line of that number, which begins at start.
	place, number, start int
	// commented tells that the line and the next one begin with a #.
	commented bool
}

func newLineCounter(text string) *lineCounter {
	l := &lineCounter{text: text, number: 1}
	l.look()
	return l
}

// goTo goes on to a place, which is never before the last one.
func (l *lineCounter) goTo(place int) {
	between := l.text[l.place:place]
	at := strings.LastIndexByte(between, '\n')
	if at >= 0 {
		l.number += strings.Count(between, "\n")
		l.start = l.place + at + 1
		l.look()
	}
	l.place = place
}

func (l *lineCounter) look() {
	line, after, _ := strings.Cut(l.text[l.start:], "\n")
	isComment := func(text string) bool { return strings.HasPrefix(strings.TrimLeft(text, " \t"), "#") }
	l.commented = isComment(line) && isComment(after)
}

// isCommentedOut tells whether somebody put a # in front of the lines of the block that
// the word in the present line begins or ends. A comment that lost its line break to the
// block after it is none.
func (l *lineCounter) isCommentedOut(word int) bool {
	if l.commented || l.text[word] != 'E' {
		return l.commented
	}
	return strings.HasPrefix(strings.TrimLeft(l.text[l.start:word], " \t"), "#")
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// decodeBlock decodes what is between the first and the last line of a block; line is the
// number of the first one. Attributes before the content are no part of it.
func decodeBlock(body string, line int) (content []byte, problem string) {
	var encoded strings.Builder
	for i, text := range strings.Split(body, "\n") {
		text = strings.Join(strings.Fields(text), "")
		if encoded.Len() == 0 && i > 0 && strings.Contains(text, ":") {
			continue
		}
		if encoded.Len() > 0 && strings.HasSuffix(encoded.String(), "=") && strings.Trim(text, "=") != "" {
			return nil, fmt.Sprintf("has more in line %d, after the end of its content", line+i)
		}
		if at := strings.IndexFunc(strings.TrimRight(text, "="), func(r rune) bool { return !strings.ContainsRune(base64Alphabet, r) }); at >= 0 {
			if strings.Contains(text, `\n`) {
				return nil, fmt.Sprintf(`has \n written out in line %d, where lines have to end`, line+i)
			}
			return nil, fmt.Sprintf("has a character in line %d that is not base64", line+i)
		}
		encoded.WriteString(text)
	}
	content, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded.String(), "="))
	switch {
	case err != nil:
		return nil, "is not valid base64: characters are missing or too many"
	case len(content) == 0:
		return nil, "is empty"
	}
	return content, ""
}
