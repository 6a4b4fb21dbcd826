// Command machine-config-controller runs the controllers of the Machine Config
// Operator; in this tree that is the BuildController, behind the feature gate
// OnClusterBuild.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/doctor"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/renderbuild"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/status"
)

const componentName = "machine-config-controller"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)

	klog.SetLogFilter(bodyFilter{})
	err := newRootCommand().ExecuteContext(ctx)
	klog.Flush()
	if err != nil {
		os.Exit(cluster.ExitCode(err, componentName, os.Stderr))
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           componentName,
		Short:         "Builds the OS images of MachineConfigPools that opted in",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	logging := flag.NewFlagSet("logging", flag.ContinueOnError)
	klog.InitFlags(logging)
	root.PersistentFlags().AddGoFlagSet(logging)
	backend := newBackend()
	root.AddCommand(newStartCommand(), status.NewCommand(backend), doctor.NewCommand(backend), renderbuild.NewCommand(backend), newVersionCommand())
	return root
}
