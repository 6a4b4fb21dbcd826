package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

const (
	fieldManager = "demo"
	pullSecret   = "base-image-pull"
	pushSecret   = "final-image-push"
)

// permissions are the manifests that the controller ships with.
var permissions = []string{filepath.Join("hack", "deploy", "rbac.yaml"), filepath.Join("hack", "deploy", "machine-os-configs", "rbac.yaml")}

// installObjects creates what an administrator creates before the controller can build anything.
func (d *demo) installObjects(ctx context.Context) error {
	for _, manifest := range permissions {
		shipped, err := os.ReadFile(filepath.Join(d.opts.root, manifest))
		if err != nil {
			return fmt.Errorf("could not read permissions: %w", err)
		}
		if err := d.cluster.Apply(ctx, string(shipped)); err != nil {
			return fmt.Errorf("could not apply %s: %w", manifest, err)
		}
		d.show.say("permissions  %s, as shipped", manifest)
	}
	registry := d.cluster.Registry()
	for _, name := range []string{pullSecret, pushSecret} {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Type:       corev1.SecretTypeDockerConfigJson,
			Data:       map[string][]byte{corev1.DockerConfigJsonKey: registry.DockerConfigJSON()},
		}
		if _, err := d.clients.kube.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: fieldManager}); err != nil {
			return fmt.Errorf("could not create Secret %s: %w", name, err)
		}
	}
	d.show.say("credentials  Secrets %s and %s", pullSecret, pushSecret)

	repository := registry.Host() + "/demo/os-images"
	settings := []func(*unstructured.Unstructured) error{set(repository, "data", "finalImagePullspec"), set(hostBuilderImage, "data", "jobBuilderImage")}
	if d.opts.jobs {
		var err error
		if settings, err = d.prepareJobs(ctx, settings); err != nil {
			return err
		}
	}
	if err := d.cluster.Apply(ctx, asset("settings.yaml"), settings...); err != nil {
		return err
	}
	d.show.say("settings     ConfigMap machine-os-builder-config: push to %s", repository)

	authorities := base64.StdEncoding.EncodeToString(d.cluster.RESTConfig().CAData)
	err := d.cluster.Apply(ctx, asset("controllerconfig.yaml"),
		set(d.baseImage, "spec", "baseOSContainerImage"), set(authorities, "spec", "rootCAData"), set(authorities, "spec", "kubeAPIServerServingCAData"))
	if err != nil {
		return err
	}
	d.show.say("cluster      ControllerConfig machine-config-controller")
	return nil
}

// set changes one field of an object.
func set(value string, fields ...string) func(*unstructured.Unstructured) error {
	return func(object *unstructured.Unstructured) error {
		return unstructured.SetNestedField(object.Object, value, fields...)
	}
}
