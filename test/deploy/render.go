package deploy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Render returns what "kubectl apply -k" of the directory would send.
func Render(dir string) (string, error) {
	options := krusty.MakeDefaultOptions()
	// As kubectl does.
	options.Reorder = krusty.ReorderOptionLegacy
	rendered, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return "", fmt.Errorf("could not render %s: %w", dir, err)
	}
	manifest, err := rendered.AsYaml()
	if err != nil {
		return "", fmt.Errorf("could not encode what %s renders to: %w", dir, err)
	}
	return string(manifest), nil
}

// Manifests are the objects that a directory renders to.
type Manifests []*unstructured.Unstructured

// Load renders the directory and decodes what comes of it.
func Load(dir string) (Manifests, error) {
	manifest, err := Render(dir)
	if err != nil {
		return nil, err
	}
	var all Manifests
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("could not decode what %s renders to: %w", dir, err)
		}
		all = append(all, object)
	}
}

// MachineOSConfigs is the component's directory below that of what ships.
const MachineOSConfigs = "machine-os-configs"

// WriteOverlay makes the directory an overlay of what ships, in the other one, with the components, as an administrator
// would write it by the operator's guide.
func WriteOverlay(dir, shipped string, components ...string) error {
	// Kustomize takes relative paths only.
	from, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("could not find %s: %w", dir, err)
	}
	to, err := filepath.Abs(shipped)
	if err != nil {
		return fmt.Errorf("could not find %s: %w", shipped, err)
	}
	base, err := filepath.Rel(from, to)
	if err != nil {
		return fmt.Errorf("could not refer to %s from %s: %w", to, from, err)
	}
	kustomization := kustomize.Kustomization{Resources: []string{base}}
	for _, component := range components {
		kustomization.Components = append(kustomization.Components, filepath.Join(base, component))
	}
	text, err := yaml.Marshal(kustomization)
	if err != nil {
		return fmt.Errorf("could not encode the overlay: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), text, 0o600); err != nil {
		return fmt.Errorf("could not write the overlay: %w", err)
	}
	return nil
}

// DeepCopy is for tests that change something.
func (m Manifests) DeepCopy() Manifests {
	var all Manifests
	for _, object := range m {
		all = append(all, object.DeepCopy())
	}
	return all
}

// Decode converts the one object of the kind and name; an unknown field is an error.
func (m Manifests) Decode(kind, name string, into any) error {
	for _, object := range m {
		if object.GetKind() == kind && object.GetName() == name {
			return decode(object, into)
		}
	}
	return fmt.Errorf("could not find %s %s among the manifests", kind, name)
}

func decode(object *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true); err != nil {
		return fmt.Errorf("could not decode %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

// Name is that of the Deployment, the service account, the lease, and all else that is ours alone.
const Name = "machine-os-build-controller"

// Deployment is the controller's.
func (m Manifests) Deployment() (*appsv1.Deployment, error) {
	deployment := &appsv1.Deployment{}
	return deployment, m.Decode("Deployment", Name, deployment)
}

// ControllerArgs are the arguments with which each replica of the controller runs.
func (m Manifests) ControllerArgs() ([]string, error) {
	deployment, err := m.Deployment()
	if err != nil {
		return nil, err
	}
	for i := range deployment.Spec.Template.Spec.Containers {
		if container := &deployment.Spec.Template.Spec.Containers[i]; container.Name == "machine-config-controller" {
			return container.Args, nil
		}
	}
	return nil, errors.New("could not find container machine-config-controller in the Deployment")
}
