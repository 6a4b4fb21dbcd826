package main

import (
	"context"
	"encoding/json"
	"fmt"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// nodesOfPool is how many nodes imagePool has.
const nodesOfPool = 2

// Configs of imagePool and of otherPool, by what they say.
const (
	before = "unchanged"
	after  = "changed"
	other  = "other"
)

func (s *story) createMachineOSConfig(ctx context.Context) error {
	end := s.holdBuilds()
	defer end()
	if err := s.createPool(ctx, otherPool, other); err != nil {
		return err
	}
	if err := s.createPool(ctx, imagePool, before); err != nil {
		return err
	}
	if err := s.createNodes(ctx); err != nil {
		return err
	}
	base := nodesAre("both nodes are on the base, with "+s.configs[before], func(*view) (string, string) { return s.configs[before], "" })
	if _, err := s.await(ctx, base); err != nil {
		return err
	}
	s.say.note("Pool %s is there, with two nodes, and pool %s, which somebody else opts in likewise.", imagePool, otherPool)
	for _, pool := range []string{otherPool, imagePool} {
		if err := s.applyMachineOSConfig(ctx, pool); err != nil {
			return err
		}
	}
	s.say.line("")
	s.say.note("No node has room for a build yet.")
	if _, err := s.seesLayers(ctx, isAt(imagePool, mcfgv1.MachineOSBuildPrepared, s.configs[before]), base); err != nil {
		return err
	}
	s.say.line("")
	s.say.note("A node joins that builds run on.")
	if err := s.joinBuilderNode(ctx); err != nil {
		return err
	}
	if _, err := s.seesLayers(ctx, isAt(imagePool, mcfgv1.MachineOSBuilding, s.configs[before]), base, poolIsQuiet); err != nil {
		return err
	}
	end()
	if err := s.rolledOut(ctx, "", before); err != nil {
		return err
	}
	_, err := s.await(ctx, isAt(otherPool, mcfgv1.MachineOSBuildSucceeded, s.configs[other]), hasNewImage(otherPool, ""))
	return err
}

// rolledOut lets the build end, and waits as an administrator would until nodes are on the image.
func (s *story) rolledOut(ctx context.Context, image, what string) error {
	config := s.configs[what]
	v, err := s.await(ctx, isAt(imagePool, mcfgv1.MachineOSBuildSucceeded, config))
	if err != nil {
		return err
	}
	s.say.line("")
	s.say.note("The build ends well, and the nodes follow, one after the other.")
	s.say.command("kubectl wait --for=condition=Succeeded machineosbuild/%s", v.current(imagePool).Name)
	s.say.note("$ kubectl wait --for=jsonpath='{.status.currentImagePullSpec}' machineosconfig/%s", imagePool)
	_, err = s.seesLayers(ctx,
		isAt(imagePool, mcfgv1.MachineOSBuildSucceeded, config), hasNewImage(imagePool, image), nodesFollow(config), oneBuild, poolIsQuiet, noInputs)
	return err
}

// rebuilt does something that has an image built, looks at what is while it is being built, and after that.
func (s *story) rebuilt(ctx context.Context, act func() error) error {
	end := s.holdBuilds()
	defer end()
	v, err := s.look(ctx)
	if err != nil {
		return err
	}
	image := v.image(imagePool)
	if err := act(); err != nil {
		return err
	}
	_, err = s.seesLayers(ctx, isAt(imagePool, mcfgv1.MachineOSBuilding, s.configs[after]), keepsImage(imagePool, image), notAsked, nodesStay(s.configs[after], image))
	if err != nil {
		return err
	}
	end()
	return s.rolledOut(ctx, image, after)
}

// changeFile changes what nodes write themselves, so that the image stays.
func (s *story) changeFile(ctx context.Context) error {
	v, err := s.look(ctx)
	if err != nil {
		return err
	}
	image := v.image(imagePool)
	if err := s.want(ctx, after); err != nil {
		return err
	}
	s.say.note("Nodes write the files of a config themselves, so the image stays, unless buildFor says EveryConfig.")
	_, err = s.seesLayers(ctx,
		isAt(imagePool, mcfgv1.MachineOSBuildSucceeded, s.configs[after]), keepsImage(imagePool, image), noJobFor(s.configs[after]),
		nodesAre("both nodes have "+s.configs[after]+" and that image", func(*view) (string, string) { return s.configs[after], image }),
		oneBuild, poolIsQuiet, noInputs)
	return err
}

// noJobFor claims that nothing was built for the config.
func noJobFor(config string) claim {
	return claim{"no Job was started for " + config, func(v *view) string {
		for i := range v.jobs {
			if v.jobs[i].Annotations[configAnnotation] == config {
				return v.jobs[i].Name + " was"
			}
		}
		return ""
	}}
}

func (s *story) changeContainerfile(ctx context.Context) error {
	return s.rebuilt(ctx, func() error {
		text := "LABEL com.example.team=infra"
		s.say.command("kubectl patch machineosconfig %s --type=merge -p '{\"spec\":{\"containerFile\":[{\"content\":%q}]}}'", imagePool, text)
		return s.patchMachineOSConfig(ctx, map[string]any{"spec": map[string]any{"containerFile": []any{map[string]any{"content": text}}}})
	})
}

// notAsked claims that a request for a rebuild is taken away when it is accepted.
var notAsked = claim{"no request for a rebuild is left on the MachineOSConfig", func(v *view) string {
	if config := v.config(imagePool); config != nil {
		if _, asked := config.Annotations[rebuildAnnotation]; asked {
			return "the annotation is there"
		}
	}
	return ""
}}

func (s *story) requestRebuild(ctx context.Context) error {
	return s.rebuilt(ctx, func() error {
		s.say.command("kubectl annotate machineosconfig %s %s=", imagePool, rebuildAnnotation)
		return s.patchMachineOSConfig(ctx, map[string]any{"metadata": map[string]any{"annotations": map[string]any{rebuildAnnotation: ""}}})
	})
}

func (s *story) deleteMachineOSConfig(ctx context.Context) error {
	v, err := s.look(ctx)
	if err != nil {
		return err
	}
	untouched := otherUntouched(v)
	if err := s.removeMachineOSConfig(ctx, imagePool); err != nil {
		return err
	}
	_, err = s.seesLayers(ctx, nothingOfOurs, noneOf(imagePool), untouched,
		nodesAre("both nodes are back on the base", func(*view) (string, string) { return s.configs[after], "" }))
	if err != nil {
		return err
	}
	s.say.line("")
	s.say.note("Somebody deletes the other one as well.")
	if err := s.removeMachineOSConfig(ctx, otherPool); err != nil {
		return err
	}
	s.pool = otherPool
	claims := []claim{nothingOfOurs, noneOf(otherPool)}
	if _, err = s.await(ctx, claims...); err == nil {
		s.say.hold(claims)
	}
	return err
}

// noneOf claims that neither the MachineOSConfig of the pool nor what was made for it is left.
func noneOf(pool string) claim {
	return claim{"no MachineOSConfig, no MachineOSBuild and no Job of pool " + pool + " is left", func(v *view) string {
		if v.config(pool) != nil {
			return "the MachineOSConfig is"
		}
		for i := range v.osBuilds {
			if v.osBuilds[i].Spec.MachineOSConfig.Name == pool {
				return "MachineOSBuild " + v.osBuilds[i].Name + " is"
			}
		}
		for i := range v.jobs {
			if v.jobs[i].Annotations[poolAnnotation] == pool {
				return "Job " + v.jobs[i].Name + " is"
			}
		}
		return ""
	}}
}

// otherUntouched claims that nobody has written the other MachineOSConfig, nor its MachineOSBuild, since the view.
func otherUntouched(then *view) claim {
	versions := func(v *view) (all [2]string) {
		if config, build := v.config(otherPool), v.current(otherPool); config != nil && build != nil {
			all = [2]string{config.ResourceVersion, build.ResourceVersion}
		}
		return all
	}
	return claim{"MachineOSConfig " + otherPool + " and its MachineOSBuild were not touched", func(v *view) string {
		if is := versions(v); is != versions(then) || is[0] == "" {
			return fmt.Sprintf("their versions are %v", is)
		}
		return ""
	}}
}

// createNodes creates nodes that are some to the node controller, and nothing to the scheduler: they have room for no pod.
func (s *story) createNodes(ctx context.Context) error {
	for i := range nodesOfPool {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", imagePool, i), Labels: map[string]string{roleLabel + imagePool: ""}}}
		if _, err := s.kube.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("could not create node: %w", err)
		}
	}
	return nil
}

