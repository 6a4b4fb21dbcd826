package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// TestNewestBuildIsAdopted: after the loss of its record a pool must not go back to
// an image from before a rebuild.
func TestNewestBuildIsAdopted(t *testing.T) {
	for _, phase := range []imagebuilder.Phase{imagebuilder.PhaseSucceeded, imagebuilder.PhaseRunning} {
		for _, newer := range []string{"build-1", "build-2"} {
			age := func(b *imagebuilder.Observation) {
				b.Created = now.Add(-time.Hour)
				if b.Name == newer {
					b.Created = now.Add(-time.Minute)
				}
			}
			p := Compute(with(ready(), observed("build-1", phase, age), observed("build-2", phase, age)))
			require.Equal(t, "VerifyBuild "+newer, outline(p.Effects)[1], "%v", phase)
		}
	}
}
