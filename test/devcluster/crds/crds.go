// Package crds has the custom resource definitions of a devcluster.
//
// Those of the machineconfiguration.openshift.io group are the OpenShift API module's own, copied by "go generate" so that a
// built program needs no module cache. The one for Builds is a stand-in written here: on OpenShift an aggregated API server
// serves them, not a CRD. So are those of the monitoring stack, which nobody reads here: they let manifests be applied.
package crds

import (
	"embed"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

//go:generate go run ./gen

// FromModule names the definitions that are copied from the OpenShift API module, for a self-managed cluster with the default
// feature set.
var FromModule = []string{
	"0000_80_machine-config_01_controllerconfigs-Default.crd.yaml",
	"0000_80_machine-config_01_machineconfigpools-SelfManagedHA.crd.yaml",
	"0000_80_machine-config_01_machineconfigs.crd.yaml",
	"0000_80_machine-config_01_machineosbuilds.crd.yaml",
	"0000_80_machine-config_01_machineosconfigs.crd.yaml",
}

// standIns are written here.
var standIns = []string{"builds.crd.yaml", "prometheusrules.crd.yaml", "servicemonitors.crd.yaml"}

//go:embed *.yaml
var files embed.FS

// All returns the definitions to install.
func All() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, name := range append(slices.Clone(FromModule), standIns...) {
		content, err := Read(name)
		if err != nil {
			return nil, err
		}
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(content, &crd.Object); err != nil {
			return nil, fmt.Errorf("could not decode %s: %w", name, err)
		}
		all = append(all, crd)
	}
	return all, nil
}

// Read returns one of the embedded files.
func Read(name string) ([]byte, error) {
	content, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("could not read embedded %s: %w", name, err)
	}
	return content, nil
}
