package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	redrawInterval = 100 * time.Millisecond
	// aliveInterval is how often a step that takes long says something where lines cannot be redrawn.
	aliveInterval = 30 * time.Second
)

// display tells the story as it happens. On a terminal, the step at work is redrawn in place below what is settled; elsewhere,
// for instance in the log of a CI system, each change is a line.
type display struct {
	out io.Writer
	// columns gives the width of the terminal; nil where there is none.
	columns func() int

	mu sync.Mutex
	// view is the step at work, nil between steps.
	view *stepView
	// drawn is how many lines of the view are on the terminal, below what is settled.
	drawn int
	// stopTicking ends the redrawing of the step at work.
	stopTicking func()
}

// newDisplay looks at where the output goes.
func newDisplay(out *os.File) *display {
	d := &display{out: out}
	fd := int(out.Fd())
	if term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" {
		d.columns = func() int {
			width, _, err := term.GetSize(fd)
			if err != nil || width < 20 {
				return 80
			}
			return width
		}
	}
	return d
}

func (d *display) live() bool { return d.columns != nil }

// begin opens a step.
func (d *display) begin(number, total int, title string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.view = &stepView{number: number, total: total, title: title, began: now, told: now}
	if !d.live() {
		d.settle(d.view.headline())
	}
	d.draw()
	d.startTicking()
}

// end closes the step, with what became of it. What its rows said last stays.
func (d *display) end(outcome string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view == nil {
		return
	}
	d.stopTicking()
	d.erase()
	if d.live() {
		d.settleRows()
	}
	d.settle(indent + outcome + " " + seconds(time.Since(d.view.began)))
	d.view = nil
}

// row sets what is said about one of several things that go on in the step.
func (d *display) row(key, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view == nil || !d.view.setRow(key, text, time.Now()) {
		return
	}
	if !d.live() {
		d.view.told = time.Now()
		d.settle(d.view.change(key, text, d.view.told))
		return
	}
	d.redraw()
}

// note sets what a tool at work has printed last, which is of interest only while it lasts.
func (d *display) note(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view != nil {
		// The next tick draws it: tools can print much faster than anybody reads.
		d.view.note = text
	}
}

// say adds a line to the step that stays.
func (d *display) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
	if d.live() && d.view != nil {
		d.settleRows()
	}
	d.settle(indent + fmt.Sprintf(format, args...))
	d.draw()
}

// line adds a line outside of any step.
func (d *display) line(format string, args ...any) {
	d.text(fmt.Sprintf(format, args...) + "\n")
}

// text adds lines outside of any step.
func (d *display) text(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
	d.settle(strings.TrimSuffix(text, "\n"))
	d.draw()
}

// settleRows prints for good what is drawn of the step, which keeps it in order with what comes next.
func (d *display) settleRows() {
	if !d.view.settled {
		d.view.settled = true
		d.settle(d.view.headline())
	}
	d.settle(d.view.rowLines(time.Time{})...)
	d.view.rows = nil
}

// settle prints lines for good. There is nobody to tell that the output is gone.
func (d *display) settle(lines ...string) {
	for _, line := range lines {
		_, _ = fmt.Fprintln(d.out, strings.TrimRight(line, " "))
	}
}

func (d *display) redraw() {
	d.erase()
	d.draw()
}

func (d *display) erase() {
	if d.drawn > 0 {
		_, _ = fmt.Fprintf(d.out, "\x1b[%dA\x1b[J", d.drawn)
		d.drawn = 0
	}
}

func (d *display) draw() {
	if !d.live() || d.view == nil {
		return
	}
	lines := d.view.lines(time.Now(), d.columns())
	d.settle(lines...)
	d.drawn = len(lines)
}

// startTicking shows that time passes.
func (d *display) startTicking() {
	view, done := d.view, make(chan struct{})
	d.stopTicking = func() { close(done) }
	go func() {
		ticker := time.NewTicker(redrawInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-ticker.C:
				d.tick(view, now)
			}
		}
	}()
}

func (d *display) tick(view *stepView, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view != view {
		return
	}
	if d.live() {
		d.redraw()
		return
	}
	if now.Sub(view.told) >= aliveInterval {
		view.told = now
		d.settle(view.alive(now))
	}
}
