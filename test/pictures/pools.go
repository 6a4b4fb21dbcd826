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

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

const (
	pushSecret = "push"
	registry   = "images.example.com"
	repository = registry + "/ocp/os"

	settings       = "machine-os-builder-config"
	customContent  = "machine-os-builder-custom-containerfile"
	optInLabel     = "machineconfiguration.openshift.io/layering-enabled"
	rebuildRequest = "machineconfiguration.openshift.io/rebuild-requested"

	lookInterval = 50 * time.Millisecond
	// nodesInterval is how often a node reports, on any of the pools.
	nodesInterval = 15 * time.Millisecond
)

// pools are those of the script.
var pools = []string{"worker", "infra", "edge", "gpu"}

// installObjects creates what is there before the controller starts.
func (s *scene) installObjects(ctx context.Context) error {
	permissions, err := os.ReadFile(filepath.Join(s.root, "hack", "deploy", "rbac.yaml"))
	if err != nil {
		return fmt.Errorf("could not read permissions: %w", err)
	}
	if err := s.cluster.Apply(ctx, string(permissions)); err != nil {
		return err
	}
	for name, data := range map[string]map[string]string{
		settings: {
			"baseImagePullSecretName": "", "finalImagePushSecretName": pushSecret, "finalImagePullspec": repository,
			"maxConcurrentBuilds": "2", "quietPeriodSeconds": "0",
		},
		customContent: {},
	} {
		configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
		if _, err := s.kube.CoreV1().ConfigMaps(devcluster.Namespace).Create(ctx, configMap, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("could not create ConfigMap %s: %w", name, err)
		}
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: pushSecret},
		Type:       corev1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{corev1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{%q:{"auth":"dXNlcjpwYXNz"}}}`, registry)},
	}
	if _, err := s.kube.CoreV1().Secrets(devcluster.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create the push secret: %w", err)
	}
	for _, name := range pools {
		config, err := s.render(ctx, name, "first")
		if err != nil {
			return err
		}
		pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
		pool.Spec.Configuration.Name = config
		if _, err := s.mcfg.MachineconfigurationV1().MachineConfigPools().Create(ctx, pool, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("could not create pool %s: %w", name, err)
		}
	}
	return nil
}

// configName follows from what a config says, as the render controller has it.
func configName(pool, what string) string {
	sum := sha256.Sum256([]byte(pool + " " + what))
	return "rendered-" + pool + "-" + hex.EncodeToString(sum[:16])
}

// render plays the render controller.
func (s *scene) render(ctx context.Context, pool, what string) (string, error) {
	base := sha256.Sum256([]byte("base"))
	config := &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: configName(pool, what)},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL: registry + "/ocp/base@sha256:" + hex.EncodeToString(base[:]),
			Config: runtime.RawExtension{Raw: fmt.Appendf(nil,
				`{"ignition":{"version":"3.4.0"},"storage":{"files":[{"path":"/etc/motd","contents":{"source":"data:,%s-%s"}}]}}`, pool, what)},
		},
	}
	if _, err := s.mcfg.MachineconfigurationV1().MachineConfigs().Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return "", fmt.Errorf("could not create MachineConfig: %w", err)
	}
	return config.Name, nil
}

// wants has a pool want a new config.
func (s *scene) wants(ctx context.Context, pool, what string) error {
	config, err := s.render(ctx, pool, what)
	if err != nil {
		return err
	}
	return s.wantsAgain(ctx, pool, config)
}

// wantsAgain has a pool want a config that there is.
func (s *scene) wantsAgain(ctx context.Context, pool, config string) error {
	return s.patchPool(ctx, pool, map[string]any{"spec": map[string]any{"configuration": map[string]any{"name": config}}})
}

func (s *scene) optIn(ctx context.Context, pool string) error {
	return s.patchPool(ctx, pool, map[string]any{"metadata": map[string]any{"labels": map[string]any{optInLabel: ""}}})
}

func (s *scene) requestRebuild(ctx context.Context, pool string) error {
	return s.patchPool(ctx, pool, map[string]any{"metadata": map[string]any{"annotations": map[string]any{rebuildRequest: "because of an errata"}}})
}

func (s *scene) patchPool(ctx context.Context, pool string, patch map[string]any, subresources ...string) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("could not encode patch: %w", err)
	}
	if _, err = s.mcfg.MachineconfigurationV1().MachineConfigPools().Patch(ctx, pool, types.MergePatchType, body, metav1.PatchOptions{}, subresources...); err != nil {
		return fmt.Errorf("could not patch pool %s: %w", pool, err)
	}
	return nil
}

// setCustomContent changes the Containerfile text of a pool.
func (s *scene) setCustomContent(ctx context.Context, pool, text string) error {
	body, err := json.Marshal(map[string]any{"data": map[string]string{pool: text}})
	if err != nil {
		return fmt.Errorf("could not encode patch: %w", err)
	}
	if _, err = s.kube.CoreV1().ConfigMaps(devcluster.Namespace).Patch(ctx, customContent, types.MergePatchType, body, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("could not patch ConfigMap %s: %w", customContent, err)
	}
	return nil
}

// until waits for a pool to be in a state; as Published, with the image of the config that it wants.
func (s *scene) until(ctx context.Context, pool string, state ledger.State) error {
	for {
		object, err := s.mcfg.MachineconfigurationV1().MachineConfigPools().Get(ctx, pool, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get pool %s: %w", pool, err)
		}
		is := ledger.Read(object)
		if is.Reported.State == state && (state != ledger.StatePublished || is.ImageConfig == is.WantedConfig) {
			return nil
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return fmt.Errorf("pool %s did not become %s, it is %s: %w", pool, state, is.Reported.State, context.Cause(ctx))
		}
	}
}

// nodesReport plays the node controller, which writes on the status of pools whenever a node has something to say. The
// controller's own writes meet that.
func (s *scene) nodesReport(ctx context.Context) error {
	ticker := time.NewTicker(nodesInterval)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		err := s.patchPool(ctx, pools[i%len(pools)], map[string]any{"status": map[string]any{"readyMachineCount": i / len(pools) % 2}}, "status")
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}
