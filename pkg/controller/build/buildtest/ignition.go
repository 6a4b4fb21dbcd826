package buildtest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// rawIgnition is a small Ignition config that differs by name.
func rawIgnition(name string) runtime.RawExtension {
	return runtime.RawExtension{Raw: fmt.Appendf(nil,
		`{"ignition":{"version":"3.5.0"},"storage":{"files":[{"path":"/etc/%s","mode":384,"contents":{"source":"data:,%s"}}]}}`,
		name, Canary)}
}
