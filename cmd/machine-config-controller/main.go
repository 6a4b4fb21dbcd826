// Command machine-config-controller runs the controllers of the Machine Config
// Operator; in this tree that is the BuildController, behind the feature gate
// OnClusterBuild.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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
		os.Exit(exitCode(err, os.Stderr))
	}
}

// exitCode is what the program ends with. Why goes to stderr, unless it was said.
func exitCode(err error, stderr io.Writer) int {
	code := 1
	var coded *exitError
	if errors.As(err, &coded) {
		code = coded.code
	}
	if text := err.Error(); text != "" {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", componentName, text)
	}
	return code
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
	root.AddCommand(newStartCommand(), newStatusCommand(backend), newDoctorCommand(backend), newRenderBuildCommand(backend), newVersionCommand())
	return root
}
