// Command helper is what a node consists of besides Kubernetes and containerd. By its first argument it is
//
//	keep    the one who outlives the driver, whatever becomes of that, and removes what the node leaves on the machine
//	init    the first process of the node's PID namespace, which starts all others
//	pause   the process of a pod's sandbox
//	act     a container of a test, see act.go
//
// It is one program because its image is to be had without a registry, and small because it is linked statically.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/openshift/machine-config-operator/test/devcluster/node/wire"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: helper keep|init|pause|act ...")
	}
	switch os.Args[1] {
	case "keep":
		keep(config())
	case "init":
		serve(config())
	case "pause":
		pause()
	case "act":
		act(os.Args[2:])
	default:
		fail("unknown role " + os.Args[1])
	}
}

func config() wire.Config {
	var c wire.Config
	if len(os.Args) < 3 {
		fail("no configuration")
	}
	if err := json.Unmarshal([]byte(os.Args[2]), &c); err != nil {
		fail("could not read configuration: " + err.Error())
	}
	return c
}

// fail tells the driver, if there is one, and ends.
func fail(reason string) {
	fmt.Fprintln(os.Stderr, reason)
	_ = json.NewEncoder(os.Stdout).Encode(wire.Event{Name: wire.Init, Error: reason})
	os.Exit(1)
}

// pause waits for its end, and is a parent to orphans where a pod shares its PID namespace.
func pause() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-ends:
			return
		case <-children:
			reap(func(int, syscall.WaitStatus) {})
		}
	}
}

// reap tells of all children that have ended.
func reap(ended func(pid int, status syscall.WaitStatus)) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		ended(pid, status)
	}
}
