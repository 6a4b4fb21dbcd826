package main

import (
	"context"
	"fmt"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

func (s *story) optIn(ctx context.Context) error {
	end := s.holdBuilds()
	defer end()
	if err := s.setOptIn(ctx, true); err != nil {
		return err
	}
	if _, err := s.sees(ctx, says(mcfgv1.MachineConfigPoolBuilding, "BuildRunning", s.configs["first"]), noImage); err != nil {
		return err
	}
	end()
	s.say.line("")
	s.say.note("The build ends well.")
	_, err := s.sees(ctx, s.published("first")...)
	return err
}

func (s *story) changeConfig(ctx context.Context) error {
	end := s.holdBuilds()
	defer end()
	if err := s.want(ctx, "second"); err != nil {
		return err
	}
	v, err := s.sees(ctx, says(mcfgv1.MachineConfigPoolBuilding, "BuildRunning", s.configs["second"]), hasImageOf("the first config", s.configs["first"]))
	if err != nil {
		return err
	}
	second, err := v.buildOf(s.configs["second"])
	if err != nil {
		return err
	}
	s.buildAtOnce()
	if err := s.want(ctx, "third"); err != nil {
		return err
	}
	s.say.note("The Build of the second config is of no use any more.")
	_, err = s.sees(ctx, append(s.published("third"), withoutBuild("the Build of the second config", second))...)
	return err
}

func (s *story) breakSecret(ctx context.Context) error {
	s.say.note("The push secret is replaced by one for another registry. Nothing is to be pushed, so nothing is said of it yet.")
	err := s.noticed(ctx, func() error { return s.setCredentials(ctx, "elsewhere.example.com") })
	if err != nil {
		return err
	}
	if err := s.want(ctx, "fourth"); err != nil {
		return err
	}
	_, err = s.sees(ctx,
		says(mcfgv1.MachineConfigPoolBuildPending, "SecretInvalid", "Secret "+pushSecret, registry),
		hasImageOf("the third config", s.configs["third"]),
		claim{"no Build of the fourth config was started", func(v *view) string {
			name, _ := v.buildOf(s.configs["fourth"])
			return name
		}})
	if err != nil {
		return err
	}
	s.say.line("")
	s.say.note("The push secret is mended, and nothing else is done.")
	if err := s.setCredentials(ctx, registry); err != nil {
		return err
	}
	_, err = s.sees(ctx, s.published("fourth")...)
	return err
}

func (s *story) deleteBuild(ctx context.Context) error {
	if err := s.noticed(ctx, func() error { return s.removeBuildOf(ctx, "fourth") }); err != nil {
		return err
	}
	s.say.note("Its image is on record, so nobody misses it.")
	if _, err := s.sees(ctx, append(s.published("fourth"), noneActive)...); err != nil {
		return err
	}

	end := s.holdBuilds()
	defer end()
	if err := s.want(ctx, "fifth"); err != nil {
		return err
	}
	if _, err := s.await(ctx, says(mcfgv1.MachineConfigPoolBuilding, "BuildRunning", s.configs["fifth"])); err != nil {
		return err
	}
	s.buildAtOnce()
	if err := s.removeBuildOf(ctx, "fifth"); err != nil {
		return err
	}
	_, err := s.sees(ctx,
		says(mcfgv1.MachineConfigPoolBuildPending, "RetryScheduled", s.configs["fifth"], "BuildDeleted", "Attempt 1 of 4"),
		hasImageOf("the fourth config", s.configs["fourth"]))
	if err != nil {
		return err
	}
	s.say.line("")
	s.say.note("When its time has come, the next attempt starts by itself.")
	_, err = s.sees(ctx, s.published("fifth")...)
	return err
}

func (s *story) optOut(ctx context.Context) error {
	end := s.holdBuilds()
	defer end()
	if err := s.want(ctx, "sixth"); err != nil {
		return err
	}
	if _, err := s.await(ctx, says(mcfgv1.MachineConfigPoolBuilding, "BuildRunning", s.configs["sixth"])); err != nil {
		return err
	}
	if err := s.setOptIn(ctx, false); err != nil {
		return err
	}
	_, err := s.sees(ctx, nothingOfOurs)
	return err
}

func (s *story) deletePool(ctx context.Context) error {
	end := s.holdBuilds()
	defer end()
	if err := s.setOptIn(ctx, true); err != nil {
		return err
	}
	if _, err := s.sees(ctx, says(mcfgv1.MachineConfigPoolBuilding, "BuildRunning", s.configs["sixth"])); err != nil {
		return err
	}
	s.say.command("kubectl delete machineconfigpool %s", s.pool)
	if err := s.mcfg.MachineconfigurationV1().MachineConfigPools().Delete(ctx, s.pool, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("could not delete the pool: %w", err)
	}
	gone := claim{"the pool is gone", func(v *view) string {
		if v.pool != nil {
			return "it is there"
		}
		return ""
	}}
	_, err := s.await(ctx, gone, nothingOfOurs)
	if err == nil {
		s.say.hold([]claim{gone, nothingOfOurs})
	}
	return err
}

// published is how a pool looks when all is well.
func (s *story) published(what string) []claim {
	config := s.configs[what]
	return []claim{says(mcfgv1.MachineConfigPoolBuildSuccess, "ImagePublished", config), hasImageOf("the "+what+" config", config), noInputs}
}

var noneActive = claim{"no Build is active", func(v *view) string {
	for i := range v.builds {
		switch v.builds[i].Status.Phase {
		case "", buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning:
			return v.builds[i].Name + " is"
		}
	}
	return ""
}}

// buildOf names the newest Build of a config.
func (v *view) buildOf(config string) (string, error) {
	for i := len(v.builds) - 1; i >= 0; i-- {
		if v.builds[i].Annotations[configAnnotation] == config {
			return v.builds[i].Name, nil
		}
	}
	return "", fmt.Errorf("could not find a Build of %s", config)
}

func (s *story) removeBuildOf(ctx context.Context, what string) error {
	v, err := s.look(ctx)
	if err != nil {
		return err
	}
	name, err := v.buildOf(s.configs[what])
	if err != nil {
		return err
	}
	s.say.command("kubectl -n %s delete build %s", devcluster.Namespace, name)
	if err := s.builds.BuildV1().Builds(devcluster.Namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("could not delete Build %s: %w", name, err)
	}
	return nil
}
