// Package status is the command status: it gathers what package build/status tells the state
// of pools from, once or for as long as somebody watches.
package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/spf13/cobra"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

const statusHelp = `Tell where the pools that opted in stand: one line for each, from the conditions and
annotations of the pool, and its Build.

Columns:
  STATE    Published, Building, Pending, Stuck (pending for minutes), Queued, Settling
           (the inputs keep changing), Retrying, Held (something has to be mended),
           Failed, Interrupted (cancelled); NotReported if the controller has not said
           anything of what the pool wants now, Contradictory if its conditions exclude
           each other
  WHY      the reason of the condition; -o wide has its message, too
  CONFIG   the rendered MachineConfig that the pool wants
  IMAGE    the digest of the published image; (old) if it is of another config
  AGE      since when the pool is in that state
  ATTEMPT  which attempt at this image it is, of how many
  ETA      when the Build that runs would end if it took as long as the pool's last
           ones, or when the next attempt starts

-o json and -o yaml write {"pools": [...]} with one object for each pool; with --watch
they write an object for each change. jsonpath and go-template are of the same;
custom-columns are of the pools, as in -o custom-columns=NAME:.name,STATE:.state.

It takes the permission to list MachineConfigPools, with --watch also to watch them.
Builds and the ConfigMap machine-os-builder-config are read if they may be, which makes
ETA, AGE and ATTEMPT more exact.

Exit codes:
  0  no pool that is listed needs attention; also the end of --watch by a signal
  1  error: a bad flag, a pool that does not exist, a cluster that refuses or does not
     answer
  2  the build of a pool failed or is stuck, its conditions are contradictory, or
     nothing has been reported for minutes; the pools are named on stderr`

const statusExample = `  machine-config-controller status
  machine-config-controller status --context production worker infra -o wide
  machine-config-controller status --watch`

// forms are those of the output.
var forms = []string{cluster.Text, cluster.Wide, cluster.YAML, cluster.JSON, cluster.Name}

// options are the flags of the status command.
type options struct {
	output string
	watch  bool
	all    bool
	// pools are those to list; empty for all that opted in.
	pools      []string
	printing   cluster.Printing
	connection cluster.Options
}

// NewCommand makes the command status, of builds that the backend runs.
func NewCommand(backend cluster.Backend) *cobra.Command {
	o := &options{output: cluster.Text, connection: cluster.NewOptions()}
	cmd := &cobra.Command{
		Use:     "status [pool...]",
		Short:   "Tell where the pools stand: published, building, held, failed",
		Long:    statusHelp,
		Example: statusExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.pools = args
			if err := o.validate(); err != nil {
				return err
			}
			clients, err := cluster.Connect(&o.connection, backend, "status")
			if err != nil {
				return err
			}
			if o.watch {
				return clients.Explain(watchStatus(cmd.Context(), clients, o, cmd.OutOrStdout(), cmd.ErrOrStderr()))
			}
			return clients.Explain(showStatus(cmd.Context(), clients, o, cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
	o.addFlags(cmd)
	cmd.ValidArgsFunction = cluster.CompletePools(&o.connection, backend)
	return cmd
}

func (o *options) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.printing.AddFlags(cmd, &o.output, forms)
	flags.BoolVarP(&o.watch, "watch", "w", o.watch, "Go on, and write the line of a pool whenever it changes, until SIGINT or SIGTERM.")
	flags.BoolVar(&o.all, "all", o.all, "List pools that did not opt in, too.")
	o.connection.AddFlags(cmd)
}

// validate reports every flag that makes no sense.
func (o *options) validate() error {
	var errs []error
	if err := o.printing.Validate(o.output, forms); err != nil {
		errs = append(errs, err)
	}
	if o.all && len(o.pools) > 0 {
		errs = append(errs, errors.New("--all and names of pools exclude each other"))
	}
	return errors.Join(append(errs, o.connection.Validate())...)
}

// showStatus looks once; the error says how the program ends.
func showStatus(ctx context.Context, clients *cluster.Clients, o *options, out, notes io.Writer) error {
	objects, notRead, err := gather(ctx, clients)
	if err != nil {
		return err
	}
	objects.Now = time.Now()
	all := status.Of(objects)
	if err := o.requireNamed(all); err != nil {
		return err
	}
	report := &status.Report{Pools: slices.DeleteFunc(all, func(p status.Pool) bool { return !o.lists(&p) }), NotRead: notRead}
	text := statusText{report: report, now: objects.Now, wide: o.output == cluster.Wide, noHeaders: o.printing.NoHeaders}
	written := cluster.Report{Value: report, Rows: cluster.Rows(report.Pools), Text: func(out io.Writer) error { return text.write(out, notes) }}
	for i := range report.Pools {
		written.Names = append(written.Names, nameOf(&report.Pools[i]))
	}
	if err := o.printing.Write(out, written, o.output); err != nil {
		return err
	}
	return attention(report.Pools)
}

// nameOf is what -o name writes of a pool.
func nameOf(p *status.Pool) string { return "machineconfigpool." + mcfgv1.GroupName + "/" + p.Name }

// attention is the error that names the pools that need it.
func attention(pools []status.Pool) error {
	var names []string
	for i := range pools {
		if pools[i].NeedsAttention {
			names = append(names, fmt.Sprintf("%s (%s)", pools[i].Name, pools[i].State))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &cluster.ExitError{Code: cluster.ExitAttention, Message: "needs attention: " + strings.Join(names, ", ")}
}

// lists tells whether the pool is to be shown.
func (o *options) lists(p *status.Pool) bool {
	if len(o.pools) > 0 {
		return slices.Contains(o.pools, p.Name)
	}
	return o.all || p.OptedIn
}

// requireNamed reports names that no pool has.
func (o *options) requireNamed(pools []status.Pool) error {
	var unknown, known []string
	for i := range pools {
		known = append(known, pools[i].Name)
	}
	for _, name := range o.pools {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	switch {
	case len(unknown) == 0:
		return nil
	case len(known) == 0:
		return fmt.Errorf("there is no MachineConfigPool %s in the cluster, nor any other", cluster.Quoted(unknown))
	}
	return fmt.Errorf("there is no MachineConfigPool %s in the cluster; there are %s", cluster.Quoted(unknown), cluster.Quoted(known))
}
