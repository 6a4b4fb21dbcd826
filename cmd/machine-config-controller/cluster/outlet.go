package cluster

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// Outlet is standard output. That nobody reads on is no error: it calls Closed, and drops what
// comes after.
type Outlet struct {
	File   *os.File
	Closed func()

	mu     sync.Mutex
	closed bool
}

// Write implements io.Writer.
func (o *Outlet) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return len(text), nil
	}
	n, err := o.File.Write(text)
	if errors.Is(err, syscall.EPIPE) {
		o.closed = true
		o.Closed()
		return len(text), nil
	}
	return n, err
}
