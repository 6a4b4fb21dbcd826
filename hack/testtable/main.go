// Command testtable runs parts of the tests, each a target of the Makefile, one after the
// other, and ends with a table of what they did and what they took.
//
// It shows the output of tests that fail, a line for each package, and a line for each test
// that takes long. All parts run, whatever fails.
package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

func main() {
	var parts []*part
	failed := false
	for _, name := range os.Args[1:] {
		p := run(name, os.Stdout)
		parts = append(parts, p)
		failed = failed || p.broken()
	}
	writeTable(os.Stdout, parts)
	if failed {
		os.Exit(1)
	}
}

// part is what became of one.
type part struct {
	name                   string
	tests, failed          int
	skipped                []string
	note                   string
	err                    error
	seconds, processorTime float64
}

func (p *part) broken() bool { return p.err != nil || p.failed > 0 }

// run makes the target. Its `go test` writes events instead of text.
func run(name string, out io.Writer) *part {
	_, _ = fmt.Fprintf(out, "=== %s\n", name)
	p := &part{name: name}
	reader, writer := io.Pipe()
	command := exec.Command(cmp.Or(os.Getenv("MAKE"), "make"), "--no-print-directory", name, "GOTEST=go test -json") //nolint:noctx // It ends when its terminal does.
	command.Stdout, command.Stderr = writer, os.Stderr
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(reader, out)
	}()
	start := time.Now() //nolint:forbidigo // How long it takes is what is told.
	p.err = command.Run()
	_ = writer.Close()
	<-read
	p.seconds = time.Since(start).Seconds() //nolint:forbidigo // As above.
	if state := command.ProcessState; state != nil {
		p.processorTime = (state.UserTime() + state.SystemTime()).Seconds()
	}
	return p
}

func writeTable(out io.Writer, parts []*part) {
	var total part
	_, _ = fmt.Fprintf(out, "\n%-14s %6s %7s %8s %9s %14s\n", "part", "tests", "failed", "skipped", "seconds", "processor time")
	row := func(p *part) {
		_, _ = fmt.Fprintf(out, "%-14s %6d %7d %8d %9.0f %14.0f", p.name, p.tests, p.failed, len(p.skipped), p.seconds, p.processorTime)
		if p.err != nil && p.failed == 0 {
			_, _ = fmt.Fprintf(out, "   %v", p.err)
		} else if p.note != "" {
			_, _ = fmt.Fprintf(out, "   %s", p.note)
		}
		_, _ = fmt.Fprintln(out)
	}
	for _, p := range parts {
		row(p)
		total.tests, total.failed = total.tests+p.tests, total.failed+p.failed
		total.seconds, total.processorTime = total.seconds+p.seconds, total.processorTime+p.processorTime
		total.skipped = append(total.skipped, p.skipped...)
	}
	total.name = "total"
	row(&total)
	slices.Sort(total.skipped)
	for _, test := range total.skipped {
		_, _ = fmt.Fprintf(out, "skipped: %s\n", test)
	}
}
