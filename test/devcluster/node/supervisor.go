package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/openshift/machine-config-operator/test/devcluster/node/wire"
)

// supervisor is the driver's end of the line to the helper that has the node's namespaces.
type supervisor struct {
	command *exec.Cmd
	events  chan struct{} // closed when there will be no more

	mu        sync.Mutex
	requests  io.WriteCloser
	processes map[string]*process
	err       error
}

// process is one in the node's namespaces.
type process struct {
	name    string
	started chan struct{}
	ended   chan struct{}
	event   wire.Event // of its end, once ended is closed
}

// startSupervisor returns when the node's namespaces are ready.
func startSupervisor(ctx context.Context, helper string, config wire.Config) (*supervisor, error) {
	argument, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("could not encode configuration: %w", err)
	}
	//nolint:noctx // It is to outlive its caller's context, and to end with its input.
	command := exec.Command(helper, "keep", string(argument))
	// Neither Ctrl-C in our terminal nor the end of it is for this process to notice.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	requests, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("could not make a pipe: %w", err)
	}
	events, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("could not make a pipe: %w", err)
	}
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("could not run %s: %w", helper, err)
	}
	s := &supervisor{command: command, requests: requests, events: make(chan struct{}), processes: map[string]*process{}}
	ready := s.add(wire.Init)
	go s.listen(events)
	select {
	case <-ready.started:
		return s, nil
	case <-ready.ended:
		err = errors.New(ready.event.Error)
	case <-s.events:
		err = errors.New("it ended")
	case <-ctx.Done():
		err = ctx.Err()
	}
	_ = s.stop() // it failed already
	if ready.event.Error == "" && said.Len() > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil, err
}

func (s *supervisor) add(name string) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &process{name: name, started: make(chan struct{}), ended: make(chan struct{})}
	s.processes[name] = p
	return p
}

func (s *supervisor) listen(events io.Reader) {
	defer close(s.events)
	for lines := bufio.NewScanner(events); lines.Scan(); {
		var event wire.Event
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // a word to a person
		}
		s.take(event)
	}
}

func (s *supervisor) take(event wire.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.processes[event.Name]
	switch {
	case event.Name == wire.Init && event.Error != "":
		s.err = errors.New(event.Error)
		if !isClosed(p.started) {
			p.event = event
			close(p.ended)
		}
	case p == nil:
	case event.Ended:
		p.event = event
		delete(s.processes, event.Name)
		close(p.ended)
	default:
		close(p.started)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (s *supervisor) request(request wire.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("could not encode request: %w", err)
	}
	if _, err := s.requests.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("could not reach the node's first process: %w", errors.Join(err, s.err))
	}
	return nil
}

// start starts a process in the node's namespaces.
func (s *supervisor) start(ctx context.Context, start wire.Start) (*process, error) {
	start.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}, start.Env...)
	p := s.add(start.Name)
	if err := s.request(wire.Request{Start: &start}); err != nil {
		return nil, err
	}
	select {
	case <-p.started:
		return p, nil
	case <-p.ended:
		if p.event.Error != "" {
			return nil, fmt.Errorf("could not start %s: %s", start.Name, p.event.Error)
		}
		return p, nil
	case <-s.events:
		return nil, s.gone()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run runs a process to its end.
func (s *supervisor) run(ctx context.Context, start wire.Start) error {
	p, err := s.start(ctx, start)
	if err != nil {
		return err
	}
	if err := s.wait(ctx, p); err != nil {
		return err
	}
	if p.event.Code != 0 {
		return fmt.Errorf("%s ended with %s, see %s", start.Name, p.event.Status, start.Log)
	}
	return nil
}

func (s *supervisor) wait(ctx context.Context, p *process) error {
	select {
	case <-p.ended:
		return nil
	case <-s.events:
		return s.gone()
	case <-ctx.Done():
		return fmt.Errorf("could not wait for the end of %s: %w", p.name, ctx.Err())
	}
}

// end sends a signal and waits for the end.
func (s *supervisor) end(ctx context.Context, p *process, signal syscall.Signal) error {
	if err := s.request(wire.Request{Signal: &wire.Signal{Name: p.name, Signal: signal}}); err != nil {
		return err
	}
	return s.wait(ctx, p)
}

func (s *supervisor) gone() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(errors.New("the node's first process is gone"), s.err)
}

// stop ends everything and returns when nothing is left.
func (s *supervisor) stop() error {
	s.mu.Lock()
	err := s.requests.Close()
	s.mu.Unlock()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	<-s.events
	var exit *exec.ExitError
	if waited := s.command.Wait(); errors.As(waited, &exit) {
		return errors.Join(err, s.err, fmt.Errorf("could not clean up after the node: %w", waited))
	}
	return err
}
