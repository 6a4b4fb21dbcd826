package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// faultDenial is followed by how it is refused, from a call on, to do the same with objects
// of the same kind (E13).
const faultDenial = "deny-"

// denyTime is for how long that is refused.
const denyTime = 10 * time.Minute

// toldWithin is how long a pool may take to say what is refused.
const toldWithin = 2 * time.Minute

// denials are the ways to refuse something.
var denials = map[faultKind]func(call buildtest.Call) error{
	faultDenial + "forbidden": func(call buildtest.Call) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: call.Resource}, call.Name, fmt.Errorf("the role is not bound any more"))
	},
	faultDenial + "policy": func(call buildtest.Call) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: call.Resource}, call.Name, nil)
	},
	faultDenial + "large": func(call buildtest.Call) error {
		return apierrors.NewRequestEntityTooLargeError("limit is 3145728")
	},
	faultDenial + "busy": func(call buildtest.Call) error { return apierrors.NewTooManyRequests("slow down", 1) },
	faultDenial + "down": func(call buildtest.Call) error {
		return apierrors.NewInternalError(fmt.Errorf("failed calling webhook: connection refused"))
	},
	faultDenial + "conflict": func(call buildtest.Call) error {
		return apierrors.NewConflict(schema.GroupResource{Resource: call.Resource}, call.Name, fmt.Errorf("a policy is against it"))
	},
}

// denial is what is refused, and since when.
type denial struct {
	like  buildtest.Call
	kind  faultKind
	since time.Time
	// told is when a pool last said so.
	told time.Time
}

// deny refuses the call if it is like the one from which on that is refused.
func (sim *simulation) deny(call buildtest.Call) error {
	for _, f := range sim.schedule.faults {
		if denials[f.kind] != nil && f.at == sim.calls && sim.denied == nil {
			sim.denied = &denial{like: call, kind: f.kind, since: sim.clock.Now()}
		}
	}
	if !sim.denied.covers(call, sim.clock.Now()) {
		return nil
	}
	sim.note("fault: %s", sim.denied.kind)
	sim.lastDisturbed = sim.clock.Now()
	return denials[sim.denied.kind](call)
}

// isOfStops tells whether a build that was given up cannot be stopped.
func (d *denial) isOfStops() bool {
	return d != nil && d.like.Verb == "patch" && (d.like.Resource == "builds" || d.like.Resource == "jobs")
}

// covers tells whether the call is refused now.
func (d *denial) covers(call buildtest.Call, now time.Time) bool {
	return d != nil && d.like.Verb == call.Verb && d.like.Resource == call.Resource && d.like.Subresource == call.Subresource && now.Sub(d.since) <= denyTime
}

// checkTold: a call that has been refused for so long is on a pool, in the server's words,
// before it is made again, or, where it is what tells that is refused, in an event.
func (sim *simulation) checkTold(call buildtest.Call) {
	now := sim.clock.Now()
	if len(sim.pools()) == 0 {
		// There is nobody to tell.
		return
	}
	// Two programs that see other things refused say so in turns.
	if len(sim.schedule.faults) > 1 || len(sim.programs) > 1 || !sim.denied.covers(call, now) || now.Sub(latest(sim.denied.since, sim.denied.told)) < toldWithin {
		return
	}
	refused := denials[sim.denied.kind](call)
	if sim.tells(refused.Error()) {
		return
	}
	if sim.denied.like.Subresource == "status" || slices.Contains(machineOSKinds, sim.denied.like.Resource) {
		for _, p := range sim.programs {
			if p.announced(refused.Error()) {
				return
			}
		}
	}
	sim.problem("12: to %s has been refused for %s, and no pool says %q", sim.denied.like, sim.clock.Now().Sub(sim.denied.since), refused)
}

// noteTold remembers when a pool said what is refused. What is refused anew after something
// else was done in between may last as long again before it is said again.
func (sim *simulation) noteTold() {
	if d := sim.denied; d != nil && sim.tells(denials[d.kind](d.like).Error()) {
		d.told = sim.clock.Now()
	}
}

// tells tells whether a pool has the text in a condition that is True.
func (sim *simulation) tells(text string) bool {
	for _, pool := range sim.pools() {
		for i := range pool.Status.Conditions {
			c := &pool.Status.Conditions[i]
			if ledger.IsOurs(c.Type) && c.Status == corev1.ConditionTrue && strings.Contains(c.Message, text) {
				return true
			}
		}
		if strings.Contains(sim.told(pool), text) || strings.Contains(sim.refusalOn(pool), text) {
			return true
		}
	}
	return false
}

func latest(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}

// checkTakenBack: of what is not refused any more, nothing is said.
func (sim *simulation) checkTakenBack() {
	if sim.denied == nil {
		return
	}
	for _, pool := range sim.pools() {
		told := ledger.ReadConditions(pool.Status.Conditions)
		if refusal := cmp.Or(told.Refusal, sim.refusalOn(pool)); refusal != "" {
			sim.problem("12: nothing is refused any more, and the pool %s says %q", pool.Name, refusal)
		}
	}
}

// denies tells whether something is refused for good.
func (s schedule) denies() bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool { return denials[f.kind] != nil })
}

// announced tells whether an event of the program has the text.
func (p *program) announced(text string) bool {
	return slices.ContainsFunc(p.recorder.events, func(event string) bool { return strings.Contains(event, text) })
}
