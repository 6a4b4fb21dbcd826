package simulator

import (
	"slices"
	"time"

	"k8s.io/utils/clock"
)

// skew is by how much a clock is set back or ahead.
const skew = 6 * time.Hour

// clocks are what may happen to the controller's clock at any round, beside the API
// server's, which goes on as ever (E14). The next leader has a clock of its own.
var clocks = map[faultKind]func(*simulation){
	"clock-back":   func(sim *simulation) { sim.programs[0].skew -= skew },
	"clock-ahead":  func(sim *simulation) { sim.programs[0].skew += skew },
	"leader-back":  func(sim *simulation) { sim.lead(-skew) },
	"leader-ahead": func(sim *simulation) { sim.lead(skew) },
}

// lead has another program take the first one's place, with a clock that differs.
func (sim *simulation) lead(by time.Duration) {
	next := newProgram(sim, sim.programs[0].clients)
	next.skew = by
	sim.programs[0] = next
}

// ages tells whether a clock is set ahead, so that the controller may take builds for
// overdue that have just begun.
func (s schedule) ages() bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool { return f.kind == "clock-ahead" || f.kind == "leader-ahead" })
}

// ownClock is a program's clock.
type ownClock struct {
	clock.WithTicker
	skew *time.Duration
}

// Now implements clock.PassiveClock.
func (c ownClock) Now() time.Time { return c.WithTicker.Now().Add(*c.skew) }

// Since implements clock.PassiveClock.
func (c ownClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
