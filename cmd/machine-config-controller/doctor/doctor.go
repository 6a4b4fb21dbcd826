// Package doctor is the command doctor: it gathers what package build/doctor examines.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/doctor"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

const doctorHelp = `Find what is wrong around the BuildController, whether or not it runs, and say how to
repair it: bad configuration, pools whose build is held, failed, stuck or not taken
notice of, objects that nobody owns, references to what does not exist, conditions that
exclude each other, and permissions that the controller lacks.

Nothing is changed. What passes by itself is not reported: objects and pools that were
made or changed within the last minute are left alone, and what a first look finds
counts only if a second one, two seconds later, finds it, too.

It reads MachineConfigPools, MachineConfigs, the ControllerConfig, MachineOSConfigs and
MachineOSBuilds where the cluster serves them, and in namespace
openshift-machine-config-operator the controller's Deployment, ConfigMaps, Builds, the Secrets that the settings name
(of others only metadata), the Lease and the ServiceAccount. The permissions of the
controller's service account are found out by SubjectAccessReviews, which take a cluster
administrator. Whatever these credentials do not suffice for is listed as not checked.
The content of no Secret is shown.

-o name writes the objects that something is wrong with; custom-columns are of the
findings, as in -o custom-columns=CHECK:.check,OBJECT:.object.

Exit codes:
  0  nothing is wrong, or there are only warnings
  1  error: a bad flag, a cluster that refuses or does not answer
  2  there are findings of severity error`

const doctorExample = `  machine-config-controller doctor
  machine-config-controller doctor --kubeconfig admin.yaml -o json | jq -r '.findings[].object'`

// options are the flags of the doctor command.
type options struct {
	output string
	// account is the service account of the controller, as namespace/name; empty not to
	// check its permissions.
	account string
	// again is how long the second look comes after the first one.
	again      time.Duration
	printing   cluster.Printing
	connection cluster.Options
}

// NewCommand makes the command doctor, of builds that the backend runs.
func NewCommand(backend cluster.Backend) *cobra.Command {
	o := &options{
		output: cluster.Text, account: ctrlcommon.MCONamespace + "/" + constants.ControllerName, again: 2 * time.Second, connection: cluster.NewOptions(),
	}
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Find what is wrong, and say how to repair it",
		Long:    doctorHelp,
		Example: doctorExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			clients, err := cluster.Connect(&o.connection, backend, "doctor")
			if err != nil {
				return err
			}
			return clients.Explain(examine(cmd.Context(), examiner{clients}, o, cmd.OutOrStdout()))
		},
	}
	o.addFlags(cmd)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return cmd
}

func (o *options) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.printing.AddFlags(cmd, &o.output, cluster.Forms)
	flags.StringVar(&o.account, "service-account", o.account, "Service account that the controller runs under, as namespace/name; the namespace may come from --namespace. Empty: its permissions are not checked.")
	o.connection.AddFlags(cmd)
}

// validate reports every flag that makes no sense.
func (o *options) validate() error {
	var errs []error
	if err := o.printing.Validate(o.output, cluster.Forms); err != nil {
		errs = append(errs, err)
	}
	if namespace, name, found := strings.Cut(o.accountName(), "/"); o.account != "" && (!found || namespace == "" || name == "" || strings.Contains(name, "/")) {
		errs = append(errs, fmt.Errorf("--service-account %q is not namespace/name", o.account))
	}
	return errors.Join(append(errs, o.connection.Validate())...)
}

// accountName is the service account, in the namespace that --namespace names if it names none.
func (o *options) accountName() string {
	if o.account == "" || strings.Contains(o.account, "/") || o.connection.Namespace() == "" {
		return o.account
	}
	return o.connection.Namespace() + "/" + o.account
}

// examiner looks at a cluster.
type examiner struct{ *cluster.Clients }

// writeText shows on a terminal by colours how bad it is.
func writeText(out io.Writer, report *doctor.Report) error {
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		return err
	}
	first := cluster.Green
	if len(report.Findings) > 0 {
		first = ""
	}
	_, err := io.WriteString(out, cluster.TerminalOf(out).PaintLines(text.String(), func(line string) cluster.Colour {
		switch {
		case line == "Errors":
			return cluster.Red
		case line == "Warnings":
			return cluster.Yellow
		case strings.HasPrefix(line, "Looked at "):
			return first
		}
		return ""
	}))
	return err
}

// names are the objects that something is wrong with.
func (e examiner) names(report *doctor.Report) (names []string) {
	for i := range report.Findings {
		name := cluster.ResourceName(report.Findings[i].Object, e.Backend)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// examine looks, and if there is anything, looks again; the error says how the program
// ends.
func examine(ctx context.Context, e examiner, o *options, out io.Writer) error {
	// Otherwise one request after the other would have to be waited for in vain.
	if err := e.Reach(ctx); err != nil {
		return err
	}
	access := e.gatherAccess(ctx, o.accountName())
	report, err := e.look(ctx, access)
	if err != nil {
		return err
	}
	if len(report.Findings) > 0 {
		select {
		case <-time.After(o.again):
		case <-ctx.Done():
			return ctx.Err()
		}
		first := report.Findings
		if report, err = e.look(ctx, access); err != nil {
			return err
		}
		report.Findings = slices.DeleteFunc(report.Findings, func(f doctor.Finding) bool {
			return !slices.ContainsFunc(first, func(before doctor.Finding) bool { return f.Is(&before) })
		})
	}
	if report.Findings == nil {
		// Tools are given an empty list.
		report.Findings = []doctor.Finding{}
	}
	written := cluster.Report{Value: report, Rows: cluster.Rows(report.Findings), Names: e.names(report), Text: func(out io.Writer) error { return writeText(out, report) }}
	if err := o.printing.Write(out, written, o.output); err != nil {
		return err
	}
	if report.Count(doctor.Error) > 0 {
		return &cluster.ExitError{Code: cluster.ExitAttention}
	}
	return nil
}
