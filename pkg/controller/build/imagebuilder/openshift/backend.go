package openshift

import (
	"context"
	"encoding/json"
	"sync/atomic"

	buildv1 "github.com/openshift/api/build/v1"
	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
)

// Backend describes Builds to those who show and examine them.
type Backend struct{}

var _ imagebuilder.Backend = Backend{}

// About implements imagebuilder.Backend.
func (Backend) About() imagebuilder.About {
	return imagebuilder.About{
		Name: Name,
		Kind: "Build", Group: buildv1.GroupName, Resource: "builds",
		Permissions: []imagebuilder.Permission{
			{Group: buildv1.GroupName, Resource: "builds", Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}, Without: "nothing is built"},
			{Group: buildv1.GroupName, Resource: "builds/optimizeddocker", Verbs: []string{"create"}, Without: "every Build is refused"},
		},
		Remedy: "see whether the Build capability is enabled: oc get clusterversion version -o jsonpath='{.status.capabilities.enabledCapabilities}'",
	}
}

// Commands implements imagebuilder.Backend.
func (Backend) Commands(build string) imagebuilder.Commands {
	return imagebuilder.Commands{
		Logs:     "logs build/" + build,
		Describe: []string{"describe build " + build, "describe pod " + build + "-build"},
		Stop:     "patch build " + build + ` --type merge -p '{"status":{"cancelled":true}}'`,
		Delete:   "delete build " + build,
	}
}

// Objects implements imagebuilder.Backend.
func (Backend) Objects(namespace string, r imagebuilder.Request) imagebuilder.Objects {
	build, secrets := newObjects(namespace, r)
	build.APIVersion, build.Kind = buildv1.GroupVersion.String(), "Build"
	return imagebuilder.Objects{Backend: Name, Secrets: secrets, Build: build}
}

// Read implements imagebuilder.Backend.
func (Backend) Read(text []byte) (imagebuilder.Made, error) {
	build := &buildv1.Build{}
	err := json.Unmarshal(text, build)
	return made(build), err
}

// Input implements imagebuilder.Backend.
func (Backend) Input(meta *metav1.ObjectMeta) (imagebuilder.Made, bool) { return mark.Input(meta) }

func made(build *buildv1.Build) imagebuilder.Made {
	return imagebuilder.Made{Object: build.Name, Backend: Name, Pool: mark.Pool(&build.ObjectMeta), Observation: observation(build)}
}

// MadeOf reads Builds, sorted by name.
func MadeOf(builds []*buildv1.Build) []imagebuilder.Made {
	all := make([]imagebuilder.Made, 0, len(builds))
	for _, build := range builds {
		all = append(all, made(build))
	}
	imagebuilder.SortMade(all)
	return all
}

// Inventory lists and watches Builds with a person's credentials.
type Inventory struct {
	namespace  string
	client     buildclientset.Interface
	kubeClient kubernetes.Interface
}

var _ imagebuilder.Inventory = (*Inventory)(nil)

// NewInventory makes one of the namespace.
func NewInventory(namespace string, client buildclientset.Interface, kubeClient kubernetes.Interface) *Inventory {
	return &Inventory{namespace: namespace, client: client, kubeClient: kubeClient}
}

// Backend implements imagebuilder.Inventory.
func (*Inventory) Backend() imagebuilder.Backend { return Backend{} }

// Builds implements imagebuilder.Inventory.
func (i *Inventory) Builds(ctx context.Context) ([]imagebuilder.Made, error) {
	list, err := i.client.BuildV1().Builds(i.namespace).List(ctx, metav1.ListOptions{LabelSelector: owned.Selector()})
	switch {
	case apierrors.IsForbidden(err):
		return nil, err
	case err != nil:
		return nil, unavailableBecause(err)
	}
	builds := make([]*buildv1.Build, 0, len(list.Items))
	for n := range list.Items {
		builds = append(builds, &list.Items[n])
	}
	return MadeOf(builds), nil
}

// DryRun implements imagebuilder.Inventory.
func (i *Inventory) DryRun(ctx context.Context, objects imagebuilder.Objects) []imagebuilder.Answer {
	options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	var answers []imagebuilder.Answer
	for _, secret := range objects.Secrets {
		_, err := i.kubeClient.CoreV1().Secrets(i.namespace).Create(ctx, secret, options)
		answers = append(answers, imagebuilder.Answer{Object: "Secret " + secret.Name, Err: err})
	}
	if build, ok := objects.Build.(*buildv1.Build); ok {
		_, err := i.client.BuildV1().Builds(i.namespace).Create(ctx, build, options)
		answers = append(answers, imagebuilder.Answer{Object: "Build " + build.Name, Err: err})
	}
	return answers
}

// Watch implements imagebuilder.Inventory.
func (i *Inventory) Watch(changed func()) (imagebuilder.Watcher, error) {
	w := watcher{NewInformer(i.namespace, i.client), &atomic.Bool{}}
	// Whoever watches is told of errors by asking, now and then.
	if err := w.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) { w.absent.Store(apierrors.IsNotFound(err)) }); err != nil {
		return nil, err
	}
	_, err := w.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { changed() }, UpdateFunc: func(any, any) { changed() }, DeleteFunc: func(any) { changed() },
	})
	return w, err
}

type watcher struct {
	cache.SharedIndexInformer
	// absent tells that the API is not served, so that there are no Builds.
	absent *atomic.Bool
}

// HasSynced implements imagebuilder.Watcher.
func (w watcher) HasSynced() bool { return w.SharedIndexInformer.HasSynced() || w.absent.Load() }

// Run implements imagebuilder.Watcher.
func (w watcher) Run(ctx context.Context) { w.RunWithContext(ctx) }

// Builds implements imagebuilder.Watcher.
func (w watcher) Builds() []imagebuilder.Made {
	var builds []*buildv1.Build
	for _, object := range w.GetStore().List() {
		if build, ok := object.(*buildv1.Build); ok {
			builds = append(builds, build)
		}
	}
	return MadeOf(builds)
}
