package main

import (
	"fmt"
	"strings"
	"time"
)

const (
	indent  = "        "
	spinner = `|/-\`
)

// stepView is the step at work, as it is drawn. It has no clock and no terminal.
type stepView struct {
	number, total int
	title         string
	began         time.Time
	rows          []rowView
	note          string
	// told is when the step last said something.
	told time.Time
	// settled says that the headline is printed for good.
	settled bool
}

type rowView struct {
	key, text string
	since     time.Time
}

// setRow reports whether that is anything new.
func (v *stepView) setRow(key, text string, now time.Time) bool {
	for i := range v.rows {
		if v.rows[i].key != key {
			continue
		}
		if v.rows[i].text == text {
			return false
		}
		v.rows[i].text, v.rows[i].since = text, now
		return true
	}
	v.rows = append(v.rows, rowView{key: key, text: text, since: now})
	return true
}

func (v *stepView) headline() string {
	return fmt.Sprintf("[%2d/%d] %s", v.number, v.total, v.title)
}

// lines is the view on a terminal of so many columns. No line is longer than that: one that wraps could not be redrawn.
func (v *stepView) lines(now time.Time, columns int) []string {
	elapsed := now.Sub(v.began)
	turn := string(spinner[int(elapsed/redrawInterval)%len(spinner)])
	var lines []string
	if !v.settled {
		lines = append(lines, v.headline())
	}
	lines = append(lines, v.rowLines(now)...)
	state := indent + turn + " " + seconds(elapsed)
	if v.note != "" {
		state += "  " + v.note
	}
	lines = append(lines, state)
	for i := range lines {
		lines[i] = cut(lines[i], columns-1)
	}
	return lines
}

// rowLines are the rows, with how long each has been what it is unless now is zero.
func (v *stepView) rowLines(now time.Time) []string {
	width := 0
	for _, row := range v.rows {
		width = max(width, len(row.key))
	}
	var lines []string
	for _, row := range v.rows {
		age := ""
		if !now.IsZero() {
			age = fmt.Sprintf("  (%s)", seconds(now.Sub(row.since)))
		}
		lines = append(lines, fmt.Sprintf("%s%-*s  %s%s", indent, width, row.key, row.text, age))
	}
	return lines
}

// change is a row that is new, for where it cannot be redrawn.
func (v *stepView) change(key, text string, now time.Time) string {
	return fmt.Sprintf("%s%6s  %-6s  %s", indent, seconds(now.Sub(v.began)), key, text)
}

// alive is the sign of life of a step that has not said anything for long.
func (v *stepView) alive(now time.Time) string {
	line := fmt.Sprintf("%sstill at it after %s", indent, seconds(now.Sub(v.began)))
	if v.note != "" {
		line += ": " + cut(v.note, 100)
	}
	return line
}

// cut shortens a line to so many characters, and drops what would move the cursor.
func cut(line string, length int) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, line))
	if len(runes) <= length {
		return string(runes)
	}
	return string(runes[:max(length-3, 0)]) + "..."
}

// seconds is a duration for people.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	whole := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%d min %02d s", whole/60, whole%60)
}
