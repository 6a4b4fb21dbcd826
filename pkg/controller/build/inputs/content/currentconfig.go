package content

import (
	"encoding/json"
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// keptAnnotations say which operator rendered the config. Others may hold anything,
// what was last applied by hand included.
var keptAnnotations = []string{
	"machineconfiguration.openshift.io/generated-by-controller-version",
	"machineconfiguration.openshift.io/release-image-version",
}

// CurrentConfig is the rendered MachineConfig as the node's agent is to find it in
// the image: it says what the image was made from and nothing that is left to the
// node, so that the agent still applies that. It is JSON and depends on nothing but
// the config's content.
func CurrentConfig(config *mcfgv1.MachineConfig, content *Content) ([]byte, error) {
	current := mcfgv1.MachineConfig{
		TypeMeta:   metav1.TypeMeta{APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineConfig"},
		ObjectMeta: metav1.ObjectMeta{Name: config.Name},
		Spec:       *config.Spec.DeepCopy(),
	}
	for _, key := range keptAnnotations {
		if value, ok := config.Annotations[key]; ok {
			metav1.SetMetaDataAnnotation(&current.ObjectMeta, key, value)
		}
	}
	current.Spec.Config = runtime.RawExtension{Raw: content.Ignition}
	current.Spec.KernelArguments = nil
	text, err := json.Marshal(&current)
	if err != nil {
		return nil, fmt.Errorf("could not encode MachineConfig %s: %w", config.Name, err)
	}
	return text, nil
}

// LeftOutOf lists what of a MachineConfig, besides its Ignition config, is left to
// the node.
func LeftOutOf(spec *mcfgv1.MachineConfigSpec) []LeftOut {
	var leftOut []LeftOut
	if len(spec.KernelArguments) > 0 {
		leftOut = append(leftOut, LeftOut{What: "spec.kernelArguments", Why: "an image has no boot loader entries"})
	}
	if spec.FIPS {
		leftOut = append(leftOut, LeftOut{What: "spec.fips", Why: "a machine enters FIPS mode when it is installed"})
	}
	return leftOut
}
