// Package isolate runs commands that can be ended with everything they started. Tools such as buildah and debootstrap start processes
// in sessions of their own and mount file systems; killing the first process, or its group, would leave those behind.
package isolate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// inNamespace starts the command in "$@" as the first process of a PID namespace of its own, which needs its own /proc.
const inNamespace = `mount -t proc proc /proc && exec "$@"`

// Command is a command to run. It needs root.
type Command struct {
	Args []string
	Dir  string
	Env  []string
	// Log receives both outputs.
	Log io.Writer
}

// Run runs a command to its end, or kills it with all that came of it when ctx ends: the end of the first process of a PID namespace
// is the end of all others in it, and mounts go with the mount namespace. The error never has arguments, which may be private.
func Run(ctx context.Context, command Command) error {
	run := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", inNamespace, "sh"}, command.Args...)...)
	run.Dir, run.Env, run.Stdout, run.Stderr = command.Dir, command.Env, command.Log, command.Log
	run.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Setpgid:      true,
		Pdeathsig:    syscall.SIGKILL,
	}
	run.Cancel = func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }

	// The parent whose death sends the signal is a thread, not a process: keep ours.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := run.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	name := filepath.Base(command.Args[0])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s ended with %w", name, exit)
	}
	if err != nil {
		return fmt.Errorf("could not run %s: %w", name, err)
	}
	return nil
}
