package plan

import (
	"slices"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// kind is that of the wanted inputs, where one image of a kind is as good as another; empty
// where each config has its own.
func (d *decision) kind() string {
	if d.Settings.Values.BuildFor != constants.BuildForImageChanges {
		return ""
	}
	return d.identity.Kind()
}

// pastImage is an image that the record remembers and that the wanted inputs do with: theirs,
// or the newest one of their kind. One that the registry does not have any more is none.
func (d *decision) pastImage() *ledger.PastImage {
	past := d.record.PastImageOf(d.fingerprint)
	if kind := d.kind(); kind != "" {
		past = d.record.NewestOfKind(kind)
	}
	if past == nil || !d.isOfUs(past.Image) || d.Found[d.questionAbout(past)].Missing {
		return nil
	}
	return past
}

// isOfUs tells whether an image can be on record: it lies where ours are pushed, or is the one
// that the pool began with.
func (d *decision) isOfUs(image string) bool {
	return ledger.IsIn(image, d.identity.Repository) || image == d.MachineOS.Seed ||
		d.MachineOS.Config != nil && d.MachineOS.Config.Seeded && image == d.MachineOS.Config.Image
}

// begins tells whether the pool is to begin with an image that was built before: none of the
// wanted inputs is there, or on its way.
func (d *decision) begins() bool {
	return d.MachineOS.Seed != "" && (d.record == nil || d.record.Fingerprint != d.fingerprint || d.record.Failed())
}

// publishSeed publishes that image, after asking for it as for any other.
func (d *decision) publishSeed() Plan {
	seed := &ledger.PastImage{Fingerprint: d.fingerprint, Build: ledger.PreBuiltBuild, Image: d.MachineOS.Seed, Kind: d.kind()}
	if d.Found[d.questionAbout(seed)].Missing {
		return Held(*hold(ledger.ReasonMachineOSConfigInvalid, "%s", d.MachineOS.Config.PreBuiltMissing(seed.Image)))
	}
	return d.publishPast(seed)
}

// questionAbout is the key of the registry's answer about a past image, which is asked for
// each time that it is to be published.
func (d *decision) questionAbout(past *ledger.PastImage) string {
	return past.Image + " for " + d.fingerprint
}

// warningOf is what there is to warn of where an image stands for others of its kind: what the
// nodes lack does not depend on a build.
func (d *decision) warningOf(kind string) string {
	if kind == "" {
		return ""
	}
	return d.Snapshot.Warning()
}

// publishPast publishes a past image. Nothing is heard of one of which nodes have long had the
// digest when it is taken out of the registry, so that is asked first. Where the registry does
// not say, it is taken to be there, as it was.
func (d *decision) publishPast(past *ledger.PastImage) Plan {
	kind := d.kind()
	about := d.questionAbout(past)
	if _, asked := d.Found[about]; d.AsksRegistry && !asked && (kind != "" || past.Build == ledger.PreBuiltBuild) {
		return Plan{
			Report:  ledger.Report{State: ledger.StateUnsettled},
			Effects: []Effect{FindImage{About: about, Image: past.Image, PushSecret: d.Settings.Values.FinalImagePushSecret, Once: true}},
		}
	}
	history := d.history()
	if kind != "" {
		// It stands for all configs that it is published for.
		history = slices.DeleteFunc(slices.Clone(history), func(p ledger.PastImage) bool { return p.Image == past.Image })
	}
	return d.publish(ledger.Record{
		Build: past.Build, Fingerprint: d.fingerprint, Kind: kind, Warning: d.warningOf(kind), Config: d.Pool.WantedConfig, Attempt: 1, Number: d.record.NextNumber(d.Pool.Version),
		Repository: d.identity.Repository, Tag: d.identity.Tag, Rebuild: d.acknowledged(), ClaimedAt: d.Now,
		Image: past.Image, History: history, Took: d.record.TookWith(0),
	})
}
