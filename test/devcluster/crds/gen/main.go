// Command gen copies definitions from the OpenShift API module into the current directory.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/openshift/machine-config-operator/test/devcluster/crds"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/openshift/api").Output()
	if err != nil {
		return fmt.Errorf("could not locate the OpenShift API module: %w", err)
	}
	for _, name := range crds.FromModule {
		content, err := os.ReadFile(filepath.Join(string(bytes.TrimSpace(dir)), "payload-manifests", "crds", name))
		if err != nil {
			return fmt.Errorf("could not read definition: %w", err)
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return fmt.Errorf("could not write definition: %w", err)
		}
	}
	return nil
}
