package imagebuilder_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/fake"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/openshift"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// backend is an ImageBuilder together with the means to play what runs behind it.
type backend struct {
	imagebuilder.ImageBuilder
	// deliver brings the builder's caches up to date.
	deliver func()
	run     func(name string)
	succeed func(name, digest string)
	fail    func(name string, transient bool)
	stopped func(name string)
	remove  func(name string)
	install func(installed bool)
	// calls is how many requests were made of the backend.
	calls func() int
	// plant puts the objects of the request into the same namespace as another backend
	// makes them, and returns the UID of its build.
	plant func(r imagebuilder.Request) types.UID
	// planted is how many objects of other backends there are.
	planted func() int
}

var backends = map[string]func(t *testing.T, clock *clocktesting.FakeClock) backend{
	"fake":                newFake,
	"openshift":           newOpenShift,
	"first of a set":      newFirst,
	"set, not the first":  newSecond,
	"set, two with cache": newTwins,
}

// neighbour is the backend whose objects are none of ours.
const neighbour = "Neighbour"

// newFirst is a backend that runs what names no backend, before another one.
func newFirst(t *testing.T, clock *clocktesting.FakeClock) backend {
	b := newOpenShift(t, clock)
	b.ImageBuilder = imagebuilder.NewSet(imagebuilder.Member{Name: openshift.Name, ImageBuilder: b.ImageBuilder},
		imagebuilder.Member{Name: "Fake", ImageBuilder: fake.New(clock.Now)})
	return b
}

// newSecond is a backend that runs only what names it.
func newSecond(t *testing.T, clock *clocktesting.FakeClock) backend {
	b := newOpenShift(t, clock)
	b.ImageBuilder = asking{openshift.Name, imagebuilder.NewSet(imagebuilder.Member{Name: "Fake", ImageBuilder: fake.New(clock.Now)},
		imagebuilder.Member{Name: openshift.Name, ImageBuilder: b.ImageBuilder})}
	return b
}

// newTwins is a backend beside another that has objects of its own.
func newTwins(t *testing.T, clock *clocktesting.FakeClock) backend {
	b, busy := newOpenShift(t, clock), fake.New(clock.Now)
	other := request("other")
	other.Pool = "master"
	require.NoError(t, busy.Start(context.Background(), other))
	busy.SetPhase("other", imagebuilder.PhaseSucceeded)
	b.ImageBuilder = imagebuilder.NewSet(imagebuilder.Member{Name: openshift.Name, ImageBuilder: b.ImageBuilder},
		imagebuilder.Member{Name: "Fake", ImageBuilder: busy})
	t.Cleanup(func() {
		all, err := busy.Observe("master")
		require.NoError(t, err)
		require.Len(t, all, 1, "what one does leaves the other's alone")
	})
	return b
}

// asking has all requests name a backend.
type asking struct {
	backend string
	imagebuilder.ImageBuilder
}

func (a asking) Start(ctx context.Context, r imagebuilder.Request) error {
	r.Backend = a.backend
	return a.ImageBuilder.Start(ctx, r)
}

func newFake(_ *testing.T, clock *clocktesting.FakeClock) backend {
	b := fake.New(clock.Now)
	return backend{
		ImageBuilder: b,
		deliver:      func() {},
		calls:        func() int { return 0 },
		run:          func(name string) { b.SetPhase(name, imagebuilder.PhaseRunning) },
		succeed: func(name, digest string) {
			b.SetPhase(name, imagebuilder.PhaseSucceeded, func(o *imagebuilder.Observation) {
				if digest != "" {
					o.Image = buildtest.Repository + "@" + digest
				}
			})
		},
		fail: func(name string, transient bool) {
			b.SetPhase(name, imagebuilder.PhaseFailed, func(o *imagebuilder.Observation) {
				o.Transient, o.Reason, o.Message, o.Log = transient, "Reason", "message", "log"
			})
		},
		stopped: func(name string) { b.SetPhase(name, imagebuilder.PhaseStopped) },
		remove: func(name string) {
			b.SetPhase(name, imagebuilder.PhaseAbsent)
		},
		install: func(installed bool) {
			if installed {
				b.SetUnavailable("")
			} else {
				b.SetUnavailable("not installed")
			}
		},
	}
}

// relabelled are the Build and Secrets of a request as another backend marks them.
func relabelled(r imagebuilder.Request) (*buildv1.Build, []*corev1.Secret) {
	objects := openshift.Backend{}.Objects(ctrlcommon.MCONamespace, r)
	build := objects.Build.(*buildv1.Build)
	build.Labels = map[string]string{}
	maps.Copy(build.Labels, objects.Secrets[0].Labels)
	build.Labels[constants.BackendLabel] = neighbour
	for _, secret := range objects.Secrets {
		secret.Labels = build.Labels
	}
	return build, objects.Secrets
}

