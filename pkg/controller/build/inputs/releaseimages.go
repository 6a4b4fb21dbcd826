package inputs

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// ReleaseBuilderImage is the image of the operator's release, which has what a Job builds
// with, as the ConfigMap machine-config-operator-images names it; why says why there is none.
func ReleaseBuilderImage(configMap *corev1.ConfigMap) (image, why string) {
	text, ok := configMap.Data[constants.OperatorImagesKey]
	if !ok {
		return "", "has no key " + constants.OperatorImagesKey
	}
	var images struct {
		Operator string `json:"machineConfigOperator"`
	}
	if err := json.Unmarshal([]byte(text), &images); err != nil {
		return "", fmt.Sprintf("has a key %s that is not JSON", constants.OperatorImagesKey)
	}
	image, err := ParseBaseImage(images.Operator)
	if err != nil {
		return "", fmt.Sprintf("has, in key %s, for machineConfigOperator %s, which %v", constants.OperatorImagesKey, quote(images.Operator), err)
	}
	return image, ""
}
