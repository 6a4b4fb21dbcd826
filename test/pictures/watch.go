package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/openshift/machine-config-operator/test/program"
)

// Size of the terminal: as wide as nothing is cut, and as high as a run needs.
const (
	terminalColumns = 160
	terminalRows    = 60
)

// openTerminal makes a pseudo-terminal: what a program writes to the second file is read from the first one.
func openTerminal(columns, rows uint16) (screen, program *os.File, err error) {
	screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("could not make a pseudo-terminal: %w", err)
	}
	fd := int(screen.Fd())
	var number uint32
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
		number, err = unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("could not make a pseudo-terminal: %w", err), screen.Close())
	}
	return screen, program, nil
}

// watched is what the command wrote to its terminal.
type watched struct {
	mu      sync.Mutex
	written bytes.Buffer
	end     func() error
}

// Write implements io.Writer.
func (w *watched) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.Write(text)
}

func (w *watched) text() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.written.Bytes())
}

// watch runs the command that people run, on a terminal.
func (s *scene) watch(ctx context.Context) (*watched, error) {
	screen, tty, err := openTerminal(terminalColumns, terminalRows)
	if err != nil {
		return nil, err
	}
	w := &watched{}
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, screen)
		// So says Linux that nobody has the other side any more.
		if errors.Is(err, syscall.EIO) {
			err = nil
		}
		read <- err
	}()
	command := program.Program{
		Args: []string{s.path(fileBinary), "status", "--watch"},
		Dir:  s.dir,
		Env:  []string{"KUBECONFIG=" + s.cluster.KubeconfigPath(), "TERM=xterm", "NO_COLOR="},
		Log:  tty,
	}
	stop := s.inBackground(ctx, func(ctx context.Context) error {
		err := command.Run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("status --watch did not keep running: %w; it wrote: %s", err, w.text())
	})
	w.end = sync.OnceValue(func() error {
		return errors.Join(stop(), tty.Close(), <-read, screen.Close())
	})
	return w, nil
}