func newOpenShift(t *testing.T, clock *clocktesting.FakeClock) backend {
	api := buildtest.NewAPI(clock)
	builds := buildinformers.NewSharedInformerFactory(api.Build, 0).Build().V1().Builds().Informer()
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	b, err := openshift.New(ctrlcommon.MCONamespace, api.Build, api.Kube, builds, secrets)
	require.NoError(t, err)
	return backend{
		ImageBuilder: b,
		deliver: func() {
			api.Fill(builds.GetIndexer(), "builds")
			api.FillMetadata(secrets.GetIndexer(), "secrets")
		},
		calls: func() int { return len(api.Calls()) },
		plant: func(r imagebuilder.Request) types.UID {
			build, secrets := relabelled(r)
			for _, secret := range secrets {
				_, err := api.Kube.CoreV1().Secrets(secret.Namespace).Create(context.Background(), secret, metav1.CreateOptions{})
				require.NoError(t, err)
			}
			created, err := api.Build.BuildV1().Builds(build.Namespace).Create(context.Background(), build, metav1.CreateOptions{})
			require.NoError(t, err)
			return created.UID
		},
		planted: func() int { return len(api.Builds()) + len(api.InputSecrets()) },
		run:     func(name string) { api.RunBuild(name, buildv1.BuildPhaseRunning) },
		succeed: api.CompleteBuild,
		fail: func(name string, transient bool) {
			reason := buildv1.StatusReasonDockerBuildFailed
			if transient {
				reason = buildv1.StatusReasonPushImageToRegistryFailed
			}
			api.FailBuild(name, buildv1.BuildPhaseFailed, reason, "message")
		},
		stopped: func(name string) { api.RunBuild(name, buildv1.BuildPhaseCancelled) },
		remove:  func(name string) { api.Remove("builds", ctrlcommon.MCONamespace, name) },
		install: func(installed bool) {
			api.Fault = nil
			if !installed {
				api.Fault = func(call buildtest.Call) error {
					if call.Resource == "builds" {
						return apierrors.NewGenericServerResponse(404, call.Verb, schema.GroupResource{Resource: "builds"}, "", "404 page not found", 0, true)
					}
					return nil
				}
			}
		},
	}
}

func request(name string) imagebuilder.Request {
	return imagebuilder.Request{
		Name: name, Pool: "worker", PoolUID: "pool-uid", Fingerprint: "fingerprint", RenderedConfig: "rendered-worker-1",
		BaseImage: buildtest.BaseImage, Attempt: 1, Containerfile: "FROM " + buildtest.BaseImage + "\n",
		Context: []imagebuilder.File{{Name: "content.0", Data: []byte("content")}, {Name: "content.1", Data: []byte("more")}}, PushSecret: "push",
		Output: buildtest.Repository + ":" + name, Deadline: time.Hour,
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
			require.Equal(t, []string{"b-1", "b-2", "b-3", "b-4"}, b.Active(), "in order")
			b.run("b-1")
			b.succeed("b-2", buildtest.Digest(1))
			b.fail("b-3", true)
			b.stopped("b-4")
			observe()
			require.Equal(t, []string{"b-1"}, b.Active())
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
			require.Equal(t, []string{"b-1"}, b.Active())
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

// TestConflictIsNoAbsence: the API answers conflict for a build of another UID,
// and for a lost race; only the former means that there is nothing to do.
func TestConflictIsNoAbsence(t *testing.T) {
	ctx := context.Background()
	api := buildtest.NewAPI(clocktesting.NewFakeClock(time.Unix(1700000000, 0)))
	builds := buildinformers.NewSharedInformerFactory(api.Build, 0).Build().V1().Builds().Informer()
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	b, err := openshift.New(ctrlcommon.MCONamespace, api.Build, api.Kube, builds, secrets)
	require.NoError(t, err)
	require.NoError(t, b.Start(ctx, request("b-1")))
	api.FillMetadata(secrets.GetIndexer(), "secrets")
	api.Fill(builds.GetIndexer(), "builds")
	uid := api.Builds()[0].UID

	api.Fault = func(call buildtest.Call) error {
		if call.IsRead() {
			return nil
		}
		return apierrors.NewConflict(corev1.Resource(call.Resource), call.Name, errors.New("lost a race"))
	}
	require.True(t, apierrors.IsConflict(b.Stop(ctx, "b-1", uid)))
	require.True(t, apierrors.IsConflict(b.Delete(ctx, "b-1", uid)))
	require.True(t, apierrors.IsConflict(b.DeleteInputs(ctx, "b-1")))
	require.NoError(t, b.Stop(ctx, "b-1", "another-uid"))
	api.Fault = nil
	require.NoError(t, b.Delete(ctx, "b-1", uid))
	require.Empty(t, api.Builds())
	require.Empty(t, api.InputSecrets())
}

// TestL01StartConvergesAfterAnyFault: creating the Build failed once, and the
// retry stumbled over the input that was already there.
func TestL01StartConvergesAfterAnyFault(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, resource := range []string{"secrets", "builds"} {
			clock := clocktesting.NewFakeClock(time.Unix(1700000000, 0))
			api := buildtest.NewAPI(clock)
			builds := buildinformers.NewSharedInformerFactory(api.Build, 0).Build().V1().Builds().Informer()
			secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
			b, err := openshift.New(ctrlcommon.MCONamespace, api.Build, api.Kube, builds, secrets)
			require.NoError(t, err)

			fault := func(call buildtest.Call) error {
				if call.Verb == "create" && call.Resource == resource {
					return apierrors.NewServerTimeout(corev1.Resource(resource), "create", 1)
				}
				return nil
			}
			if lost {
				api.LoseReply = fault
			} else {
				api.Fault = fault
			}
			require.Error(t, b.Start(context.Background(), request("b-1")))
			api.Fault, api.LoseReply = nil, nil
			require.NoError(t, b.Start(context.Background(), request("b-1")), "%s, committed: %v", resource, lost)
			require.Len(t, api.Builds(), 1)
			require.Equal(t, []string{"b-1", "b-1-in-1"}, api.InputSecrets())
		}
	}
}
