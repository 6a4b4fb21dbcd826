package buildtest

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Kinds are what a controller watches, in an order in which news of them may come.
var Kinds = []string{"configmaps", "controllerconfigs", "machineconfigs", "secrets", "builds", "machineconfigpools"}

// What follows is for tests that act as everyone else in the cluster. None of
// it counts as a call.

// Put stores an object as it is, new or in place of the one of its name, at a
// new resource version. A new object without a UID gets one.
func (a *API) Put(object runtime.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	object = object.DeepCopyObject()
	accessor, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	a.version++
	accessor.SetResourceVersion(strconv.Itoa(a.version))
	if accessor.GetUID() == "" {
		accessor.SetUID(types.UID(fmt.Sprintf("uid-%d", a.version)))
	}
	a.store(resourceOf(object), object)
}

// Version is the newest one that anything has.
func (a *API) Version() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strconv.Itoa(a.version)
}

// Remove deletes an object and what it owns.
func (a *API) Remove(resource, namespace, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyOf(namespace, name)
	if object, ok := a.objects[resource][key]; ok {
		accessor, _ := meta.Accessor(object)
		a.version++
		a.drop(resource, key)
		a.collect(accessor.GetUID())
	}
}

// Pool returns a stored pool.
func (a *API) Pool(name string) *mcfgv1.MachineConfigPool {
	return stored[*mcfgv1.MachineConfigPool](a, "machineconfigpools", name)
}

// EditPool changes a stored pool.
func (a *API) EditPool(name string, edit func(*mcfgv1.MachineConfigPool)) {
	pool := a.Pool(name)
	edit(pool)
	a.Put(pool)
}

// Builds returns the stored Builds, by name.
func (a *API) Builds() []*buildv1.Build {
	var builds []*buildv1.Build
	for _, object := range a.All("builds") {
		builds = append(builds, object.(*buildv1.Build))
	}
	return builds
}

// EditBuild changes a stored Build, as the build controller or anyone else may.
func (a *API) EditBuild(name string, edit func(*buildv1.Build)) {
	build := stored[*buildv1.Build](a, "builds", ctrlcommon.MCONamespace+"/"+name)
	edit(build)
	a.Put(build)
}

// RunBuild lets the build controller take a Build to a phase that is not terminal.
func (a *API) RunBuild(name string, phase buildv1.BuildPhase) {
	a.EditBuild(name, func(b *buildv1.Build) {
		b.Status.Phase = phase
		if phase == buildv1.BuildPhaseRunning && b.Status.StartTimestamp == nil {
			b.Status.StartTimestamp = &metav1.Time{Time: a.clock.Now().Truncate(time.Second)}
		}
	})
}

// CompleteBuild lets a Build succeed with the digest, which may be empty.
func (a *API) CompleteBuild(name, digest string) {
	a.EditBuild(name, func(b *buildv1.Build) {
		b.Status.Phase = buildv1.BuildPhaseComplete
		// The build controller fills in what it did not see the pod begin.
		if b.Status.StartTimestamp == nil {
			b.Status.StartTimestamp = &metav1.Time{Time: a.clock.Now().Truncate(time.Second)}
		}
		b.Status.CompletionTimestamp = &metav1.Time{Time: a.clock.Now()}
		if digest != "" {
			b.Status.Output.To = &buildv1.BuildStatusOutputTo{ImageDigest: digest}
		}
	})
}

// FailBuild ends a Build in a phase without an image.
func (a *API) FailBuild(name string, phase buildv1.BuildPhase, reason buildv1.StatusReason, message string) {
	a.EditBuild(name, func(b *buildv1.Build) {
		b.Status.Phase = phase
		b.Status.Reason = reason
		b.Status.Message = message
		b.Status.LogSnippet = "last line of the log"
		b.Status.CompletionTimestamp = &metav1.Time{Time: a.clock.Now().Truncate(time.Second)}
	})
}

// Ended tells whether a Build has come to its end.
func Ended(build *buildv1.Build) bool {
	switch build.Status.Phase {
	case buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning:
		return false
	}
	return true
}

// InputSecrets returns the names of the stored Secrets that have an owner.
func (a *API) InputSecrets() []string {
	var names []string
	for _, object := range a.All("secrets") {
		if secret := object.(*corev1.Secret); len(secret.OwnerReferences) > 0 {
			names = append(names, secret.Name)
		}
	}
	return names
}

// Fill replaces a cache's content with what is stored of the resource.
func (a *API) Fill(indexer cache.Indexer, resource string) {
	var items []any
	for _, object := range a.All(resource) {
		items = append(items, object)
	}
	if err := indexer.Replace(items, ""); err != nil {
		panic(err)
	}
}

// FillMetadata is Fill for a cache that holds metadata only.
func (a *API) FillMetadata(indexer cache.Indexer, resource string) {
	var items []any
	for _, object := range a.All(resource) {
		accessor, _ := meta.Accessor(object)
		items = append(items, meta.AsPartialObjectMetadata(accessor))
	}
	if err := indexer.Replace(items, ""); err != nil {
		panic(err)
	}
}

// AsCached is a copy of a stored object in the form in which the informers of the
// controller keep it. strip is their transform, which the tests of the controller have
// and this package, which they import, has not.
func AsCached(object runtime.Object, strip cache.TransformFunc) runtime.Object {
	object = object.DeepCopyObject()
	if secret, ok := object.(*corev1.Secret); ok {
		object = meta.AsPartialObjectMetadata(secret)
	}
	if build, ok := object.(*buildv1.Build); ok {
		// As the adapter's informer does, whose tests are built from this package: it keeps
		// text that only names images.
		if text := ptr.Deref(build.Spec.Source.Dockerfile, ""); !strings.HasSuffix(text, "\nFROM scratch\n") {
			build.Spec.Source.Dockerfile = ptr.To("# sha256:" + imagebuilder.ContainerfileHash(text))
		}
	}
	stripped, err := strip(object)
	if err != nil {
		panic(err)
	}
	return stripped.(runtime.Object)
}

// Digest is a well-formed digest that differs by seed.
func Digest(seed int) string { return "sha256:" + fmt.Sprintf("%064x", seed) }

// DigestOf is the digest of the image that the Build of that name makes.
func DigestOf(build string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(build))
	return Digest(int(h.Sum32()))
}

func stored[T runtime.Object](a *API, resource, key string) T {
	return itself[T](a, resource, key).DeepCopyObject().(T)
}

// itself is a stored object. It must not be changed.
func itself[T runtime.Object](a *API, resource, key string) T {
	a.mu.Lock()
	defer a.mu.Unlock()
	object, ok := a.objects[resource][key]
	if !ok {
		panic(fmt.Sprintf("there is no %s %s", resource, key))
	}
	return object.(T)
}

// resourceOf is the plural, lower-case name of the object's kind.
func resourceOf(object runtime.Object) string {
	return strings.ToLower(reflect.TypeOf(object).Elem().Name()) + "s"
}

// admitBuild does what the Build API does to a new Build.
func admitBuild(object runtime.Object) {
	if build, ok := object.(*buildv1.Build); ok && build.Status.Phase == "" {
		build.Status.Phase = buildv1.BuildPhaseNew
	}
}

// VersionOf is the version of an object; empty for what is none.
func VersionOf(object any) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetResourceVersion()
}
