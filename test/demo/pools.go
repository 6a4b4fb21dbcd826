package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const customConfigMap = "machine-os-builder-custom-containerfile"

const optInLabel = "machineconfiguration.openshift.io/layering-enabled"

// createPools creates the pools, and plays the render controller for them.
func (d *demo) createPools(ctx context.Context) error {
	if err := d.cluster.Apply(ctx, asset("pools.yaml")); err != nil {
		return err
	}
	for _, pool := range []string{poolWorker, poolInfra} {
		config, err := render(pool, false)
		if err != nil {
			return err
		}
		if err := d.want(ctx, config); err != nil {
			return err
		}
		d.show.say("%-6s  wants %s (Ignition, %d bytes)", pool, config.name, len(config.raw))
	}
	return nil
}

// want creates a rendered config and makes its pool want it.
func (d *demo) want(ctx context.Context, config rendered) error {
	machineConfiguration := d.clients.mcfg.MachineconfigurationV1()
	pool, err := machineConfiguration.MachineConfigPools().Get(ctx, config.pool, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("could not get MachineConfigPool %s: %w", config.pool, err)
	}
	object := config.machineConfig(pool, d.baseImage)
	if _, err := machineConfiguration.MachineConfigs().Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager}); err != nil {
		return fmt.Errorf("could not create MachineConfig %s: %w", config.name, err)
	}
	if err := d.patchPool(ctx, config.pool, map[string]any{"spec": map[string]any{"configuration": map[string]any{"name": config.name}}}); err != nil {
		return err
	}
	d.configs[config.pool] = config
	return nil
}

func (d *demo) patchPool(ctx context.Context, pool string, patch map[string]any) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("could not encode patch of MachineConfigPool %s: %w", pool, err)
	}
	_, err = d.clients.mcfg.MachineconfigurationV1().MachineConfigPools().
		Patch(ctx, pool, types.MergePatchType, body, metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil {
		return fmt.Errorf("could not patch MachineConfigPool %s: %w", pool, err)
	}
	return nil
}

// firstImages opts in, which is all that it takes.
func (d *demo) firstImages(ctx context.Context) error {
	pushSpec := d.cluster.Registry().Host() + "/demo/os-images:latest"
	d.show.say("kubectl label machineconfigpool %s %s=", poolWorker, optInLabel)
	d.show.say("kubectl apply -f - <<EOF")
	for line := range strings.Lines(asset("machineosconfig.yaml")) {
		if !strings.Contains(line, "#") {
			d.show.say("  %s", strings.TrimSuffix(line, "\n"))
		}
	}
	d.show.say("    renderedImagePushSpec: %s", pushSpec)
	d.show.say("EOF")
	began := time.Now()
	if err := d.patchPool(ctx, poolWorker, map[string]any{"metadata": map[string]any{"labels": map[string]any{optInLabel: ""}}}); err != nil {
		return err
	}
	if err := d.cluster.Apply(ctx, asset("machineosconfig.yaml"), set(pushSpec, "spec", "renderedImagePushSpec")); err != nil {
		return err
	}
	return d.awaitImages(ctx, began, poolWorker, poolInfra)
}

// secondImage changes the config of one pool, and what is run on top of it. Both come within the quiet period, so they are one build.
func (d *demo) secondImage(ctx context.Context) error {
	config, err := render(poolWorker, true)
	if err != nil {
		return err
	}
	began := time.Now()
	// The quiet period begins with the config.
	if err := d.want(ctx, config); err != nil {
		return err
	}
	if err := d.cluster.Apply(ctx, asset("custom.yaml"), set(d.customContent(), "data", poolWorker)); err != nil {
		return err
	}
	d.show.say("ConfigMap %s, key %s:", customConfigMap, poolWorker)
	for line := range strings.Lines(d.customContent()) {
		d.show.say("  | %s", strings.TrimSuffix(line, "\n"))
	}
	d.show.say("vm.max_map_count is %d instead of %d, and %s is new", sysctlAfter, sysctlBefore, motdPath)
	d.show.say("worker now wants %s", config.name)
	return d.awaitImages(ctx, began, poolWorker)
}

// awaitImages waits until the images of the wanted configs are on the pools.
func (d *demo) awaitImages(ctx context.Context, began time.Time, pools ...string) error {
	wanted := map[string]string{}
	for _, pool := range pools {
		wanted[pool] = d.configs[pool].name
	}
	published, err := d.follow.await(ctx, wanted)
	if err != nil {
		return err
	}
	for _, pool := range pools {
		p := published[pool]
		d.built = append(d.built, result{
			Pool: pool, RenderedConfig: wanted[pool], Image: p.image, Build: p.build, Seconds: roundSeconds(p.at.Sub(began)),
			MachineOSConfig: p.osConfig, MachineOSBuild: p.osBuild,
		})
		d.show.say("%-6s  %s", pool, p.image)
	}
	return nil
}

// customContent is for the pool worker. Either makes the same files.
func (d *demo) customContent() string {
	if d.builderImage != "" {
		return asset("custom.jobs.Containerfile")
	}
	return asset("custom.Containerfile")
}
