// Command machine-config-controller runs the controllers of the Machine Config
// Operator; in this tree that is the BuildController, behind the feature gate
// OnClusterBuild.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
)

const componentName = "machine-config-controller"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)

	klog.SetLogFilter(bodyFilter{})
	program := calledAs(os.Args[0])
	root := newRootCommandOf(program)
	root.SetArgs(program.arguments(os.Args[1:]))
	out := &cluster.Outlet{File: os.Stdout, Closed: stop}
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		if cmd.Name() != startCommand {
			settleForPeople(cmd, out)
		}
	}
	err := root.ExecuteContext(ctx)
	klog.Flush()
	if err != nil {
		os.Exit(cluster.ExitCode(err, program.shown, os.Stderr))
	}
}

// settleForPeople has a command say itself what is wrong, without a log, and end quietly when
// nobody reads on, as behind | head.
func settleForPeople(cmd *cobra.Command, out *cluster.Outlet) {
	if !klog.V(1).Enabled() {
		klog.SetLogger(klog.Logger{})
	}
	// Without this the signal ends the process before the error of writing is seen.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	cmd.Root().SetOut(out)
}
