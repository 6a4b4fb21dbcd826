package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/openshift/machine-config-operator/test/devcluster/node/wire"
)

// keep runs the node's first process and waits for its end, which is that of all processes and mounts of the node. What the kernel
// does not take away then are cgroups. All signals that a terminal sends go to the driver alone: when that is gone, so is our input.
func keep(config wire.Config) {
	// The parent whose death the child is told of is a thread: keep ours.
	runtime.LockOSThread()
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	lock, err := net.Listen("unix", "@"+config.Socket)
	if errors.Is(err, syscall.EADDRINUSE) {
		fail("another node runs on this machine, and there can be only one")
	}
	if err != nil {
		fail("could not make sure that there is no other node: " + err.Error())
	}
	defer func() { _ = lock.Close() }()
	hierarchies, err := findHierarchies()
	if err != nil {
		fail(err.Error())
	}
	// Of one whose keeper was killed as well.
	if err := hierarchies.remove(config.Cgroup); err != nil {
		fail(err.Error())
	}
	if err := hierarchies.create(config.Cgroup); err != nil {
		fail(errors.Join(err, hierarchies.remove(config.Cgroup)).Error())
	}
	//nolint:noctx // It ends with its input.
	init := exec.Command("/proc/self/exe", "init", os.Args[2])
	init.Stdin, init.Stdout, init.Stderr = os.Stdin, os.Stdout, os.Stderr
	init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	err = init.Run()
	if errors.Is(err, syscall.EPERM) {
		err = fmt.Errorf("namespaces cannot be made here: %w", err)
	}
	if err := errors.Join(err, hierarchies.remove(config.Cgroup)); err != nil {
		fail(err.Error())
	}
}

const (
	removeTimeout  = 20 * time.Second
	removeInterval = 20 * time.Millisecond
)
