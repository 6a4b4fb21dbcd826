package imagebuilder_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/fake"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
)

// TestSetTellsWhichIsUnavailable: a backend that is not there keeps what is not for it from
// nothing, and is told of where something is.
func TestSetTellsWhichIsUnavailable(t *testing.T) {
	now := clocktesting.NewFakeClock(time.Unix(1700000000, 0)).Now
	first, second := fake.New(now), fake.New(now)
	set := imagebuilder.NewSet(imagebuilder.Member{Name: "First", ImageBuilder: first}, imagebuilder.Member{Name: "Second", ImageBuilder: second})
	r := request("b-1")
	r.Backend = "Second"
	require.NoError(t, set.Start(context.Background(), r))

	first.SetUnavailable("it is not installed")
	observations, err := set.Observe("worker")
	var unavailable *imagebuilder.UnavailableError
	require.ErrorAs(t, err, &unavailable)
	require.Len(t, observations, 1, "the other one's builds are there")
	require.Equal(t, "it is not installed", unavailable.Of("First"))
	require.Equal(t, "it is not installed", unavailable.Of(""), "it is what is meant where none is named")
	require.Empty(t, unavailable.Of("Second"))

	first.SetUnavailable("")
	_, err = set.Observe("worker")
	require.NoError(t, err)
}

// TestBackendsTogether: tools look at both through one.
func TestBackendsTogether(t *testing.T) {
	both := imagebuilder.Backends{openshift.Backend{}, job.Backend{}}
	r := request("b-1")
	require.Equal(t, openshift.Name, both.Objects("ns", r).Backend)
	r.Backend = job.Name
	objects := both.Objects("ns", r)
	require.Equal(t, job.Name, objects.Backend)
	require.Equal(t, "Job", imagebuilder.Of(both, objects.Backend).About().Kind)
	require.Equal(t, "Build", imagebuilder.Of(both, "none of them").About().Kind)
	input, ours := both.Input(&objects.Secrets[0].ObjectMeta)
	require.True(t, ours)
	require.Equal(t, job.Name, input.Backend)
	made, err := both.Read([]byte(`{"kind":"Job","metadata":{"name":"b-1"}}`))
	require.NoError(t, err)
	require.Equal(t, job.Name, made.Backend)
	resources := map[string]bool{}
	for _, permission := range both.About().Permissions {
		resources[permission.Resource] = true
	}
	require.True(t, resources["builds"] && resources["jobs"] && resources["pods"], "the controller needs all")
}
