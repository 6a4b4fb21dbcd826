package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

const (
	// labelPool is opted in by its label, imagePool by a MachineOSConfig, and otherPool likewise by somebody else.
	labelPool = "worker"
	imagePool = "infra"
	otherPool = "edge"

	pushSecret = "push"
	registry   = "images.example.com"
	repository = registry + "/ocp/os"

	optInLabel            = "machineconfiguration.openshift.io/layering-enabled"
	imageAnnotation       = "machineconfiguration.openshift.io/desired-os-image"
	imageConfigAnnotation = "machineconfiguration.openshift.io/desired-os-image-config"
	configAnnotation      = "machineconfiguration.openshift.io/rendered-config"
	poolAnnotation        = "machineconfiguration.openshift.io/pool"
	roleLabel             = "node-role.kubernetes.io/"
	ownedSelector         = "app.kubernetes.io/managed-by=machine-os-build-controller"

	// foreignAnnotation stands for all that others write on a pool.
	foreignAnnotation = "example.com/maintenance-approved"
)

// foreignCondition is the node controller's.
var foreignCondition = mcfgv1.MachineConfigPoolCondition{
	Type: mcfgv1.MachineConfigPoolUpdated, Status: corev1.ConditionTrue, Message: "All nodes are updated",
	LastTransitionTime: metav1.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC),
}

// installObjects creates what is there before the controller starts.
func (s *story) installObjects(ctx context.Context) error {
	for _, name := range []string{"rbac.yaml", "machine-os-configs/rbac.yaml"} {
		permissions, err := os.ReadFile(filepath.Join(s.root, "hack", "deploy", name))
		if err != nil {
			return fmt.Errorf("could not read permissions: %w", err)
		}
		if err := s.cluster.Apply(ctx, string(permissions)); err != nil {
			return err
		}
	}
	settings := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "machine-os-builder-config"},
		Data: map[string]string{
			"baseImagePullSecretName": "", "finalImagePushSecretName": pushSecret, "finalImagePullspec": repository,
			// The story waits for nobody to stop changing configs.
			"quietPeriodSeconds": "0",
			// What Jobs would run, if anything ran here.
			"jobBuilderImage": builderImage,
		},
	}
	if _, err := s.kube.CoreV1().ConfigMaps(devcluster.Namespace).Create(ctx, settings, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create the ConfigMap: %w", err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: pushSecret},
		Type:       corev1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{corev1.DockerConfigJsonKey: credentialsFor(registry)},
	}
	if _, err := s.kube.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create the push secret: %w", err)
	}

	return s.createPool(ctx, labelPool, "first")
}

// createPool creates a pool that wants a config, with what others write on pools, and goes on with it.
func (s *story) createPool(ctx context.Context, name, what string) error {
	s.pool = name
	config, err := s.render(ctx, what)
	if err != nil {
		return err
	}
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{foreignAnnotation: "true"}}}
	pool.Spec.Configuration.Name = config
	pool.Spec.NodeSelector = &metav1.LabelSelector{MatchLabels: map[string]string{roleLabel + name: ""}}
	pools := s.mcfg.MachineconfigurationV1().MachineConfigPools()
	if pool, err = pools.Create(ctx, pool, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create the pool: %w", err)
	}
	pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{foreignCondition}
	if _, err = pools.UpdateStatus(ctx, pool, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("could not set the pool's status: %w", err)
	}
	return nil
}

func credentialsFor(host string) []byte {
	return fmt.Appendf(nil, `{"auths":{%q:{"auth":"dXNlcjpwYXNz"}}}`, host)
}

// setCredentials changes whom the push secret is good for.
func (s *story) setCredentials(ctx context.Context, host string) error {
	patch, err := json.Marshal(map[string]any{"data": map[string][]byte{corev1.DockerConfigJsonKey: credentialsFor(host)}})
	if err != nil {
		return fmt.Errorf("could not encode patch: %w", err)
	}
	_, err = s.kube.CoreV1().Secrets(devcluster.Namespace).Patch(ctx, pushSecret, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("could not patch the push secret: %w", err)
	}
	return nil
}

// render plays the render controller: a config that says something, under a name that follows from that.
func (s *story) render(ctx context.Context, what string) (string, error) {
	raw := fmt.Appendf(nil, `{"ignition":{"version":"3.4.0"},"storage":{"files":[{"path":"/etc/motd","contents":{"source":"data:,%s"}}]}}`, what)
	sum := sha256.Sum256(raw)
	base := sha256.Sum256([]byte("base"))
	config := &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "rendered-" + s.pool + "-" + hex.EncodeToString(sum[:16])},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL: registry + "/ocp/base@sha256:" + hex.EncodeToString(base[:]),
			Config:     runtime.RawExtension{Raw: raw},
		},
	}
	if _, err := s.mcfg.MachineconfigurationV1().MachineConfigs().Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return "", fmt.Errorf("could not create MachineConfig: %w", err)
	}
	s.configs[what] = config.Name
	return config.Name, nil
}

// want has the pool want a new config.
func (s *story) want(ctx context.Context, what string) error {
	config, err := s.render(ctx, what)
	if err != nil {
		return err
	}
	s.say.line("")
	s.say.note("The render controller makes the %s config, %s.", what, config)
	return s.patchPool(ctx, map[string]any{"spec": map[string]any{"configuration": map[string]any{"name": config}}})
}

func (s *story) patchPool(ctx context.Context, patch map[string]any) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("could not encode patch: %w", err)
	}
	_, err = s.mcfg.MachineconfigurationV1().MachineConfigPools().Patch(ctx, s.pool, types.MergePatchType, body, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("could not patch the pool: %w", err)
	}
	return nil
}

// setOptIn labels the pool, or takes the label away.
func (s *story) setOptIn(ctx context.Context, optIn bool) error {
	var value any
	suffix := "-"
	if optIn {
		value, suffix = "", "="
	}
	s.say.command("kubectl label machineconfigpool %s %s%s", s.pool, optInLabel, suffix)
	return s.patchPool(ctx, map[string]any{"metadata": map[string]any{"labels": map[string]any{optInLabel: value}}})
}
