package clustertest

import (
	"bytes"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// Update is the flag that has golden files written anew.
var Update = flag.Bool("update", false, "write the golden files anew")

// RequireGolden compares an output with the file of that name below testdata.
func RequireGolden(t *testing.T, name, got, reason string) {
	t.Helper()
	RequireNoCanary(t, got)
	require.NotContains(t, got, buildtest.Canary)
	golden := filepath.Join("testdata", name)
	if *Update {
		require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s; -update writes the golden files anew", reason)
}

// RequireNoCanary looks for the word canary, which whatever must not be shown has in it.
func RequireNoCanary(t *testing.T, output string) {
	t.Helper()
	for _, form := range Canaries() {
		require.NotContains(t, output, form)
	}
}

// Canaries are the forms of the word, as it is and in base64, where it looks different
// for each place that it may begin at, and its neighbours decide on the outermost
// characters.
func Canaries() []string {
	const canary = "canary"
	forms := []string{canary}
	for offset := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + canary))
		forms = append(forms, encoded[offset+1:len(encoded)-1])
	}
	return forms
}

// Program is the name that the program has in messages.
const Program = "machine-config-controller"

// Execute runs a command as the program does.
func Execute(t *testing.T, command *cobra.Command, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&errs)
	if err := command.ExecuteContext(t.Context()); err != nil {
		code = cluster.ExitCode(err, Program, &errs)
	}
	return out.String(), errs.String(), code
}
