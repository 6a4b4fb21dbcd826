// Package renderbuild is the command render-build: it gathers, from a cluster or from files,
// what a preview is made of.
package renderbuild

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/preview"
)

const renderBuildHelp = `Tell what the BuildController would build for a pool, and why or why not, without
building anything: the decision, the Containerfile, the Build and its inputs, and
every file and unit of the image with its mode, owner and size. The content of files,
Secrets and keys is not shown.

The objects come from a cluster (--pool), or from files (-f), which takes neither a
cluster nor a network: YAML or JSON, of the kinds MachineConfigPool, MachineConfig,
ControllerConfig, MachineOSConfig, MachineOSBuild, ConfigMap, Secret, Build, Job and
List, as "oc get -o yaml" prints them.
Secrets that are not among the files are taken for usable, and listed as not checked.
-f - reads standard input, and -R directories with all that is below them: so a
must-gather can be looked at. -o name writes the objects that would be created.

Exit codes:
  0  nothing to build: the image of these inputs is published, or is known and is
     published without a build
  1  error: a bad flag, a file that cannot be read, a cluster that refuses or does not
     answer
  2  an image would be built: a build would start, is queued or under way, or would be
     tried again
  3  blocked: there is no image, and there will be none until someone changes what the
     reason names; the reason is on stderr, too`

const renderBuildExample = `  machine-config-controller render-build --pool worker --diff
  machine-config-controller render-build --context production --pool worker --server-dry-run
  machine-config-controller render-build -f pool.yaml -f rendered/ -o yaml
  machine-config-controller render-build -R -f must-gather.local.1234567890 --pool worker
  oc get machineconfigpools,machineconfigs,controllerconfigs -o yaml |
    machine-config-controller render-build -f - --pool worker`

// Exit codes of render-build beside 0 and 1.
const (
	exitWouldBuild = 2
	exitBlocked    = 3
)

// NewCommand makes the command render-build, of builds that the backend runs.
func NewCommand(backend cluster.Backend) *cobra.Command {
	o := &options{output: cluster.Text, connection: cluster.NewOptions()}
	cmd := &cobra.Command{
		Use:     "render-build",
		Short:   "Look before you build: tell what would be built for a pool, and why",
		Long:    renderBuildHelp,
		Example: renderBuildExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return renderBuild(cmd.Context(), o, backend, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	o.addFlags(cmd)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	// They cannot fail: the flags were just added.
	_ = cmd.RegisterFlagCompletionFunc("pool", cluster.CompletePools(&o.connection, backend))
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
	return cmd
}

// renderBuild writes the report; the error says how the program ends.
func renderBuild(ctx context.Context, o *options, backend cluster.Backend, in io.Reader, out io.Writer) error {
	objects, clients, err := o.gather(ctx, backend, in)
	if err != nil {
		return err
	}
	report, creation, err := preview.New(objects.Objects, backend, o.diff)
	if err != nil {
		return err
	}
	report.NotChecked = append(report.NotChecked, objects.NotChecked...)
	report.Warnings = append(report.Warnings, objects.Ignored...)
	if o.serverDryRun {
		serverDryRun(ctx, clients, report, creation)
	}
	written := cluster.Report{Value: report, Rows: []any{report}, Names: namesOf(creation, backend), Text: func(out io.Writer) error { return writeText(out, report) }}
	if err := o.printing.Write(out, written, o.output); err != nil {
		return err
	}
	switch report.Outcome {
	case preview.WouldBuild:
		return &cluster.ExitError{Code: exitWouldBuild}
	case preview.Blocked:
		return &cluster.ExitError{Code: exitBlocked, Message: fmt.Sprintf("blocked: %s: %s", report.Reason, report.Message)}
	}
	return nil
}

// writeText shows on a terminal by a colour what would come.
func writeText(out io.Writer, report *preview.Report) error {
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		return err
	}
	headline, _, _ := strings.Cut(text.String(), "\n")
	colours := map[preview.Outcome]cluster.Colour{preview.NothingToBuild: cluster.Green, preview.WouldBuild: cluster.Cyan, preview.Blocked: cluster.Red}
	_, err := io.WriteString(out, cluster.TerminalOf(out).PaintLines(text.String(), func(line string) cluster.Colour {
		if line == headline {
			return colours[report.Outcome]
		}
		return ""
	}))
	return err
}

// namesOf are the objects that would be created.
func namesOf(creation *imagebuilder.Objects, backend imagebuilder.Backend) (names []string) {
	if creation == nil {
		return nil
	}
	for _, secret := range creation.Secrets {
		names = append(names, cluster.ResourceName(inputs.SecretObject(secret.Name), backend))
	}
	if build, err := meta.Accessor(creation.Build); err == nil {
		names = append(names, cluster.ResourceName(imagebuilder.Of(backend, creation.Backend).About().Kind+" "+build.GetName(), backend))
	}
	return names
}

// gather gets the objects from where the flags say. The clients are nil without a cluster.
func (o *options) gather(ctx context.Context, backend cluster.Backend, in io.Reader) (*cluster.Objects, *cluster.Clients, error) {
	if len(o.files) > 0 {
		objects, err := o.fromFiles(backend, in)
		return objects, nil, err
	}
	clients, err := cluster.Connect(&o.connection, backend, "render-build")
	if err != nil {
		return nil, nil, err
	}
	objects, err := clients.Gather(ctx, o.pool)
	return objects, clients, clients.Explain(err)
}
