// Command devcluster runs a stand-in for an OpenShift cluster on this machine until it is interrupted: API, garbage collector,
// registry, and somebody who runs Builds. See package devcluster for what it is and what it is not.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := newCommand().ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	opts := options{}
	cmd := &cobra.Command{
		Use:   "devcluster",
		Short: "Run a stand-in for an OpenShift cluster until Ctrl-C",
		Long: "Run the API of an OpenShift cluster, as far as the Machine Config Operator's BuildController uses it, with a registry and\n" +
			"somebody who runs Builds, on loopback and free ports, until Ctrl-C. State stays in --dir and is found again by the next run.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), opts, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&opts.dir, "dir", "_output/devcluster", "directory for state and logs")
	cmd.Flags().StringVar(&opts.runner, "runner", runnerBuildah, "who runs Builds: buildah (real images, needs root), scripted (every Build succeeds without an image), none")
	cmd.Flags().StringVar(&opts.node, "node", "", "directory with kubelet, node-helper and containerd/: run a real node with them, for Jobs (needs root)")
	cmd.Flags().BoolVar(&opts.audit, "audit", false, "write audit.log: every request with its user")
	return cmd
}
