package rollout

import (
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

func TestDecide(t *testing.T) {
	const wanted, image, other = "rendered-worker-1", "r/os@sha256:1", "r/os@sha256:2"
	build := func(name, config string, progress mcfgv1.BuildProgress, digest string) *mcfgv1.MachineOSBuild {
		b := &mcfgv1.MachineOSBuild{ObjectMeta: metav1.ObjectMeta{Name: name}}
		b.Spec.MachineOSConfig.Name, b.Spec.MachineConfig.Name = "worker", config
		b.Status.Conditions = []metav1.Condition{{Type: string(progress), Status: metav1.ConditionTrue}}
		b.Status.DigestedImagePushSpec = mcfgv1.ImageDigestFormat(digest)
		return b
	}
	const succeeded, failed, building = mcfgv1.MachineOSBuildSucceeded, mcfgv1.MachineOSBuildFailed, mcfgv1.MachineOSBuilding
	goes := Decision{Layered: true, Goes: true, Image: image, Config: wanted}
	for name, test := range map[string]struct {
		reason string
		// none is no MachineOSConfig, current the annotation and image the status of the one there is.
		none           bool
		current, image string
		builds         []*mcfgv1.MachineOSBuild
		want           Decision
	}{
		"opted out":        {reason: "the nodes go back to the base", none: true, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, succeeded, image)}},
		"no build":         {reason: "it comes", image: image, want: Decision{Layered: true}},
		"no image":         {reason: "the image is what starts it", builds: []*mcfgv1.MachineOSBuild{build("a", wanted, succeeded, image)}, want: Decision{Layered: true}},
		"builds":           {reason: "what there is is the image of before", current: "a", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, building, "")}, want: Decision{Layered: true}},
		"failed":           {reason: "people have to look", current: "a", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, failed, "")}, want: Decision{Layered: true, Fails: true}},
		"images differ":    {reason: "one of the two is written later", current: "a", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, succeeded, other)}, want: Decision{Layered: true}},
		"agrees":           {reason: "all three agree", current: "a", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, succeeded, image)}, want: goes},
		"annotation":       {reason: "it tells which of two counts", current: "b", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, failed, ""), build("b", wanted, succeeded, image)}, want: goes},
		"no annotation":    {reason: "any of the config counts", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, succeeded, image)}, want: goes},
		"of a past config": {reason: "the annotation is taken away", current: "a", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", "rendered-worker-0", succeeded, image)}, want: Decision{Layered: true, Stale: true}},
		"of none":          {reason: "the annotation is taken away, and what is there counts", current: "gone", image: image, builds: []*mcfgv1.MachineOSBuild{build("a", wanted, succeeded, image)}, want: Decision{Layered: true, Goes: true, Image: image, Config: wanted, Stale: true}},
	} {
		t.Run(name, func(t *testing.T) {
			pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker"}}
			pool.Spec.Configuration.Name = wanted
			foreign := &mcfgv1.MachineOSConfig{ObjectMeta: metav1.ObjectMeta{Name: "infra"}}
			foreign.Spec.MachineConfigPool.Name = "infra"
			configs := []*mcfgv1.MachineOSConfig{foreign}
			if !test.none {
				config := &mcfgv1.MachineOSConfig{ObjectMeta: metav1.ObjectMeta{Name: "worker", Annotations: map[string]string{constants.CurrentBuildAnnotation: test.current}}}
				config.Spec.MachineConfigPool.Name = "worker"
				config.Status.CurrentImagePullSpec = mcfgv1.ImageDigestFormat(test.image)
				configs = append(configs, config)
			}
			config := ConfigOf(pool, configs)
			require.Equal(t, test.want, Decide(config, Candidates(pool, config, test.builds)), test.reason)
		})
	}
}
