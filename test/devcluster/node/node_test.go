package node

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/openshift/machine-config-operator/test/devcluster/node/wire"
)

// childVariable makes the test binary a driver: its value has directory and helper.
const childVariable = "NODE_TEST_DRIVER"

func TestMain(m *testing.M) {
	if value := os.Getenv(childVariable); value != "" {
		drive(filepath.SplitList(value))
	}
	os.Exit(m.Run())
}

// drive runs a process in a node's namespaces until somebody kills it.
func drive(args []string) {
	ctx := context.Background()
	s, err := startSupervisor(ctx, args[1], testConfig(args[0]))
	if err == nil {
		_, err = s.start(ctx, wire.Start{Name: "pod", Log: filepath.Join(args[0], "log"), Args: []string{args[1], "act", "deaf:", "sleep:600"}})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready", s.command.Process.Pid)
	select {}
}

// testConfig has other names than a node, so that one can run meanwhile.
func testConfig(dir string) wire.Config {
	return wire.Config{Dir: dir, Cgroup: "devcluster-node-test", Socket: "devcluster-node-test"}
}

// needNamespaces builds the helper, and skips where there can be no node.
func needNamespaces(t *testing.T) (dir, helper string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir = t.TempDir()
	helper = filepath.Join(dir, "helper")
	build := exec.Command("go", "build", "-o", helper, "./helper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	s, err := startSupervisor(t.Context(), helper, testConfig(dir))
	if err != nil {
		t.Skipf("this machine can run no node: %v", err)
	}
	require.NoError(t, s.stop())
	return dir, helper
}

func cgroups(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, path := range found {
			if filepath.Base(path) == testConfig("").Cgroup {
				all = append(all, path)
			}
		}
	}
	return all
}

func processes(t *testing.T, helper string) []int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(t, err)
	var pids []int
	for _, link := range links {
		// Of one that has just ended there is nothing to read.
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, helper) {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestNothingIsLeft(t *testing.T) {
	dir, helper := needNamespaces(t)
	for _, tc := range []struct {
		reason string
		// kill gets the driver's and the keeper's process.
		kill func(driver, keeper int) error
		// keeps says that cgroups stay until the next node.
		keeps bool
	}{
		{reason: "whoever is killed cannot clean up, so another does", kill: func(driver, _ int) error { return syscall.Kill(driver, syscall.SIGKILL) }},
		{reason: "with the one who would clean up it is the next node that does", keeps: true, kill: func(driver, keeper int) error {
			_ = syscall.Kill(keeper, syscall.SIGKILL)
			return syscall.Kill(driver, syscall.SIGKILL)
		}},
		{reason: "an interrupted driver that minds nothing else", kill: func(driver, _ int) error { return syscall.Kill(driver, syscall.SIGINT) }},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			executable, err := os.Executable()
			require.NoError(t, err)
			driver := exec.Command(executable)
			driver.Env = append(os.Environ(), childVariable+"="+dir+string(filepath.ListSeparator)+helper)
			output, err := driver.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, driver.Start())
			line, err := bufio.NewReader(output).ReadString('\n')
			require.NoError(t, err)
			var keeper int
			_, err = fmt.Sscanf(line, "ready %d", &keeper)
			require.NoError(t, err, line)
			require.NotEmpty(t, cgroups(t))
			require.Len(t, processes(t, helper), 3, "keeper, first process, pod")

			require.NoError(t, tc.kill(driver.Process.Pid, keeper))
			require.Error(t, driver.Wait())
			gone := func(context.Context) (bool, error) {
				return len(processes(t, helper)) == 0 && (tc.keeps || len(cgroups(t)) == 0), nil
			}
			require.NoError(t, wait.PollUntilContextTimeout(t.Context(), pollInterval, 30*time.Second, true, gone))

			s, err := startSupervisor(t.Context(), helper, testConfig(dir))
			require.NoError(t, err, "the next node must find the machine as the first did")
			require.NoError(t, s.stop())
			require.Empty(t, cgroups(t))
		})
	}
}

func TestOnlyOneNode(t *testing.T) {
	dir, helper := needNamespaces(t)
	s, err := startSupervisor(t.Context(), helper, testConfig(dir))
	require.NoError(t, err)
	_, err = startSupervisor(t.Context(), helper, testConfig(dir))
	require.EqualError(t, err, "another node runs on this machine, and there can be only one")
	require.NoError(t, s.stop(), "the second must not disturb the first")
	require.Empty(t, cgroups(t))
}

// TestMachineStays shows that what is written and set within a node is not seen from outside.
func TestMachineStays(t *testing.T) {
	dir, helper := needNamespaces(t)
	before, err := os.ReadFile("/proc/sys/kernel/panic")
	require.NoError(t, err)
	s, err := startSupervisor(t.Context(), helper, testConfig(dir))
	require.NoError(t, err)
	script := `test "$(cat /proc/sys/kernel/panic)" = 10 && echo 11 > /proc/sys/kernel/panic && touch /run/seen /var/lib/seen /var/log/seen`
	start := wire.Start{Name: "script", Log: filepath.Join(dir, "log"), Args: []string{"/bin/sh", "-c", script}}
	require.NoError(t, s.run(t.Context(), start))
	require.NoError(t, s.stop())
	after, err := os.ReadFile("/proc/sys/kernel/panic")
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	for _, path := range []string{"/run/seen", "/var/lib/seen", "/var/log/seen"} {
		require.NoFileExists(t, path)
	}
}
