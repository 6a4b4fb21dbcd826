package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const currentBuildAnnotation = "machineconfiguration.openshift.io/current-machine-os-build"

// progresses are the conditions of a MachineOSBuild, as kubectl lists them.
var progresses = []mcfgv1.BuildProgress{
	mcfgv1.MachineOSBuildPrepared, mcfgv1.MachineOSBuilding, mcfgv1.MachineOSBuildSucceeded, mcfgv1.MachineOSBuildInterrupted, mcfgv1.MachineOSBuildFailed,
}

// osConfig is a MachineOSConfig with the MachineOSBuild that it names; the latter may be nil.
type osConfig struct {
	*mcfgv1.MachineOSConfig
	build *mcfgv1.MachineOSBuild
}

// osConfig is the one of the pool; nil where none opts it in.
func (f *follower) osConfig(pool string) *osConfig {
	config := f.osConfigs[pool]
	if config == nil {
		return nil
	}
	return &osConfig{config, f.osBuilds[config.Annotations[currentBuildAnnotation]]}
}

// condition is the one that is True of the MachineOSBuild; a zero one if there is none.
func (c *osConfig) condition() metav1.Condition {
	if c.build == nil {
		return metav1.Condition{}
	}
	for _, progress := range progresses {
		if condition := meta.FindStatusCondition(c.build.Status.Conditions, string(progress)); condition != nil && condition.Status == metav1.ConditionTrue {
			return *condition
		}
	}
	return metav1.Condition{}
}

// job is what builds, as far as the MachineOSBuild tells.
func (c *osConfig) job() string {
	if c.build == nil || c.build.Status.Builder == nil || c.build.Status.Builder.Job == nil {
		return ""
	}
	return c.build.Status.Builder.Job.Name
}

// image is that of the config, once nodes would be given it: the MachineOSBuild has succeeded, and both name the same image.
func (c *osConfig) image(config string) string {
	if c.build == nil || c.build.Spec.MachineConfig.Name != config || c.condition().Type != string(mcfgv1.MachineOSBuildSucceeded) {
		return ""
	}
	if c.build.Status.DigestedImagePushSpec != c.Status.CurrentImagePullSpec {
		return ""
	}
	return string(c.Status.CurrentImagePullSpec)
}

// text is where it stands, as a sentence.
func (c *osConfig) text() string {
	condition := c.condition()
	if condition.Type == "" {
		return fmt.Sprintf("MachineOSConfig %s has no MachineOSBuild yet that says anything", c.Name)
	}
	return fmt.Sprintf("MachineOSBuild %s is %s (%s): %s", c.build.Name, condition.Type, condition.Reason, condition.Message)
}

// progress is where it stands in one line, with how far the build is of the wanted config.
func (c *osConfig) progress(build *build) string {
	text := c.condition().Type
	if text == "" {
		text = "opted in"
	}
	return withBuild(text, build)
}

// noteImage takes note of an image of a MachineOSConfig, at its first sight.
func (f *follower) noteImage(pool string) {
	c := f.osConfig(pool)
	if c == nil || c.build == nil {
		return
	}
	config := c.build.Spec.MachineConfig.Name
	image := c.image(config)
	if _, known := f.published[config]; known || image == "" {
		return
	}
	f.published[config] = publication{image: image, build: c.job(), osConfig: c.Name, osBuild: c.build.Name, at: time.Now()}
}

// lookAtImage is the publication of the config; an error when nothing more can be expected.
func (f *follower) lookAtImage(c *osConfig, config string) (*publication, error) {
	switch mcfgv1.BuildProgress(c.condition().Type) {
	case mcfgv1.MachineOSBuildFailed, mcfgv1.MachineOSBuildInterrupted:
		if c.build.Spec.MachineConfig.Name == config {
			return nil, errors.New(c.text())
		}
	}
	p, known := f.published[config]
	if !known || c.image(config) == "" {
		return nil, nil
	}
	return &p, nil
}

// describeInfra shows what a MachineOSConfig and its MachineOSBuild say.
func (d *demo) describeInfra(ctx context.Context) error {
	group := d.clients.mcfg.MachineconfigurationV1()
	config, err := group.MachineOSConfigs().Get(ctx, poolInfra, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("could not get MachineOSConfig %s: %w", poolInfra, err)
	}
	build, err := group.MachineOSBuilds().Get(ctx, config.Annotations[currentBuildAnnotation], metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("could not get the MachineOSBuild of MachineOSConfig %s: %w", poolInfra, err)
	}
	d.show.say("")
	d.show.say("kubectl describe machineosconfig %s, and kubectl get machineosbuilds, in short:", poolInfra)
	d.show.say("")
	for line := range strings.Lines(describeOSConfig(&osConfig{config, build})) {
		d.show.say("%s", strings.TrimSuffix(line, "\n"))
	}
	return nil
}

func describeOSConfig(c *osConfig) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	// No call fails: a strings.Builder takes all.
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) }

	put("Name:\t%s", c.Name)
	put("Machine Config Pool:\t%s", c.Spec.MachineConfigPool.Name)
	put("Current Image Pull Spec:\t%s", c.Status.CurrentImagePullSpec)
	_ = table.Flush()
	put("Conditions:")
	_ = table.Flush()
	put("  Type\tStatus\tReason\tMessage")
	var others []string
	for _, condition := range c.Status.Conditions {
		if condition.Status == metav1.ConditionTrue {
			put("  %s\t%s\t%s\t%s", condition.Type, condition.Status, condition.Reason, condition.Message)
		} else {
			others = append(others, condition.Type)
		}
	}
	_ = table.Flush()
	if len(others) > 0 {
		put("  not the case: %s", strings.Join(others, ", "))
	}
	put("")
	_ = table.Flush()
	head, row := []string{"NAME"}, []string{c.build.Name}
	for _, progress := range progresses {
		status := metav1.ConditionUnknown
		if condition := meta.FindStatusCondition(c.build.Status.Conditions, string(progress)); condition != nil {
			status = condition.Status
		}
		head, row = append(head, strings.ToUpper(string(progress))), append(row, string(status))
	}
	for _, cells := range [][]string{append(head, "JOB"), append(row, c.job())} {
		put("%s", strings.Join(cells, "\t"))
	}
	_ = table.Flush()
	return text.String()
}
