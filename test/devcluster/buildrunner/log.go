package buildrunner

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"

	buildv1 "github.com/openshift/api/build/v1"
	"k8s.io/klog/v2"
)

// logTailBytes is how much of a log the snippet is cut from; a pod's termination message has the same limit.
const logTailBytes = 2048

// openLog opens the log of a Build. A log that cannot be kept is no reason not to build.
func (r *Runner) openLog(build *buildv1.Build) (log io.Writer, tail *tailWriter, closeLog func()) {
	tail = &tailWriter{}
	if r.opts.LogDir == "" {
		return tail, tail, func() {}
	}
	file, err := createLog(filepath.Join(r.opts.LogDir, build.Name+".log"))
	if err != nil {
		klog.ErrorS(err, "Could not keep the log of a build", "build", klog.KObj(build))
		return tail, tail, func() {}
	}
	return io.MultiWriter(file, tail), tail, func() {
		if err := file.Close(); err != nil {
			klog.ErrorS(err, "Could not close the log of a build", "build", klog.KObj(build))
		}
	}
}

func createLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
}

// tailWriter keeps the end of what is written to it.
type tailWriter struct {
	mu   sync.Mutex
	kept []byte
}

// Write implements io.Writer.
func (t *tailWriter) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, data...)
	if excess := len(t.kept) - logTailBytes; excess > 0 {
		t.kept = bytes.Clone(t.kept[excess:])
	}
	return len(data), nil
}

// String gives what was kept.
func (t *tailWriter) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
