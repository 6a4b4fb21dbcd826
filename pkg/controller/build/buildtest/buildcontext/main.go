// Command buildcontext writes what a build of a MachineConfig works on into a
// directory, without a cluster: the Containerfile and the pieces of the archive. The
// end-to-end tests, which are a module of their own, make real images from it.
//
// It reads a JSON document from standard input, see spec, and writes one about what
// is in the image to standard output.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/content"
)

// spec is what to build.
type spec struct {
	Pool            string               `json:"pool"`
	BaseImage       string               `json:"baseImage"`
	ExtensionsImage string               `json:"extensionsImage"`
	TrustBundle     string               `json:"trustBundle"`
	Custom          string               `json:"custom"`
	MachineConfig   mcfgv1.MachineConfig `json:"machineConfig"`
}

// result is what is in the image, and what is not.
type result struct {
	Entries    []content.Entry     `json:"entries"`
	UnitStates []content.UnitState `json:"unitStates"`
	Derived    []content.Derived   `json:"derived"`
	Users      []content.User      `json:"users"`
	LeftOut    []content.LeftOut   `json:"leftOut"`
	Findings   []content.Finding   `json:"findings"`
	Pieces     []string            `json:"pieces"`
}

func main() {
	dir := flag.String("dir", "", "directory to write to; it has to exist")
	flag.Parse()
	if err := run(*dir, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, in io.Reader, out io.Writer) error {
	var s spec
	if err := json.NewDecoder(in).Decode(&s); err != nil {
		return fmt.Errorf("could not decode input: %w", err)
	}
	containerfile, err := s.containerfile()
	if err != nil {
		return err
	}
	parsed, problem := content.Parse(s.MachineConfig.Name, s.MachineConfig.Spec.Config.Raw)
	if problem != nil {
		return errors.New(problem.String())
	}
	certificates, problem := inputs.ParseTrustBundle([]byte(s.TrustBundle))
	if problem != nil {
		return errors.New(problem.String())
	}
	archive, problem := content.Pack(&s.MachineConfig, parsed, certificates)
	if problem != nil {
		return errors.New(problem.String())
	}

	files := map[string][]byte{"Containerfile": []byte(containerfile)}
	r := result{
		Entries: parsed.Entries, UnitStates: parsed.UnitStates, Derived: parsed.Derived, Users: parsed.Users, Findings: parsed.Findings,
		LeftOut: append(parsed.LeftOut, content.LeftOutOf(&s.MachineConfig.Spec)...),
	}
	for _, piece := range archive.Pieces {
		files[piece.Name] = piece.Data
		r.Pieces = append(r.Pieces, piece.Name)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("could not write build context: %w", err)
		}
	}
	return json.NewEncoder(out).Encode(r)
}

func (s *spec) containerfile() (string, error) {
	packages, problems := inputs.ParsePackages(s.MachineConfig.Name, s.MachineConfig.Spec.KernelType, s.MachineConfig.Spec.Extensions)
	if len(problems) > 0 {
		return "", errors.New(inputs.JoinProblems(problems))
	}
	custom, problem := inputs.ParseCustom(s.Pool, s.Custom)
	if problem != nil {
		return "", errors.New(problem.String())
	}
	identity := inputs.Identity{
		Pool: s.Pool, RenderedConfig: s.MachineConfig.Name, RenderedConfigGeneration: s.MachineConfig.Generation,
		BaseImage: s.BaseImage, ExtensionsImage: s.ExtensionsImage, Packages: packages, Custom: custom,
	}
	return identity.Recipe(identity.Fingerprint()).Containerfile()
}
