package buildtest

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	buildfake "github.com/openshift/client-go/build/clientset/versioned/fake"
	mcfgfake "github.com/openshift/client-go/machineconfiguration/clientset/versioned/fake"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	kubefake "k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
)

// API is an API server in memory. Its clients are client-go's fakes, but what
// is behind them behaves like the real thing where the controller depends on
// it: resource versions and conflicts, UIDs and preconditions, unique names, the
// status subresource (Builds have none), owner references, and the limits of
// names, label values and Secrets. There are no watches: tests copy what is
// stored into the caches when they see fit.
type API struct {
	Clients

	// Before, when set, is called ahead of each call, without any lock: it may
	// call the API through other clients.
	Before func(Call)
	// Fault, when set, decides on each call before it is carried out; an error
	// is returned to the caller and nothing is committed.
	Fault func(Call) error
	// LoseReply, when set, decides on each call after it was committed; an
	// error is returned to the caller in place of the reply.
	LoseReply func(Call) error

	mu      sync.Mutex
	clock   clock.PassiveClock
	objects map[string]map[string]runtime.Object
	version int
	// changes counts what happened to each resource, and collected is all of that at the
	// last collection of garbage.
	changes   map[string]int
	collected int
	calls     []Call
}

// Clients are one program's clients of an API.
type Clients struct {
	Kube  *kubefake.Clientset
	Mcfg  *mcfgfake.Clientset
	Build *buildfake.Clientset
}

// Call is one request that the API got.
type Call struct {
	Verb        string
	Resource    string
	Subresource string
	Name        string
}

// IsRead tells reads from writes.
func (c Call) IsRead() bool { return c.Verb == "get" || c.Verb == "list" }

// String renders the call as verb and resource, such as "patch machineconfigpools/status".
func (c Call) String() string {
	if c.Subresource != "" {
		return c.Verb + " " + c.Resource + "/" + c.Subresource
	}
	return c.Verb + " " + c.Resource
}

// NewAPI makes an API that holds the objects.
func NewAPI(clock clock.PassiveClock, objects ...runtime.Object) *API {
	api := &API{clock: clock, objects: map[string]map[string]runtime.Object{}, changes: map[string]int{}}
	api.Clients = api.NewClients()
	for _, object := range objects {
		api.Put(object)
	}
	return api
}

// NewClients makes clients for another program.
func (a *API) NewClients() Clients {
	c := Clients{Kube: kubefake.NewClientset(), Mcfg: mcfgfake.NewSimpleClientset(), Build: buildfake.NewSimpleClientset()}
	c.Kube.PrependReactor("*", "*", a.react)
	c.Mcfg.PrependReactor("*", "*", a.react)
	c.Build.PrependReactor("*", "*", a.react)
	return c
}

// Calls returns the calls since the last reset.
func (a *API) Calls() []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Call(nil), a.calls...)
}

// ResetCalls forgets the calls.
func (a *API) ResetCalls() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = nil
}

func (a *API) react(action k8stesting.Action) (bool, runtime.Object, error) {
	call := Call{Verb: action.GetVerb(), Resource: action.GetResource().Resource, Subresource: action.GetSubresource(), Name: nameIn(action)}
	if a.Before != nil {
		a.Before(call)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, call)
	if a.Fault != nil {
		if err := a.Fault(call); err != nil {
			return true, nil, err
		}
	}
	object, err := a.commit(action, call)
	if err == nil && a.LoseReply != nil {
		if lost := a.LoseReply(call); lost != nil {
			return true, nil, lost
		}
	}
	return true, object, err
}

func nameIn(action k8stesting.Action) string {
	switch action := action.(type) {
	case k8stesting.CreateAction:
		if accessor, err := meta.Accessor(action.GetObject()); err == nil {
			return accessor.GetName()
		}
	case interface{ GetName() string }:
		return action.GetName()
	}
	return ""
}

func (a *API) commit(action k8stesting.Action, call Call) (runtime.Object, error) {
	resource := action.GetResource()
	if list, ok := action.(k8stesting.ListActionImpl); ok {
		return a.list(list)
	}
	key := keyOf(action.GetNamespace(), call.Name)
	stored, exists := a.objects[resource.Resource][key]
	if !exists && call.Verb != "create" {
		return nil, apierrors.NewNotFound(resource.GroupResource(), call.Name)
	}
	switch action := action.(type) {
	case k8stesting.GetActionImpl:
		return stored.DeepCopyObject(), nil
	case k8stesting.CreateActionImpl:
		if exists {
			return nil, apierrors.NewAlreadyExists(resource.GroupResource(), call.Name)
		}
		return a.create(resource, action.Object)
	case k8stesting.PatchActionImpl:
		return a.patch(resource, key, stored, action)
	case k8stesting.DeleteActionImpl:
		return nil, a.delete(resource, key, stored, action.DeleteOptions)
	}
	return nil, apierrors.NewMethodNotSupported(resource.GroupResource(), call.Verb)
}

