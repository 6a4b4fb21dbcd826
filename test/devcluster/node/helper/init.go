package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/openshift/machine-config-operator/test/devcluster/node/wire"
)

// supervisor starts processes and tells of their ends. All of it happens in one goroutine.
type supervisor struct {
	events *json.Encoder
	byName map[string]int
	byPID  map[int]string
}

// serve does what it is asked to until its input ends. The kernel then kills all that is left in our PID namespace.
func serve(config wire.Config) {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	if err := setUp(config.Dir); err != nil {
		fail(err.Error())
	}
	requests := make(chan wire.Request)
	go func() {
		defer close(requests)
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var request wire.Request
			if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
				fail("could not read request: " + err.Error())
			}
			requests <- request
		}
	}()
	s := &supervisor{events: json.NewEncoder(os.Stdout), byName: map[string]int{}, byPID: map[int]string{}}
	s.tell(wire.Event{Name: wire.Init})
	for {
		select {
		case request, open := <-requests:
			if !open {
				return
			}
			s.take(request)
		case <-children:
			reap(s.ended)
		}
	}
}

func (s *supervisor) tell(event wire.Event) {
	if err := s.events.Encode(event); err != nil {
		os.Exit(1) // nobody listens any more
	}
}

func (s *supervisor) take(request wire.Request) {
	if start := request.Start; start != nil {
		if err := s.start(start); err != nil {
			s.tell(wire.Event{Name: start.Name, Ended: true, Error: err.Error()})
		} else {
			s.tell(wire.Event{Name: start.Name})
		}
	}
	if send := request.Signal; send != nil {
		// Who has ended meanwhile is told of anyway.
		if pid, found := s.byName[send.Name]; found {
			_ = syscall.Kill(pid, send.Signal)
		}
	}
}

func (s *supervisor) start(start *wire.Start) error {
	if _, found := s.byName[start.Name]; found {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(start.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("could not open its log: %w", err)
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	// Not by os/exec: who waits for one child there would compete with reap.
	pid, err := syscall.ForkExec(start.Args[0], start.Args, &syscall.ProcAttr{
		Dir: "/", Env: start.Env, Files: []uintptr{null.Fd(), log.Fd(), log.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("could not run %s: %w", start.Args[0], err)
	}
	s.byName[start.Name], s.byPID[pid] = pid, start.Name
	return nil
}

func (s *supervisor) ended(pid int, status syscall.WaitStatus) {
	name, found := s.byPID[pid]
	if !found {
		return // an orphan
	}
	delete(s.byPID, pid)
	delete(s.byName, name)
	event := wire.Event{Name: name, Ended: true, Code: status.ExitStatus(), Status: fmt.Sprintf("exit status %d", status.ExitStatus())}
	if status.Signaled() {
		event.Status = "signal: " + status.Signal().String()
	}
	s.tell(event)
}

// setUp makes the node's own view of the file system. Nothing of it is seen from outside, and all of it ends with the namespace.
func setUp(dir string) error {
	mounts := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE, ""},
		{"proc", "/proc", "proc", 0, ""},
		// Where kubelet, containerd and runc write whatever their configuration says.
		{"tmpfs", "/run", "tmpfs", 0, "mode=755"},
		{"tmpfs", "/var/lib", "tmpfs", 0, "mode=755"},
		{"tmpfs", "/var/log", "tmpfs", 0, "mode=755"},
	}
	for _, m := range mounts {
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("could not mount %s: %w", m.target, err)
		}
	}
	if err := maskSettings(dir); err != nil {
		return err
	}
	return tryOverlay(dir)
}

// settings are those of the kernel that a kubelet insists on. It finds them as it wants them, and the machine's stay what they are.
var settings = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

func maskSettings(dir string) error {
	for name, value := range settings {
		file, err := os.CreateTemp(dir, "setting-")
		if err != nil {
			return err
		}
		_, err = io.WriteString(file, value+"\n")
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		err = syscall.Mount(file.Name(), "/proc/sys/"+name, "", syscall.MS_BIND, "")
		// The mount keeps the file.
		if err := errors.Join(err, os.Remove(file.Name())); err != nil {
			return fmt.Errorf("could not hide the setting %s: %w", name, err)
		}
	}
	return nil
}

// tryOverlay says at once what would otherwise be every pod's failure.
func tryOverlay(dir string) error {
	work, err := os.MkdirTemp(dir, "overlay-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // the next node would
	for _, sub := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(work+"/"+sub, 0o755); err != nil {
			return err
		}
	}
	data := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", work)
	if err := syscall.Mount("overlay", work+"/merged", "overlay", 0, data); err != nil {
		return fmt.Errorf("there is no overlay file system for %s: %w", dir, err)
	}
	return syscall.Unmount(work+"/merged", 0)
}
