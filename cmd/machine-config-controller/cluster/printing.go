package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// Printing are the flags of how kubectl writes, beside -o itself. The zero value is that no
// flag was given.
type Printing struct {
	NoHeaders bool
	templates *genericclioptions.KubeTemplatePrintFlags
}

// templated are the forms that take an argument after a =.
var templated = []string{
	"jsonpath", "jsonpath-as-json", "jsonpath-file", "go-template", "go-template-file", customColumns, customColumnsFile,
}

// AddFlags adds the flags to a command, and its -o.
func (p *Printing) AddFlags(cmd *cobra.Command, output *string, forms []string) {
	p.templates = genericclioptions.NewKubeTemplatePrintFlags()
	cmd.Flags().StringVarP(output, "output", "o", *output, "Form of the output: "+strings.Join(forms, ", ")+", or with a = and its argument "+strings.Join(templated, ", ")+".")
	cmd.Flags().BoolVar(&p.NoHeaders, "no-headers", p.NoHeaders, "Leave out the titles of the columns.")
	cmd.Flags().BoolVar(p.templates.AllowMissingKeys, "allow-missing-template-keys", true, "Write nothing for what is not there, in place of ending with an error. Of jsonpath and go-template.")
	// It cannot fail: the flag was just added.
	_ = cmd.RegisterFlagCompletionFunc("output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		completions := slices.Clone(forms)
		for _, form := range templated {
			completions = append(completions, form+"=")
		}
		return completions, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// Validate reports a form that there is not, or whose argument makes no sense.
func (p *Printing) Validate(output string, forms []string) error {
	if slices.Contains(forms, output) {
		return nil
	}
	printer, err := p.Printer(output)
	switch {
	case err != nil:
		return fmt.Errorf("--output %q: %w", output, err)
	case printer == nil:
		return fmt.Errorf("--output %q is none of %s, %s", output, strings.Join(forms, ", "), strings.Join(templated, "=…, ")+"=…")
	}
	return nil
}

// Printer writes a value for tools. Columns are of the rows, which are what the value is a
// list of.
type Printer func(out io.Writer, value any, rows []any) error

// Printer is that of a form which takes an argument; nil if it is none of these.
func (p *Printing) Printer(output string) (Printer, error) {
	form, argument, found := strings.Cut(output, "=")
	if !slices.Contains(templated, form) {
		return nil, nil
	}
	if !found || argument == "" {
		return nil, fmt.Errorf("it takes an argument, as in %s", map[bool]string{true: form + "=FILE", false: examplesOf[form]}[strings.HasSuffix(form, "-file")])
	}
	if form == customColumns || form == customColumnsFile {
		return p.columns(form, argument)
	}
	templates := p.templates
	if templates == nil {
		templates = genericclioptions.NewKubeTemplatePrintFlags()
	}
	printer, err := templates.ToPrinter(output)
	if err != nil {
		return nil, err
	}
	return func(out io.Writer, value any, _ []any) error {
		data, err := generic(value)
		if err != nil {
			return err
		}
		return printer.PrintObj(&unstructured.Unstructured{Object: data}, out)
	}, nil
}

var examplesOf = map[string]string{
	"jsonpath": "jsonpath='{.pools[*].name}'", "jsonpath-as-json": "jsonpath-as-json='{.pools[*].name}'",
	"go-template": "go-template='{{range .pools}}{{.name}} {{end}}'", customColumns: "custom-columns=NAME:.name,STATE:.state",
}

// generic is a value as tools see it: that of its JSON.
func generic(value any) (map[string]any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	data := map[string]any{}
	return data, utiljson.Unmarshal(text, &data)
}

// Rows are the items of a list, for a Printer.
func Rows[T any](items []T) []any {
	rows := make([]any, 0, len(items))
	for i := range items {
		rows = append(rows, items[i])
	}
	return rows
}

// ResourceName is what -o name writes of an object that is called by its kind and name, such as
// "Secret push"; empty if the text is not that.
func ResourceName(object string, backend imagebuilder.Backend) string {
	kind, name, found := strings.Cut(object, " ")
	if !found || strings.Contains(name, " ") {
		return ""
	}
	group := ""
	switch kind {
	case "MachineConfigPool", "MachineConfig", "ControllerConfig":
		group = "." + mcfgv1.GroupName
	case "Lease":
		group = ".coordination.k8s.io"
	}
	for _, b := range imagebuilder.All(backend) {
		if about := b.About(); kind == about.Kind {
			group = "." + about.Group
		}
	}
	return strings.ToLower(kind) + group + "/" + name
}
