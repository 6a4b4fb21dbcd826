package imagebuilder_test

import (
	"context"
	"maps"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	buildinformers "github.com/openshift/client-go/build/informers/externalversions"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
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
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/job"
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
	"job":                 newJob,
	"both, builds":        newBuildsBesideJobs,
	"both, jobs":          newJobsBesideBuilds,
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

func (a asking) Verify(ctx context.Context, r imagebuilder.Request) (imagebuilder.Observation, error) {
	r.Backend = a.backend
	return a.ImageBuilder.Verify(ctx, r)
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
	return buildsOn(t, buildtest.NewAPI(clock))
}

// buildsOn is the backend of Builds on an API that may have other ones.
func buildsOn(t *testing.T, api *buildtest.API) backend {
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

// informersOf are those of the Job backend, which a test fills.
func informersOf(api *buildtest.API) job.Informers {
	return job.NewInformers(ctrlcommon.MCONamespace, api.Kube)
}

func newJob(t *testing.T, clock *clocktesting.FakeClock) backend {
	return jobsOn(t, buildtest.NewAPI(clock))
}

// jobsOn is the Job backend on an API that may have other ones.
func jobsOn(t *testing.T, api *buildtest.API) backend {
	informers := informersOf(api)
	secrets := cache.NewSharedIndexInformer(&cache.ListWatch{}, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	b, err := job.New(ctrlcommon.MCONamespace, api.Kube, informers, secrets)
	require.NoError(t, err)
	return backend{
		ImageBuilder: b,
		deliver: func() {
			api.Fill(informers.Jobs.GetIndexer(), "jobs")
			api.Fill(informers.Pods.GetIndexer(), "pods")
			api.Fill(informers.Warnings.GetIndexer(), "events")
			api.FillMetadata(secrets.GetIndexer(), "secrets")
		},
		calls: func() int { return len(api.Calls()) },
		plant: func(r imagebuilder.Request) types.UID {
			objects := job.Backend{}.Objects(ctrlcommon.MCONamespace, r)
			for _, secret := range objects.Secrets {
				secret.Labels[constants.BackendLabel] = neighbour
				_, err := api.Kube.CoreV1().Secrets(secret.Namespace).Create(context.Background(), secret, metav1.CreateOptions{})
				require.NoError(t, err)
			}
			build := objects.Build.(*batchv1.Job)
			build.Labels[constants.BackendLabel] = neighbour
			created, err := api.Kube.BatchV1().Jobs(build.Namespace).Create(context.Background(), build, metav1.CreateOptions{})
			require.NoError(t, err)
			return created.UID
		},
		planted: func() int { return len(api.Jobs()) + len(api.InputSecrets()) },
		run:     api.RunJob,
		succeed: api.CompleteJob,
		fail: func(name string, transient bool) {
			if transient {
				api.FailJob(name, 30, "PushImageFailed", "the connection was reset")
			} else {
				api.FailJob(name, 20, "BuildStepFailed", "a step failed")
			}
		},
		stopped: api.SuspendJob,
		remove:  func(name string) { api.Remove("jobs", ctrlcommon.MCONamespace, name) },
		install: func(installed bool) {
			api.Fault = nil
			if !installed {
				api.Fault = func(call buildtest.Call) error {
					if call.Resource == "jobs" {
						return apierrors.NewGenericServerResponse(404, call.Verb, schema.GroupResource{Resource: "jobs"}, "", "404 page not found", 0, true)
					}
					return nil
				}
			}
		},
	}
}

// beside puts a backend into one set with the other adapter on the same API.
func newBuildsBesideJobs(t *testing.T, clock *clocktesting.FakeClock) backend {
	api := buildtest.NewAPI(clock)
	b, jobs := buildsOn(t, api), jobsOn(t, api)
	return both(b, b, jobs)
}

func newJobsBesideBuilds(t *testing.T, clock *clocktesting.FakeClock) backend {
	api := buildtest.NewAPI(clock)
	builds, b := buildsOn(t, api), jobsOn(t, api)
	both := both(b, builds, b)
	both.ImageBuilder = asking{job.Name, both.ImageBuilder}
	return both
}

// both is a backend in a set of the two adapters, which share an API and what is on it.
func both(b, builds, jobs backend) backend {
	b.ImageBuilder = imagebuilder.NewSet(imagebuilder.Member{Name: openshift.Name, ImageBuilder: builds.ImageBuilder},
		imagebuilder.Member{Name: job.Name, ImageBuilder: jobs.ImageBuilder})
	b.deliver = func() { builds.deliver(); jobs.deliver() }
	return b
}