func (s *story) applyMachineOSConfig(ctx context.Context, pool string) error {
	config := &mcfgv1.MachineOSConfig{ObjectMeta: metav1.ObjectMeta{Name: pool}, Spec: mcfgv1.MachineOSConfigSpec{
		MachineConfigPool:       mcfgv1.MachineConfigPoolReference{Name: pool},
		ImageBuilder:            mcfgv1.MachineOSImageBuilder{ImageBuilderType: mcfgv1.JobBuilder},
		RenderedImagePushSecret: mcfgv1.ImageSecretObjectReference{Name: pushSecret},
		RenderedImagePushSpec:   repository + ":latest",
		Containerfile:           []mcfgv1.MachineOSContainerfile{},
	}}
	text, err := yaml.Marshal(config.Spec)
	if err != nil {
		return fmt.Errorf("could not encode MachineOSConfig %s: %w", pool, err)
	}
	if pool == imagePool {
		s.say.command("kubectl apply -f - # MachineOSConfig %s, whose spec is", pool)
		s.say.block(string(text))
	}
	if _, err := s.mcfg.MachineconfigurationV1().MachineOSConfigs().Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create MachineOSConfig %s: %w", pool, err)
	}
	return nil
}

func (s *story) patchMachineOSConfig(ctx context.Context, patch map[string]any) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("could not encode patch: %w", err)
	}
	_, err = s.mcfg.MachineconfigurationV1().MachineOSConfigs().Patch(ctx, imagePool, types.MergePatchType, body, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("could not patch MachineOSConfig %s: %w", imagePool, err)
	}
	return nil
}

func (s *story) removeMachineOSConfig(ctx context.Context, name string) error {
	s.say.command("kubectl delete machineosconfig %s", name)
	if err := s.mcfg.MachineconfigurationV1().MachineOSConfigs().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("could not delete MachineOSConfig %s: %w", name, err)
	}
	return nil
}
