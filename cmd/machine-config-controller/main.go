// Command machine-config-controller runs the controllers of the Machine Config
// Operator; in this tree that is the BuildController, behind the feature gate
// OnClusterBuild.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
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
		fmt.Fprintf(os.Stderr, "%s: %v\n", componentName, err)
		os.Exit(1)
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
	root.AddCommand(newStartCommand(), newVersionCommand())
	return root
}
