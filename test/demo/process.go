package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long a program may take to end after SIGTERM; longer than the controller takes to finish what it is at.
const stopGrace = 20 * time.Second

// program is something to run in a process group of its own: Ctrl-C in a terminal must reach this program alone, which then
// ends the others in order.
type program struct {
	args []string
	dir  string
	// env comes on top of our own.
	env []string
	log io.Writer
}

// run runs a program to its end. When ctx ends it is asked to end, and killed with its group if it does not; the error is
// the context's then.
func (p program) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, append(os.Environ(), p.env...), p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace

	// The parent whose death sends the signal is a thread, not a process: keep ours.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if ctx.Err() != nil {
		if cmd.Process != nil {
			// What the program started may take no notice of SIGTERM. Usually nothing is left to receive this.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
		return context.Cause(ctx)
	}
	name := filepath.Base(p.args[0])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s ended with %s", name, exit.ProcessState)
	}
	if err != nil {
		return fmt.Errorf("could not run %s: %w", name, err)
	}
	return nil
}

// runLogged runs a program whose output goes to a log, and its last line to the display while it is at work.
func (d *demo) runLogged(ctx context.Context, log string, p program) (err error) {
	file, err := d.createLog(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	tail := &lastLine{note: d.show.note}
	p.log = io.MultiWriter(file, tail)
	if err := p.run(ctx); err != nil {
		if last := tail.text(); last != "" && ctx.Err() == nil {
			return fmt.Errorf("%w: %s", err, last)
		}
		return err
	}
	return nil
}
