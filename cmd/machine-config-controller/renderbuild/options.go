package renderbuild

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
)

// options are the flags of the render-build command.
type options struct {
	pool         string
	files        []string
	recursive    bool
	output       string
	diff         bool
	serverDryRun bool
	printing     cluster.Printing
	connection   cluster.Options
}

func (o *options) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.printing.AddFlags(cmd, &o.output, cluster.Forms)
	flags.StringVar(&o.pool, "pool", o.pool, "Name of the MachineConfigPool. With files, it may be left out if they hold exactly one.")
	flags.StringArrayVarP(&o.files, "filename", "f", o.files, "File to read objects from instead of a cluster, directory of files that end in .yaml, .yml or .json, or - for standard input. May be given several times, or name several, with commas between them.")
	flags.BoolVarP(&o.recursive, "recursive", "R", o.recursive, "Read what is below the directories of -f, too, such as those of a must-gather. What is no Kubernetes object is left out, and of an object that is there twice the newer one is taken.")
	flags.BoolVar(&o.diff, "diff", o.diff, "Tell what changes against the config that the pool's published image was built from.")
	flags.BoolVar(&o.serverDryRun, "server-dry-run", o.serverDryRun, "Have the API server go through what is written on the pool and the creation of the Secrets and the Build, without keeping any of it, with the permissions of the kubeconfig, which proves quota, admission and RBAC. Not with files.")
	o.connection.AddFlags(cmd)
}

// validate reports every flag that makes no sense.
func (o *options) validate() error {
	var errs []error
	if err := o.printing.Validate(o.output, cluster.Forms); err != nil {
		errs = append(errs, err)
	}
	switch {
	case len(o.files) > 0:
		for _, flag := range o.connection.Chosen() {
			errs = append(errs, fmt.Errorf("%s and -f exclude each other: objects come from a cluster or from files", flag))
		}
		if o.serverDryRun {
			errs = append(errs, errors.New("--server-dry-run needs a cluster; leave out -f"))
		}
	case o.recursive:
		errs = append(errs, errors.New("--recursive is about directories; name them by -f"))
	case o.pool == "":
		errs = append(errs, errors.New("--pool is missing; name the MachineConfigPool, or give files by -f"))
	}
	return errors.Join(append(errs, o.connection.Validate())...)
}
