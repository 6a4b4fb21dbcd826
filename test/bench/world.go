package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	buildclientset "github.com/openshift/client-go/build/clientset/versioned"
	mcfgclientset "github.com/openshift/client-go/machineconfiguration/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// clientRate is the client-side limit, in requests per second and at once, of the
// subject and of the yardstick. It is far above what the machine can do.
const clientRate = 10000

const (
	registryHost = "registry.example.com"
	settingsName = "machine-os-builder-config"
	pushSecret   = "push"
)

// world is a cluster with what the controller reads, and nothing else.
type world struct {
	cluster *devcluster.Cluster
	// admin clients set the scene and are not measured.
	admin clients
	// generation makes names that were not there before.
	generation int
	// repository is the number of the one that images go to.
	repository int
}

// clients are one program's.
type clients struct {
	kube  kubernetes.Interface
	mcfg  mcfgclientset.Interface
	build buildclientset.Interface
}

func newClients(config *rest.Config) (clients, error) {
	var c clients
	var err error
	if c.kube, err = kubernetes.NewForConfig(protobuf(config)); err != nil {
		return c, fmt.Errorf("could not make client: %w", err)
	}
	if c.mcfg, err = mcfgclientset.NewForConfig(config); err != nil {
		return c, fmt.Errorf("could not make client: %w", err)
	}
	if c.build, err = buildclientset.NewForConfig(config); err != nil {
		return c, fmt.Errorf("could not make client: %w", err)
	}
	return c, nil
}

// protobuf is what the controller's client for the Kubernetes APIs speaks, too.
func protobuf(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return config
}

// newWorld starts a cluster in the directory.
func newWorld(ctx context.Context, dir string) (*world, error) {
	cluster, err := devcluster.Start(ctx, devcluster.Options{Dir: dir, LogToFile: true})
	if err != nil {
		return nil, fmt.Errorf("could not start the cluster: %w", err)
	}
	w := &world{cluster: cluster}
	if err := w.furnish(ctx); err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	return w, nil
}

func (w *world) stop() error { return w.cluster.Stop() }

// furnish creates what all pools have in common.
func (w *world) furnish(ctx context.Context) error {
	var err error
	if w.admin, err = newClients(w.cluster.RESTConfig()); err != nil {
		return err
	}
	settings := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: settingsName},
		Data: map[string]string{
			"baseImagePullSecretName": "", "finalImagePushSecretName": pushSecret, "finalImagePullspec": repository(0),
			"quietPeriodSeconds": "0",
		},
	}
	if _, err := w.admin.kube.CoreV1().ConfigMaps(devcluster.Namespace).Create(ctx, settings, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create settings: %w", err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: pushSecret},
		Type:       corev1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{"` + registryHost + `":{"auth":"dXNlcjpwYXNz"}}}`)},
	}
	if _, err := w.admin.kube.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create push secret: %w", err)
	}
	return nil
}

func repository(generation int) string { return fmt.Sprintf("%s/ocp/os%06d", registryHost, generation) }

// rebuildAll has one write that gives every layered pool another image to want:
// the images go to another repository.
func (w *world) rebuildAll(ctx context.Context) error {
	w.repository++
	patch := fmt.Sprintf(`{"data":{"finalImagePullspec":%q}}`, repository(w.repository))
	return w.patchSettings(ctx, patch)
}

// wakeAll has every layered pool looked at: what it changes is read, and nothing comes of it
// for pools at rest.
func (w *world) wakeAll(ctx context.Context) error {
	w.generation++
	return w.patchSettings(ctx, fmt.Sprintf(`{"data":{"completionDeadlineSeconds":"%d"}}`, 3600+w.generation%1000))
}

func (w *world) patchSettings(ctx context.Context, patch string) error {
	_, err := w.admin.kube.CoreV1().ConfigMaps(devcluster.Namespace).Patch(ctx, settingsName, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("could not change settings: %w", err)
	}
	return nil
}

// userConfig is the configuration of a program under measurement.
func (w *world) userConfig(user string, on *wire) (*rest.Config, error) {
	config, err := w.cluster.RESTConfigFor(user, "system:masters")
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = clientRate, clientRate
	on.attach(config)
	return config, nil
}

// hexName is a name like those that rendered configs have.
func hexName(prefix string, n int) string {
	return fmt.Sprintf("rendered-%s-%s%08x", prefix, strings.Repeat("0", 24), n)
}
