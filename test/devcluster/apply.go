package devcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

const fieldManager = "devcluster"

// Apply is "kubectl apply --server-side" of a manifest with any number of objects, as the administrator. The changes complete
// each object first.
func (c *Cluster) Apply(ctx context.Context, manifest string, changes ...func(*unstructured.Unstructured) error) error {
	discoveryClient, err := discovery.NewDiscoveryClientForConfig(c.RESTConfig())
	if err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfig(c.RESTConfig())
	if err != nil {
		return fmt.Errorf("could not make client: %w", err)
	}
	groups, err := restmapper.GetAPIGroupResources(discoveryClient)
	if err != nil {
		return fmt.Errorf("could not discover the kinds of the cluster: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)

	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("could not decode manifest: %w", err)
		}
		if len(object.Object) == 0 {
			continue // Nothing but a comment between two separators.
		}
		for _, change := range changes {
			if err := change(object); err != nil {
				return fmt.Errorf("could not complete %s %s: %w", object.GetKind(), object.GetName(), err)
			}
		}
		kind := object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return fmt.Errorf("could not find kind %s: %w", kind, err)
		}
		var resource dynamic.ResourceInterface = dynamicClient.Resource(mapping.Resource)
		if namespace := object.GetNamespace(); namespace != "" {
			resource = dynamicClient.Resource(mapping.Resource).Namespace(namespace)
		}
		if _, err := resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager}); err != nil {
			return fmt.Errorf("could not apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
}
