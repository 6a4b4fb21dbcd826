package devcluster

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// state is what a second Start on the same directory needs to look the same from outside.
type state struct {
	APIServerPort    int    `json:"apiServerPort"`
	EtcdPort         int    `json:"etcdPort"`
	EtcdPeerPort     int    `json:"etcdPeerPort"`
	RegistryPort     int    `json:"registryPort,omitempty"`
	RegistryPassword string `json:"registryPassword"`

	file string
}

func loadState(dir string) (*state, error) {
	s := &state{file: filepath.Join(dir, "state.json")}
	content, err := os.ReadFile(s.file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.RegistryPassword = rand.Text()
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("could not read state: %w", err)
	}
	if err := json.Unmarshal(content, s); err != nil {
		return nil, fmt.Errorf("could not decode %s: %w", s.file, err)
	}
	return s, nil
}

func (s *state) save() error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("could not encode state: %w", err)
	}
	if err := os.WriteFile(s.file, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("could not write state: %w", err)
	}
	return nil
}

// listen prefers the port that was used before and takes a free one when that is not to be had.
func listen(port *int) (net.Listener, error) {
	if *port != 0 {
		if l, err := net.Listen("tcp", loopback(*port)); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return nil, fmt.Errorf("could not listen on a free port: %w", err)
	}
	*port = l.Addr().(*net.TCPAddr).Port
	return l, nil
}

// reserve settles on a port for a component that insists on opening its own listener.
func reserve(port *int) error {
	l, err := listen(port)
	if err != nil {
		return err
	}
	return l.Close()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// lockDir keeps a second devcluster off the directory; etcd would otherwise wait for the first one in silence.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("could not open lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("could not lock %s, another devcluster uses it: %w", dir, err), f.Close())
	}
	return f, nil
}
