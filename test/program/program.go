package program

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

// Program is something to run in a process group of its own: Ctrl-C in a terminal must reach the caller alone, which then ends
// the others in order.
type Program struct {
	Args []string
	Dir  string
	// Env comes on top of our own.
	Env []string
	// Log receives all that it prints.
	Log io.Writer
}

// Run runs the program to its end. When ctx ends it is asked to end, and killed with its group if it does not; the error is
// the context's then.
func (p Program) Run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.Args[0], p.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Dir, append(os.Environ(), p.Env...), p.Log, p.Log
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
	name := filepath.Base(p.Args[0])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s ended with %s", name, exit.ProcessState)
	}
	if err != nil {
		return fmt.Errorf("could not run %s: %w", name, err)
	}
	return nil
}