func (a *API) create(resource schema.GroupVersionResource, object runtime.Object) (runtime.Object, error) {
	object = object.DeepCopyObject()
	accessor, _ := meta.Accessor(object)
	if err := validate(resource, object, accessor); err != nil {
		return nil, err
	}
	a.version++
	accessor.SetResourceVersion(strconv.Itoa(a.version))
	accessor.SetUID(types.UID(fmt.Sprintf("uid-%d", a.version)))
	accessor.SetCreationTimestamp(metav1.NewTime(a.clock.Now().Truncate(time.Second)))
	admitBuild(object)
	if build, ok := object.(*mcfgv1.MachineOSBuild); ok {
		build.Status = mcfgv1.MachineOSBuildStatus{}
	}
	a.store(resource.Resource, object)
	return object.DeepCopyObject(), nil
}

// validate applies the limits that upstream's first controller stumbled over.
func validate(resource schema.GroupVersionResource, object runtime.Object, accessor metav1.Object) error {
	problems := validation.IsDNS1123Subdomain(accessor.GetName())
	for key, value := range accessor.GetLabels() {
		problems = append(problems, validation.IsQualifiedName(key)...)
		problems = append(problems, validation.IsValidLabelValue(value)...)
	}
	if secret, ok := object.(*corev1.Secret); ok {
		total := 0
		for _, value := range secret.Data {
			total += len(value)
		}
		if total > corev1.MaxSecretSize {
			problems = append(problems, "data: too long")
		}
	}
	if len(problems) > 0 {
		return &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
			Message: fmt.Sprintf("%s %q is invalid: %v", resource.Resource, accessor.GetName(), problems),
		}}
	}
	return nil
}

func (a *API) delete(resource schema.GroupVersionResource, key string, stored runtime.Object, options metav1.DeleteOptions) error {
	accessor, _ := meta.Accessor(stored)
	if resource.Resource == "jobs" {
		a.orphan(accessor.GetUID(), options)
	}
	if p := options.Preconditions; p != nil && p.UID != nil && *p.UID != accessor.GetUID() {
		return apierrors.NewConflict(resource.GroupResource(), accessor.GetName(), fmt.Errorf("UID is %s, not %s", accessor.GetUID(), *p.UID))
	}
	a.version++
	a.drop(resource.Resource, key)
	a.collect(accessor.GetUID())
	return nil
}

// collect removes what the owner of that UID leaves behind, and tells whether there was
// anything. Pods only begin to go.
func (a *API) collect(owner types.UID) (collected bool) {
	for resource, objects := range a.objects {
		for key, object := range objects {
			accessor, _ := meta.Accessor(object)
			for _, reference := range accessor.GetOwnerReferences() {
				switch {
				case reference.UID != owner:
				case resource == "pods":
					collected = a.deletePod(key) || collected
				default:
					a.drop(resource, key)
					collected = true
				}
			}
		}
	}
	return collected
}

// CollectGarbage removes what was created for an owner that did not exist any
// more, or is only waiting for that, and tells whether there was anything.
func (a *API) CollectGarbage() (collected bool) {
	collected = a.collectForeground()
	a.mu.Lock()
	defer a.mu.Unlock()
	if changes := a.allChanges(); changes == a.collected {
		return collected
	}
	defer func() { a.collected = a.allChanges() }()
	owners := map[types.UID]bool{}
	for _, objects := range a.objects {
		for _, object := range objects {
			accessor, _ := meta.Accessor(object)
			owners[accessor.GetUID()] = true
		}
	}
	for _, objects := range a.objects {
		for _, object := range objects {
			accessor, _ := meta.Accessor(object)
			for _, reference := range accessor.GetOwnerReferences() {
				if !owners[reference.UID] {
					collected = a.collect(reference.UID) || collected
				}
			}
		}
	}
	return collected
}

func (a *API) store(resource string, object runtime.Object) {
	accessor, _ := meta.Accessor(object)
	a.set(resource, keyOf(accessor.GetNamespace(), accessor.GetName()), object)
}

// Whatever happens to objects goes through set and drop.
func (a *API) set(resource, key string, object runtime.Object) {
	if a.objects[resource] == nil {
		a.objects[resource] = map[string]runtime.Object{}
	}
	a.objects[resource][key] = object
	a.changes[resource]++
}

func (a *API) drop(resource, key string) {
	delete(a.objects[resource], key)
	a.changes[resource]++
}

// Changes counts what happened to the objects of a resource, or of all for an empty one:
// nothing did while it is the same.
func (a *API) Changes(resource string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if resource == "" {
		return a.allChanges()
	}
	return a.changes[resource]
}

func (a *API) allChanges() (all int) {
	for _, changes := range a.changes {
		all += changes
	}
	return all
}

// All returns copies of the stored objects of a resource, by key.
func (a *API) All(resource string) []runtime.Object {
	objects := a.Stored(resource)
	for i := range objects {
		objects[i] = objects[i].DeepCopyObject()
	}
	return objects
}

// Stored returns the stored objects of a resource themselves, by key. They must
// not be changed; the API never changes one either, but replaces it.
func (a *API) Stored(resource string) []runtime.Object {
	a.mu.Lock()
	defer a.mu.Unlock()
	keys := make([]string, 0, len(a.objects[resource]))
	for key := range a.objects[resource] {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	objects := make([]runtime.Object, 0, len(keys))
	for _, key := range keys {
		objects = append(objects, a.objects[resource][key])
	}
	return objects
}

func keyOf(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}
