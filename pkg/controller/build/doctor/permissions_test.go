package doctor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
)

// TestEveryPermissionIsMissed: none of them is asked for in vain.
func TestEveryPermissionIsMissed(t *testing.T) {
	for _, permission := range Permissions(openshift.Backend{}) {
		w := newWorld()
		w.Denied = []Permission{permission}
		findings := Examine(w.Objects)
		require.Len(t, findings, 1)
		require.Contains(t, findings[0].Problem, "may not "+permission.Verb+" "+permission.Resource+" ")
	}
}
