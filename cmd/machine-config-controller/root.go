package main

import (
	"flag"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/doctor"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/renderbuild"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/status"
)

// The names under which the program is a plugin of kubectl, and completes the plugin's
// arguments. kubectl finds both by these, and oc does, too.
const (
	pluginName     = "-machine_os"
	completionName = "_complete-machine_os"
)

// program is what the program was called as.
type program struct {
	// name is that of the file, and shown what a person has typed.
	name, shown string
	plugin      bool
	// completes tells that it is asked for completions only.
	completes bool
}

// calledAs reads the name by which the program was called.
func calledAs(path string) program {
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	for _, host := range []string{"kubectl", "oc"} {
		shown := host + " machine-os"
		switch name {
		case host + pluginName:
			return program{name: name, shown: shown, plugin: true}
		case host + completionName:
			return program{name: host + pluginName, shown: shown, plugin: true, completes: true}
		}
	}
	return program{name: componentName, shown: componentName}
}

// arguments are those of the command line, for a program that was called with these.
func (p program) arguments(given []string) []string {
	if p.completes {
		return append([]string{cobra.ShellCompRequestCmd}, given...)
	}
	return given
}

func newRootCommand() *cobra.Command { return newRootCommandOf(calledAs(componentName)) }

// newRootCommandOf makes the commands. A plugin has those for people only.
func newRootCommandOf(p program) *cobra.Command {
	root := &cobra.Command{
		Use:           p.name,
		Short:         "Builds the OS images of MachineConfigPools that opted in",
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: p.shown},
	}
	backend := newBackend()
	root.AddCommand(status.NewCommand(backend), doctor.NewCommand(backend), renderbuild.NewCommand(backend), newVersionCommand())
	logging := loggingFlags()
	if p.plugin {
		root.Short = "Tells where the OS images of MachineConfigPools stand, and what is wrong"
		for _, cmd := range root.Commands() {
			cmd.Long, cmd.Example = strings.ReplaceAll(cmd.Long, componentName, p.shown), strings.ReplaceAll(cmd.Example, componentName, p.shown)
		}
	} else {
		start := newStartCommand()
		start.Flags().AddFlagSet(logging)
		root.AddCommand(start)
	}
	// Everywhere else they are accepted, as ever, and not shown.
	logging.VisitAll(func(f *pflag.Flag) {
		hidden := *f
		hidden.Hidden = true
		root.PersistentFlags().AddFlag(&hidden)
	})
	return root
}

func loggingFlags() *pflag.FlagSet {
	logging := flag.NewFlagSet("logging", flag.ContinueOnError)
	klog.InitFlags(logging)
	flags := pflag.NewFlagSet("logging", pflag.ContinueOnError)
	flags.AddGoFlagSet(logging)
	return flags
}
