package imagebuilder_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

func request(name string) imagebuilder.Request {
	return imagebuilder.Request{
		Name: name, Pool: "worker", PoolUID: "pool-uid", Fingerprint: "fingerprint", RenderedConfig: "rendered-worker-1",
		BaseImage: buildtest.BaseImage, Attempt: 1, Containerfile: "FROM " + buildtest.BaseImage + "\n",
		Context: []imagebuilder.File{{Name: "content.0", Data: []byte("content")}, {Name: "content.1", Data: []byte("more")}}, PushSecret: "push",
		Output: buildtest.Repository + ":" + name, Deadline: time.Hour, Claim: "claim",
	}
}

// TestContract runs against every backend: what the fake promises, the others keep.
func TestContract(t *testing.T) {
	ctx := context.Background()
	for backendName, newBackend := range backends {
		test := func(name string, body func(t *testing.T, b backend, observe func() []imagebuilder.Observation)) {
			t.Run(backendName+"/"+name, func(t *testing.T) {
				b := newBackend(t, clocktesting.NewFakeClock(time.Unix(1700000000, 0)))
				body(t, b, func() []imagebuilder.Observation {
					b.deliver()
					observations, err := b.Observe("worker")
					require.NoError(t, err)
					return observations
				})
			})
		}

		test("active builds are those of every pool that have not ended", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.Empty(t, b.Active())
			for _, name := range []string{"b-3", "b-1", "b-2", "b-4"} {
				r := request(name)
				r.Pool = "pool-of-" + name
				require.NoError(t, b.Start(ctx, r))
			}
			observe()
			require.Equal(t, []string{"b-1", "b-2", "b-3", "b-4"}, namesOf(b.Active()), "in order")
			b.run("b-1")
			b.succeed("b-2", buildtest.Digest(1))
			b.fail("b-3", true)
			b.stopped("b-4")
			observe()
			require.Equal(t, []string{"b-1"}, namesOf(b.Active()))
			b.remove("b-1")
			observe()
			require.Empty(t, b.Active(), "inputs alone are at no work")
		})

		test("a started build is observed as it was asked for", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.Empty(t, observe())
			require.NoError(t, b.Start(ctx, request("b-1")))
			got := observe()
			require.Len(t, got, 1)
			require.NotEmpty(t, got[0].UID)
			require.False(t, got[0].Created.IsZero())
			got[0].UID, got[0].Created = "", time.Time{}
			require.Equal(t, imagebuilder.Observation{
				Name: "b-1", PoolUID: "pool-uid", Fingerprint: "fingerprint", RenderedConfig: "rendered-worker-1", Attempt: 1,
				Claim: "claim", Output: request("b-1").Output, Containerfile: imagebuilder.ContainerfileHash(request("b-1").Containerfile),
				Phase: imagebuilder.PhasePending, HasInputs: true, Deadline: time.Hour,
			}, got[0])

			others, err := b.Observe("infra")
			require.NoError(t, err)
			require.Empty(t, others, "builds of another pool are not observed")
		})

		test("builds are observed in order of their names", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			for _, name := range []string{"b-3", "b-1", "b-2"} {
				require.NoError(t, b.Start(ctx, request(name)))
			}
			var names []string
			for _, o := range observe() {
				names = append(names, o.Name)
			}
			require.Equal(t, []string{"b-1", "b-2", "b-3"}, names)
		})

		test("what another backend made does not exist", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			if b.plant == nil {
				t.Skip("it keeps its builds where no other backend does")
			}
			uid := b.plant(request("n-1"))
			before := b.planted()
			require.Empty(t, observe())
			require.Empty(t, b.Active())
			require.False(t, b.Shows("n-1"))
			require.ErrorIs(t, b.Start(ctx, request("n-1")), imagebuilder.ErrForeign, "nor is it taken over")

			require.NoError(t, b.Start(ctx, request("b-1")))
			ours := observe()
			require.Len(t, ours, 1)
			require.Equal(t, []string{"b-1"}, namesOf(b.Active()))
			require.NoError(t, b.Stop(ctx, "n-1", uid))
			live, err := b.Get(ctx, "n-1")
			require.NoError(t, err)
			require.False(t, live.Stopping)
			require.NoError(t, b.Delete(ctx, "n-1", uid))
			require.NoError(t, b.DeleteInputs(ctx, "n-1"))
			require.NoError(t, b.Delete(ctx, "b-1", ours[0].UID))
			require.Empty(t, observe())
			require.Equal(t, before, b.planted(), "nor is it tidied away")
		})

		test("starting is repeatable", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			before := observe()
			require.NoError(t, b.Start(ctx, request("b-1")), "already there and ours is success")
			require.Equal(t, before, observe(), "and changes nothing")
		})

		test("a build of another request is not ours", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			other := request("b-1")
			other.Fingerprint = "other"
			require.ErrorIs(t, b.Start(ctx, other), imagebuilder.ErrForeign)
			recreated := request("b-1")
			recreated.PoolUID = "other-uid"
			require.ErrorIs(t, b.Start(ctx, recreated), imagebuilder.ErrForeign)
		})

		test("R46 what is there in another form is not ours", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			for reason, change := range map[string]func(*imagebuilder.Request){
				"it goes elsewhere":    func(r *imagebuilder.Request) { r.Output = "evil.example.com/x/y:1" },
				"it is made otherwise": func(r *imagebuilder.Request) { r.Containerfile = "FROM scratch\nRUN true\n" },
			} {
				name := "b-" + strings.ReplaceAll(reason, " ", "-")
				other := request(name)
				change(&other)
				require.NoError(t, b.Start(ctx, other))
				require.ErrorIs(t, b.Start(ctx, request(name)), imagebuilder.ErrForeign, reason)
				live, err := b.Verify(ctx, request(name))
				require.ErrorIs(t, err, imagebuilder.ErrForeign, reason)
				require.NotEmpty(t, live.UID, "it says which one it looked at")
				_, err = b.Verify(ctx, other)
				require.NoError(t, err)
			}
			live, err := b.Verify(ctx, request("absent"))
			require.NoError(t, err)
			require.Equal(t, imagebuilder.PhaseAbsent, live.Phase)
		})

		test("what a build runs in may change", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			changed := request("b-1")
			changed.Proxy = imagebuilder.Proxy{HTTPS: "http://proxy.example.com"}
			changed.RegistryCAs = []imagebuilder.RegistryCA{{Host: "registry.example.com:5000", PEM: []byte("certificate")}}
			require.NoError(t, b.Start(ctx, request("b-1")))
			require.NoError(t, b.Start(ctx, changed), "it is the same build")
			_, err := b.Verify(ctx, changed)
			require.NoError(t, err, "nobody has altered it")
			observe()
			b.remove("b-1")
			observe()
			require.NoError(t, b.Start(ctx, changed), "the inputs that are left are those of this build")
		})

		test("a build that was stopped is known as withdrawn", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			require.False(t, observe()[0].Withdrawn)
			require.NoError(t, b.Stop(ctx, "b-1", observe()[0].UID))
			require.True(t, observe()[0].Withdrawn)
		})

		test("phases", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			for _, name := range []string{"b-1", "b-2", "b-3", "b-4", "b-5", "b-6"} {
				require.NoError(t, b.Start(ctx, request(name)))
			}
			b.run("b-1")
			b.succeed("b-2", buildtest.Digest(2))
			b.succeed("b-3", "")
			b.fail("b-4", true)
			b.fail("b-5", false)
			b.stopped("b-6")
			got := observe()
			require.Equal(t, imagebuilder.PhaseRunning, got[0].Phase)
			require.False(t, got[0].Started.IsZero(), "progress is counted from then on")
			require.Equal(t, imagebuilder.PhaseSucceeded, got[1].Phase)
			require.Equal(t, buildtest.Repository+"@"+buildtest.Digest(2), got[1].Image, "the pullspec is by digest, without the tag")
			require.False(t, got[1].Finished.IsZero())
			require.Equal(t, imagebuilder.PhaseSucceeded, got[2].Phase)
			require.Empty(t, got[2].Image, "a lost digest is no image")
			require.Equal(t, imagebuilder.PhaseFailed, got[3].Phase)
			require.True(t, got[3].Transient)
			require.NotEmpty(t, got[3].Reason)
			require.NotEmpty(t, got[3].Message)
			require.NotEmpty(t, got[3].Log)
			require.Equal(t, imagebuilder.PhaseFailed, got[4].Phase)
			require.False(t, got[4].Transient)
			require.Equal(t, imagebuilder.PhaseStopped, got[5].Phase)
		})

		test("stopping asks, and does not end", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			uid := observe()[0].UID
			require.NoError(t, b.Stop(ctx, "b-1", uid))
			require.NoError(t, b.Stop(ctx, "b-1", uid), "stopping is repeatable")
			got := observe()[0]
			require.True(t, got.Stopping)
			require.Equal(t, imagebuilder.PhasePending, got.Phase)
			require.NoError(t, b.Stop(ctx, "absent", uid), "absence is success")
		})

		test("H29 another build of the same name is left alone", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			require.NoError(t, b.Stop(ctx, "b-1", "uid-of-its-predecessor"))
			require.False(t, observe()[0].Stopping)
			require.NoError(t, b.DeleteInputs(ctx, "another"))
			require.Len(t, observe(), 1)
		})

		test("H29 what ends is the build that was meant, also where the cache still shows it", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			uid := observe()[0].UID
			b.remove("b-1")
			require.NoError(t, b.Start(ctx, request("b-1")))
			require.NoError(t, b.Stop(ctx, "b-1", uid))
			got := observe()
			require.NotEqual(t, uid, got[0].UID)
			require.False(t, got[0].Stopping)
		})

		test("deleting removes the build and its inputs", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			uid := observe()[0].UID
			require.NoError(t, b.Delete(ctx, "b-1", uid))
			require.Empty(t, observe())
			require.NoError(t, b.Delete(ctx, "b-1", uid), "absence is success")
		})

		test("deleting inputs leaves the build", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			b.succeed("b-1", buildtest.Digest(1))
			require.True(t, observe()[0].HasInputs)
			require.NoError(t, b.DeleteInputs(ctx, "b-1"))
			got := observe()
			require.Len(t, got, 1)
			require.False(t, got[0].HasInputs)
			require.NoError(t, b.DeleteInputs(ctx, "b-1"), "absence is success")
		})

		test("what is deleted is deleted once, whatever the cache shows", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			uid := observe()[0].UID
			require.NoError(t, b.Delete(ctx, "b-1", uid))
			calls := b.calls()
			require.NoError(t, b.Delete(ctx, "b-1", uid))
			require.Equal(t, calls, b.calls())
			require.Empty(t, observe())
		})

		test("inputs without a build are observed, and can be deleted", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			observe()
			b.remove("b-1")
			got := observe()
			require.Len(t, got, 1)
			require.Equal(t, imagebuilder.PhaseAbsent, got[0].Phase)
			require.True(t, got[0].HasInputs)
			live, err := b.Get(ctx, "b-1")
			require.NoError(t, err)
			require.Equal(t, imagebuilder.PhaseAbsent, live.Phase, "inputs are no build")
			require.NoError(t, b.DeleteInputs(ctx, "b-1"))
			require.Empty(t, observe())
		})

		test("a start goes on where a crash left the inputs alone", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			require.NoError(t, b.Start(ctx, request("b-1")))
			b.remove("b-1")
			require.NoError(t, b.Start(ctx, request("b-1")))
			got := observe()
			require.Len(t, got, 1)
			require.Equal(t, imagebuilder.PhasePending, got[0].Phase)
		})

		test("a build is asked of the backend, not of the cache", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			live, err := b.Get(ctx, "b-1")
			require.NoError(t, err)
			require.Equal(t, imagebuilder.PhaseAbsent, live.Phase)
			require.NoError(t, b.Start(ctx, request("b-1")))
			live, err = b.Get(ctx, "b-1")
			require.NoError(t, err)
			require.Equal(t, imagebuilder.PhasePending, live.Phase, "nothing was delivered to the cache yet")
			require.NoError(t, b.Stop(ctx, "b-1", observe()[0].UID))
			live, err = b.Get(ctx, "b-1")
			require.NoError(t, err)
			require.True(t, live.Stopping)
		})

		test("H36 a backend that is not installed says so", func(t *testing.T, b backend, observe func() []imagebuilder.Observation) {
			b.install(false)
			var unavailable *imagebuilder.UnavailableError
			require.ErrorAs(t, b.Start(ctx, request("b-1")), &unavailable)
			require.NotEmpty(t, unavailable.Message)
			_, err := b.Get(ctx, "b-1")
			require.ErrorAs(t, err, &unavailable)
			b.install(true)
			require.NoError(t, b.Start(ctx, request("b-1")))
			require.Len(t, observe(), 1)
		})
	}
}

func namesOf(observations []imagebuilder.Observation) (names []string) {
	for i := range observations {
		names = append(names, observations[i].Name)
	}
	return names
}
