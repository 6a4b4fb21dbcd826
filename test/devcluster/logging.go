package devcluster

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/sirupsen/logrus"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

// target is a writer whose destination can change while others write. The loggers of the control plane and of the registry
// are global to the process and outlive a cluster, so they are pointed at a target once, and only the target moves.
type target struct {
	mu  sync.Mutex
	out io.Writer
}

func (t *target) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Write(p)
}

// open appends to path from now on; the returned function ends that.
func (t *target) open(path string) (func() error, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("could not open log file: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = f
	return func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		// A cluster that started later has its own file here.
		if t.out == io.Writer(f) {
			t.out = io.Discard
		}
		return f.Close()
	}, nil
}

var (
	klogTarget   = &target{out: io.Discard}
	logrusTarget = &target{out: io.Discard}

	redirectKlog = sync.OnceFunc(func() {
		klog.SetLoggerWithOptions(textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(klogTarget))), klog.ContextualLogger(true))
	})
	redirectLogrus = sync.OnceFunc(func() {
		logrus.SetOutput(logrusTarget)
		logrus.SetFormatter(&logrus.TextFormatter{DisableColors: true})
	})
)
