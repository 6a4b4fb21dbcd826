package build

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestRegistryCAs: what nodes write into directories of registries, builders get.
func TestRegistryCAs(t *testing.T) {
	require.Empty(t, registryCAs(&mcfgv1.ControllerConfig{}))
	require.Equal(t, []imagebuilder.RegistryCA{
		{Host: "image-registry.openshift-image-registry.svc:5000", PEM: []byte("cluster")},
		{Host: "mirror.example.com", PEM: []byte("user")},
		{Host: "registry.example.com:8443", PEM: []byte("user, too")},
	}, registryCAs(&mcfgv1.ControllerConfig{Spec: mcfgv1.ControllerConfigSpec{
		ImageRegistryBundleData: []mcfgv1.ImageRegistryBundle{
			{File: "mirror.example.com", Data: []byte("cluster, which nodes write over")},
			{File: "image-registry.openshift-image-registry.svc..5000", Data: []byte("cluster")},
		},
		ImageRegistryBundleUserData: []mcfgv1.ImageRegistryBundle{
			{File: "registry.example.com..8443", Data: []byte("user, too")}, {File: "mirror.example.com", Data: []byte("user")},
		},
	}}))
}
