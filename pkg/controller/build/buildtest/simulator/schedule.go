package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
)

// schedule is one run: a scenario, how many programs take part, and the faults.
// Its text form replays it.
type schedule struct {
	scenario string
	programs int
	faults   []fault
}

// fault happens at the given call, piece of news or round, counted from 1.
type fault struct {
	kind faultKind
	at   int
}

type faultKind string

// Faults at a call.
const (
	faultCrash     faultKind = "crash"    // E1: after the call was committed
	faultLost      faultKind = "lost"     // E2: committed, but the reply is lost
	faultConflict  faultKind = "conflict" // E3, as the following: not committed
	faultBusy      faultKind = "busy"
	faultInternal  faultKind = "internal"
	faultDown      faultKind = "down"
	faultTimeout   faultKind = "timeout"
	faultForbidden faultKind = "forbidden"
	faultOther     faultKind = "other" // E6: the other program goes first
)

// Faults at a piece of news (E4).
const (
	faultLate      faultKind = "late"
	faultDouble    faultKind = "double"
	faultTombstone faultKind = "tombstone"
)

// Faults of a round; disturbances are more of them.
const (
	faultOldList faultKind = "oldlist" // E5
	faultStorm   faultKind = "storm"   // E10: at 0, all of the time
	faultOutage  faultKind = "outage"  // E9: the first calls, so many, fail
	// faultFreeze is followed by the kind of which nothing is heard for a while (E10).
	faultFreeze = "freeze-"
)

// freezeTime is for how long nothing is heard of a kind that is frozen.
const freezeTime = 10 * time.Minute

var callErrors = []faultKind{faultConflict, faultBusy, faultInternal, faultDown, faultTimeout, faultForbidden}
var newsFaults = []faultKind{faultLate, faultDouble, faultTombstone}

// stormEnd is ten minutes after the start of every simulation.
var stormEnd = time.Date(2026, 3, 1, 12, 10, 0, 0, time.UTC)

func errorOf(kind faultKind, call buildtest.Call) error {
	resource := schema.GroupResource{Resource: call.Resource}
	switch kind {
	case faultConflict:
		return apierrors.NewConflict(resource, call.Name, fmt.Errorf("another writer was first"))
	case faultBusy:
		return apierrors.NewTooManyRequests("slow down", 1)
	case faultInternal:
		return apierrors.NewInternalError(fmt.Errorf("etcd is unwell"))
	case faultDown:
		return apierrors.NewServiceUnavailable("down")
	case faultTimeout:
		return apierrors.NewTimeoutError("too slow", 0)
	case faultForbidden:
		return apierrors.NewForbidden(resource, call.Name, fmt.Errorf("the role is not bound"))
	}
	return nil
}

func (s schedule) has(kind faultKind, at int) bool {
	for _, f := range s.faults {
		if f.kind == kind && f.at == at {
			return true
		}
	}
	return false
}

// isSingle tells whether at most one thing happens that costs a few calls, and
// nobody else makes any.
func (s schedule) isSingle() bool {
	if s.programs > 1 || len(s.faults) > 1 || s.denies() {
		return false
	}
	return len(s.faults) == 0 || s.faults[0].kind != faultStorm && s.faults[0].kind != faultOutage && !strings.HasPrefix(string(s.faults[0].kind), faultFreeze)
}

// String is what parseSchedule reads.
func (s schedule) String() string {
	text := s.scenario
	if s.programs > 1 {
		text += " x" + strconv.Itoa(s.programs)
	}
	for _, f := range s.faults {
		text += fmt.Sprintf(" %s@%d", f.kind, f.at)
	}
	return text
}

func parseSchedule(text string) (schedule, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return schedule{}, fmt.Errorf("the schedule is empty")
	}
	s := schedule{scenario: words[0]}
	if scenarioOf(s.scenario).objects == nil {
		return s, fmt.Errorf("there is no scenario %q", s.scenario)
	}
	for _, word := range words[1:] {
		if count, ok := strings.CutPrefix(word, "x"); ok && !strings.Contains(word, "@") {
			n, err := strconv.Atoi(count)
			if err != nil {
				return s, fmt.Errorf("%q is no number of programs", word)
			}
			s.programs = n
			continue
		}
		kind, at, ok := strings.Cut(word, "@")
		n, err := strconv.Atoi(at)
		if !ok || err != nil {
			return s, fmt.Errorf("%q is no fault", word)
		}
		s.faults = append(s.faults, fault{faultKind(kind), n})
	}
	return s, nil
}
