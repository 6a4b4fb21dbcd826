package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/preview"
)

const renderBuildHelp = `Tell what the BuildController would build for a pool, and why or why not, without
building anything: the decision, the Containerfile, the Build and its inputs, and
every file and unit of the image with its mode, owner and size. The content of files,
Secrets and keys is not shown.

The objects come from a cluster (--pool), or from files (-f), which takes neither a
cluster nor a network: YAML or JSON, of the kinds MachineConfigPool, MachineConfig,
ControllerConfig, ConfigMap, Secret, Build and List, as "oc get -o yaml" prints them.
Secrets that are not among the files are taken for usable, and listed as not checked.

Exit codes:
  0  nothing to build: the image of these inputs is published, or is known and is
     published without a build
  1  error: a bad flag, a file that cannot be read, a cluster that does not answer
  2  an image would be built: a build would start, is queued or under way, or would be
     tried again
  3  blocked: there is no image, and there will be none until someone changes what the
     reason names; the reason is on stderr, too`

const renderBuildExample = `  machine-config-controller render-build --kubeconfig ~/.kube/config --pool worker --diff
  machine-config-controller render-build --kubeconfig ~/.kube/config --pool worker --server-dry-run
  machine-config-controller render-build -f pool.yaml -f rendered/ -o yaml`

// Exit codes of render-build beside 0 and 1.
const (
	exitWouldBuild = 2
	exitBlocked    = 3
)

// exitError ends the program with a code. Its message, if any, goes to stderr.
type exitError struct {
	code    int
	message string
}

func (e *exitError) Error() string { return e.message }

func newRenderBuildCommand(backend clusterBackend) *cobra.Command {
	o := &renderOptions{output: outputText, clusterOptions: newClusterOptions()}
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
			return renderBuild(cmd.Context(), o, backend, cmd.OutOrStdout())
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// renderBuild writes the report; the error says how the program ends.
func renderBuild(ctx context.Context, o *renderOptions, backend clusterBackend, out io.Writer) error {
	objects, clients, err := o.gather(ctx, backend)
	if err != nil {
		return err
	}
	report, creation, err := preview.New(objects.Objects, backend, o.diff)
	if err != nil {
		return err
	}
	report.NotChecked = append(report.NotChecked, objects.notChecked...)
	report.Warnings = append(report.Warnings, objects.ignored...)
	if o.serverDryRun {
		serverDryRun(ctx, clients, report, creation)
	}
	if err := write(out, report, o.output); err != nil {
		return err
	}
	switch report.Outcome {
	case preview.WouldBuild:
		return &exitError{code: exitWouldBuild}
	case preview.Blocked:
		return &exitError{code: exitBlocked, message: fmt.Sprintf("blocked: %s: %s", report.Reason, report.Message)}
	}
	return nil
}

// gathered are the objects, and what could not be found out about them.
type gathered struct {
	build.Objects
	notChecked []string
	// ignored are objects that were given and that nothing depends on.
	ignored []string

	// forbidden are the errors of reading what these credentials may not, of objects
	// that a decision cannot be made without.
	forbidden error
	// builds are those of all pools. The flags tell whether they and the ConfigMaps
	// could be read.
	builds                       []imagebuilder.Made
	buildsKnown, configMapsKnown bool
}

// gather gets the objects from where the flags say. The clients are nil without a cluster.
func (o *renderOptions) gather(ctx context.Context, backend clusterBackend) (*gathered, *clusterClients, error) {
	if len(o.files) > 0 {
		objects, err := o.fromFiles(backend)
		return objects, nil, err
	}
	clients, err := newClusterClients(&o.clusterOptions, backend, "render-build")
	if err != nil {
		return nil, nil, err
	}
	objects, err := clients.gather(ctx, o.pool)
	return objects, clients, err
}

// quoted lists names for a message.
func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }
