package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// ServiceAccount is the one that hack/deploy makes for the controller, in the namespace of the Machine Config Operator.
const ServiceAccount = "machine-os-build-controller"

const readyInterval = 100 * time.Millisecond

// controllerPackage is the program that is shipped.
const controllerPackage = "github.com/openshift/machine-config-operator/cmd/machine-config-controller"

// ControllerBuild is the program that builds machine-config-controller from the repository at root. It is built within the module of the
// tests: what it shares with the cluster is compiled once then, and not a second time from vendor, which takes minutes on a fresh
// machine. The versions are the same. LinkerFlags, where the environment has them, stamp the version. It is linked once, whoever asks
// how often, see RunInto.
func ControllerBuild(root, binary string) Program {
	if absolute, err := filepath.Abs(binary); err == nil {
		binary = absolute
	}
	args := []string{"go", "run", "-buildvcs=false"}
	if flags := os.Getenv(LinkerFlags); flags != "" {
		args = append(args, "-ldflags", flags)
	}
	return Program{
		Args: append(args, "-exec", RunInto, controllerPackage, binary),
		Dir:  filepath.Join(root, "test"),
		Env:  []string{"GOFLAGS=", "GOWORK=off"},
	}
}

// RunInto has `go run` put a program into the file that is its only argument, and not run it. Go keeps the programs that it runs in its
// cache, and links those that it builds each time anew, which takes ten seconds for a large one.
const RunInto = "cp --remove-destination"

// LinkerFlags is the environment variable in which the Makefile hands over how the version is stamped.
const LinkerFlags = "CONTROLLER_LDFLAGS"

// Controller is machine-config-controller with the BuildController on.
type Controller struct {
	Binary string
	// Kubeconfig is the file with its identity.
	Kubeconfig string
	Dir        string
	Log        io.Writer
	// MachineOSConfigs has it build for those as well, in the place of the operator's own builder.
	MachineOSConfigs bool
	// Failed is told if it ends without having been asked to.
	Failed func(error)
}

// arguments are its command line.
func (c Controller) arguments() []string {
	gates, more := "OnClusterBuild=true", []string(nil)
	if c.MachineOSConfigs {
		gates, more = gates+",MachineOSConfigs=true", []string{"--replace-machine-os-builder"}
	}
	return append([]string{c.Binary, "start", "--kubeconfig", c.Kubeconfig, "--feature-gates", gates, "--bind-address", "127.0.0.1:0", "-v", "2"}, more...)
}

// Start returns when the controller's caches are full: where it serves health and metrics, as http://host:port, and what ends it.
func (c Controller) Start(ctx context.Context) (address string, stop func(), err error) {
	addresses := make(chan string, 1)
	tail := &LastLine{Note: func(line string) { findAddress(line, addresses) }}
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := Program{
			Args: c.arguments(),
			Dir:  c.Dir,
			Log:  io.MultiWriter(c.Log, tail),
		}.Run(runCtx)
		if runCtx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended with exit status 0")
		}
		if last := tail.Text(); last != "" {
			err = fmt.Errorf("%w; the last line of its log is: %s", err, last)
		}
		c.Failed(fmt.Errorf("the controller did not keep running: %w", err))
	}()
	stop = func() { cancel(); <-ended }

	select {
	case address = <-addresses:
		err = waitForReady(ctx, address+"/readyz")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		stop()
		return "", nil, err
	}
	return address, stop, nil
}

var servingAt = regexp.MustCompile(`"Serving health and metrics" address="([^"]+)"`)

// findAddress hands on the address that the controller chose.
func findAddress(line string, found chan<- string) {
	match := servingAt.FindStringSubmatch(line)
	if match == nil {
		return
	}
	select {
	case found <- "http://" + match[1]:
	default:
	}
}

// waitForReady asks until the answer is yes: health endpoints cannot be watched.
func waitForReady(ctx context.Context, url string) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("could not ask for readiness: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(readyInterval):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
