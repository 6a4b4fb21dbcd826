package preview

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/content"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// newDiff compares the image that is published with the one that the pool wants. after
// is the wanted config; nil if there is none.
func newDiff(objects build.Objects, p *build.Preview, after *mcfgv1.MachineConfig) (*Diff, error) {
	pool := p.Snapshot.Pool
	d := &Diff{From: pool.ImageConfig}
	before := findConfig(objects.Configs, pool.ImageConfig)
	switch {
	case pool.ImageConfig == "":
		d.Unknown = "MachineConfigPool " + pool.Name + " has no published image to compare with"
		return d, nil
	case before == nil:
		d.Unknown = inputs.MachineConfigObject(pool.ImageConfig) + ", which the published image was built from, is not available"
		return d, nil
	case after == nil:
		d.Unknown = inputs.MachineConfigObject(pool.WantedConfig) + ", which the pool wants, is not available"
		return d, nil
	}
	for _, config := range []*mcfgv1.MachineConfig{before, after} {
		if _, problem := content.Parse(config.Name, config.Spec.Config.Raw); problem != nil {
			d.Unknown = problem.String()
			return d, nil
		}
	}
	// Both were found to be valid.
	was, _ := content.Parse(before.Name, before.Spec.Config.Raw)
	is, _ := content.Parse(after.Name, after.Spec.Config.Raw)
	for _, change := range content.Diff(was, is) {
		d.Content = append(d.Content, Change{Action: string(change.Action), What: change.Path, Kind: string(change.Kind), Aspects: change.What})
	}
	d.Users = compare(keysOf(was.Users), keysOf(is.Users), false)
	d.LeftOut = compare(leftOutOf(before, was), leftOutOf(after, is), false)
	d.Settings = compare(settingsOf(before), settingsOf(after), true)
	d.repository(pool.Image, p.Snapshot.Settings)
	others, err := others(objects, p, before)
	d.Others = others
	return d, err
}

// compare lists what differs between two sets of named values, sorted by name, with the
// values where they are for people to read.
func compare(before, after map[string]string, values bool) []Change {
	var changes []Change
	for name, was := range before {
		is, there := after[name]
		change := Change{Action: string(content.Changed), What: name}
		switch {
		case !there:
			change.Action = string(content.Removed)
		case is == was:
			continue
		}
		if values {
			change.Before, change.After = was, is
		}
		changes = append(changes, change)
	}
	for name, is := range after {
		if _, there := before[name]; !there {
			change := Change{Action: string(content.Added), What: name}
			if values {
				change.After = is
			}
			changes = append(changes, change)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.What, b.What) })
	return changes
}

func keysOf(users []content.User) map[string]string {
	keys := map[string]string{}
	for _, user := range users {
		keys[user.Name] = user.Hash
	}
	return keys
}

// leftOutOf names what is left to the node. Of that, only kernel arguments are compared.
func leftOutOf(config *mcfgv1.MachineConfig, parsed *content.Content) map[string]string {
	names := map[string]string{}
	for _, left := range leftOut(config, parsed) {
		names[left.What] = ""
	}
	if len(config.Spec.KernelArguments) > 0 {
		names["spec.kernelArguments"] = strings.Join(config.Spec.KernelArguments, " ")
	}
	return names
}

// settingsOf are what a config says about its image besides the content.
func settingsOf(config *mcfgv1.MachineConfig) map[string]string {
	spec := &config.Spec
	settings := map[string]string{
		"spec.fips": strconv.FormatBool(spec.FIPS),
	}
	for name, value := range map[string]string{
		"base image (spec.osImageURL)":                           spec.OSImageURL,
		"extensions image (spec.baseOSExtensionsContainerImage)": spec.BaseOSExtensionsContainerImage,
		"kernel (spec.kernelType)":                               cmp.Or(spec.KernelType, inputs.KernelTypeDefault),
		"extensions (spec.extensions)":                           strings.Join(slices.Sorted(slices.Values(spec.Extensions)), ", "),
	} {
		if value != "" {
			settings[name] = value
		}
	}
	return settings
}

func (d *Diff) repository(image string, settings plan.Settings) {
	was, _, _ := strings.Cut(image, "@")
	if is := settings.Values.FinalImageRepository; is != "" && was != "" && is != was {
		d.Settings = append(d.Settings, Change{Action: string(content.Changed), What: "repository (finalImagePullspec)", Before: was, After: is})
	}
}

// others tells, by the fingerprint of the published image, whether anything changed
// that no config says: the old config would make the same image today, or it would not.
func others(objects build.Objects, p *build.Preview, before *mcfgv1.MachineConfig) (string, error) {
	const what = "custom content, trust bundle, images that the ControllerConfig names, the repository, or how the controller builds"
	published := fingerprintOf(p.Snapshot.Pool.Record, p.Snapshot.Pool.Image)
	if published == "" {
		return "not known: " + what, nil
	}
	objects.Pool = objects.Pool.DeepCopy()
	objects.Pool.Spec.Configuration.Name = before.Name
	again, err := build.NewPreview(objects)
	switch {
	case err != nil:
		return "", err
	case again.Request == nil:
		return "not known: " + what, nil
	case again.Request.Fingerprint == published:
		return "unchanged: " + what, nil
	}
	return "changed, at least one of: " + what, nil
}

// fingerprintOf is that of the image's inputs; empty if it is not on record.
func fingerprintOf(record *ledger.Record, image string) string {
	if record == nil || image == "" {
		return ""
	}
	if record.Image == image {
		return record.Fingerprint
	}
	for _, past := range record.History {
		if past.Image == image {
			return past.Fingerprint
		}
	}
	return ""
}
