package devcluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/openshift/machine-config-operator/test/devcluster/crds"
)

var customResources = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// install makes the API look like that of an OpenShift cluster, as far as the controller looks. It can be repeated.
func install(ctx context.Context, config *rest.Config) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("could not create dynamic client: %w", err)
	}
	all, err := crds.All()
	if err != nil {
		return err
	}
	for _, crd := range all {
		options := metav1.ApplyOptions{FieldManager: "devcluster", Force: true}
		if _, err := client.Resource(customResources).Apply(ctx, crd.GetName(), crd, options); err != nil {
			return fmt.Errorf("could not install definition %s: %w", crd.GetName(), err)
		}
	}
	if err := createNamespace(ctx, config); err != nil {
		return err
	}
	for _, crd := range all {
		if err := backdateEstablished(ctx, client, crd.GetName()); err != nil {
			return err
		}
		if err := waitForServed(ctx, client, crd); err != nil {
			return err
		}
	}
	return nil
}

func createNamespace(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("could not create client: %w", err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("could not create namespace %s: %w", Namespace, err)
	}
	return nil
}

// backdateEstablished spares the first creation of each kind a sleep of two seconds, by which the API server protects clients of
// several API servers from those that do not know a new definition yet. Here is only one.
func backdateEstablished(ctx context.Context, client dynamic.Interface, name string) error {
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		crd, err := client.Resource(customResources).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
		for _, c := range conditions {
			condition := c.(map[string]any)
			if condition["type"] != "Established" || condition["status"] != "True" {
				continue
			}
			condition["lastTransitionTime"] = crd.GetCreationTimestamp().Add(-time.Minute).UTC().Format(time.RFC3339)
			if err := unstructured.SetNestedSlice(crd.Object, conditions, "status", "conditions"); err != nil {
				return false, err
			}
			_, err := client.Resource(customResources).UpdateStatus(ctx, crd, metav1.UpdateOptions{})
			if apierrors.IsConflict(err) {
				return false, nil
			}
			return err == nil, err
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("could not wait for definition %s to be established: %w", name, err)
	}
	return nil
}

// waitForServed asks for the resource itself: the definition is said to be established a moment before it is served.
func waitForServed(ctx context.Context, client dynamic.Interface, crd *unstructured.Unstructured) error {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
	gvr := schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		_, err := client.Resource(gvr).List(ctx, metav1.ListOptions{Limit: 1})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("could not wait for %s to be served: %w", crd.GetName(), err)
	}
	return nil
}
