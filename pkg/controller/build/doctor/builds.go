package doctor

import (
	"fmt"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// build looks at a Build with the label of what the controller makes.
func (x *examination) build(b *imagebuilder.Made) {
	if !x.isOld(b.Created) || x.ownerless(b, x.buildObject(b.Object), x.deleteBuild(b.Object)) {
		return
	}
	pool := x.poolOf(b.PoolUID)
	record := recordOf(pool)
	if why := x.strangeness(pool.Name, b); why != "" {
		x.find(Error, "BuildForged", x.buildObject(b.Object), "has the marks of one that the BuildController made for "+poolObject(pool.Name)+
			", and is not as it makes them, so its image is not used: "+why, "find out who made it, and remove it: "+x.deleteBuild(b.Object))
		return
	}
	if !b.Phase.IsActive() || b.Stopping || !x.isSettled(pool) {
		return
	}
	cancel := inNamespace + x.backendOf(b.Object).Commands(b.Object).Stop
	switch {
	case b.RenderedConfig != pool.Spec.Configuration.Name:
		x.find(Error, "BuildSuperseded", x.buildObject(b.Object), fmt.Sprintf("is %s and was not asked to stop, though it is of %s, and %s wants %s",
			strings.ToLower(string(b.Phase)), b.RenderedConfig, poolObject(pool.Name), pool.Spec.Configuration.Name),
			"the controller stops it; "+seeController+"\nby hand: "+cancel)
	case record != nil && record.Build != b.Object:
		x.find(Error, "BuildNotOnRecord", x.buildObject(b.Object), fmt.Sprintf("is %s, though the newest attempt of %s is %s",
			strings.ToLower(string(b.Phase)), poolObject(pool.Name), x.buildObject(record.Build)),
			"the controller stops it; "+seeController+"\nby hand: "+cancel)
	}
}

// strangeness says why the controller does not take a Build for its own; empty if it does.
func (x *examination) strangeness(pool string, b *imagebuilder.Made) string {
	if d := x.decision(pool); d != nil {
		for _, stranger := range d.Strangers {
			if stranger.Name == b.Object {
				return stranger.Why
			}
		}
	}
	return b.Foreign
}

// ownerless tells whether no pool that opted in owns the object.
func (x *examination) ownerless(o *imagebuilder.Made, object, removal string) bool {
	if o.Pool == "" {
		x.find(Warning, "NotOurs", object, "has the label of what the BuildController makes, and was not made by it, at least not under that name; it is left alone",
			"remove it, if nobody needs it: "+removal)
		return true
	}
	pool := x.poolOf(o.PoolUID)
	switch {
	case pool == nil:
		x.find(Error, "Orphaned", object, "was made for "+poolObject(o.Pool)+", which does not exist any more, or was created anew since", removal)
	case !x.isServed(pool):
		if pool.DeletionTimestamp == nil && x.isOld(status.LastChange(pool)) {
			x.find(Error, "LeftBehind", object, "was made for "+poolObject(pool.Name)+", which did not opt in any more", "the controller removes it; "+seeController+"\nby hand: "+removal)
		}
	default:
		return false
	}
	return true
}

// input looks at a Secret that a Build reads, or read. It holds a rendered config, so it
// must not outlive its Build.
func (x *examination) input(input *imagebuilder.Made) {
	object, removal := inputs.SecretObject(input.Object), remove("secret", input.Object)
	if !x.isOld(input.Created) || x.ownerless(input, object, removal) || !x.BuildsKnown {
		return
	}
	pool := x.poolOf(input.PoolUID)
	build := x.findBuild(input.Name, pool)
	record := recordOf(pool)
	switch {
	case build == nil && record.IsOpen() && record.Build == input.Name:
		// Its Build is still to be created.
	case build == nil:
		x.find(Error, "InputsWithoutBuild", object, "holds the rendered config for "+x.buildObject(input.Name)+", which does not exist", "the controller removes it; "+seeController+"\nby hand: "+removal)
	case build.Phase.IsFinished() && !build.Finished.IsZero() && x.isOld(build.Finished):
		x.find(Error, "InputsOutliveBuild", object, "holds the rendered config for "+x.buildObject(input.Name)+", which has ended", "the controller removes it; "+seeController+"\nby hand: "+removal)
	}
}
