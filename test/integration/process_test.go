package integration

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a running machine-config-controller.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	log     string
	exited  chan error
	stopped bool
	// others are the replicas that stand by while this one leads.
	others []*process
}

var processes atomic.Int32

// startController is launch, and waits until the controller is ready.
func startController(t *testing.T, flags ...string) *process {
	t.Helper()
	p := launch(t, flags...)
	require.Eventually(t, func() bool { return p.get("/readyz") == http.StatusOK }, 30*time.Second, 20*time.Millisecond, "the controller does not become ready")
	return p
}

// launch runs the binary with the shipped permissions until the test ends.
func launch(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan error, 1)}
	p.log = filepath.Join(shared.dir, fmt.Sprintf("controller-%d-%s.log", processes.Add(1), strings.ReplaceAll(t.Name(), "/", "-")))
	log, err := os.Create(p.log)
	require.NoError(t, err)
	p.cmd = exec.Command(shared.binary(), append([]string{"start", "--kubeconfig", shared.kubeconfig, "--bind-address", "127.0.0.1:0", "-v", "2"}, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// Should the test process be killed, the controller goes with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, p.cmd.Start())
	go func() {
		p.exited <- p.cmd.Wait()
		close(p.exited)
		_ = log.Close()
	}()
	t.Cleanup(func() {
		killed := p.stopped && p.cmd.ProcessState.ExitCode() < 0
		if !p.stopped {
			p.stop()
		}
		// A test that kills leaves too many logs to show; they stay in the directory.
		if t.Failed() && !killed {
			t.Logf("log of the controller:\n%s", p.ownLog())
		}
	})
	return p
}

// startBuildController is startController with the feature gate on. With -replicas
// it starts so many processes, as they ship, and returns the one that leads.
func startBuildController(t *testing.T, flags ...string) *process {
	t.Helper()
	if *replicas > 1 {
		return startReplicas(t, *replicas, flags...)
	}
	return startController(t, append([]string{gateOn}, flags...)...)
}

const gateOn = "--feature-gates=OnClusterBuild=true"

var serving = regexp.MustCompile(`address="([^"]+)"`)

// get asks one of the health endpoints and returns the HTTP status; 0 when
// there is no answer yet.
func (p *process) get(path string) int {
	return p.getFrom(serving, path)
}

func (p *process) getFrom(address *regexp.Regexp, path string) int {
	match := address.FindStringSubmatch(p.ownLog())
	if match == nil {
		return 0
	}
	response, err := http.Get("http://" + match[1] + path)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func (p *process) ownLog() string {
	text, err := os.ReadFile(p.log)
	require.NoError(p.t, err)
	return string(text)
}

// logText is what it and the other replicas logged.
func (p *process) logText() string {
	text := p.ownLog()
	for _, other := range p.others {
		text += other.logText()
	}
	return text
}

// stop sends SIGTERM and checks that the process ends well. Others end before it, so
// that none takes over.
func (p *process) stop() {
	p.t.Helper()
	for _, other := range p.others {
		if !other.stopped {
			other.stop()
		}
	}
	p.stopped = true
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.exited:
		require.NoError(p.t, err, "SIGTERM ends the process with exit code 0")
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		require.Fail(p.t, "the controller does not end on SIGTERM")
	}
}

// kill is kill -9, of the others first.
func (p *process) kill() {
	p.t.Helper()
	for _, other := range p.others {
		other.kill()
	}
	p.killAlone()
}

// killAlone leaves the others, of which one takes over.
func (p *process) killAlone() {
	p.t.Helper()
	p.stopped = true
	require.NoError(p.t, p.cmd.Process.Kill())
	<-p.exited
}

// auditLines returns what the API server noted about requests of the controller
// since it had noted the given number of lines, and that number now.
func auditLines(t *testing.T, since int) (requests []string, now int) {
	t.Helper()
	file, err := os.Open(shared.cluster.AuditLogPath())
	require.NoError(t, err)
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		now++
		if now > since {
			if request := describeAudit(t, scanner.Bytes()); request != "" {
				requests = append(requests, request)
			}
		}
	}
	require.NoError(t, scanner.Err())
	return requests, now
}
