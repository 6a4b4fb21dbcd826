package build

import (
	"fmt"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

var slotsNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func atWork(names ...string) (active []imagebuilder.Observation) {
	for _, name := range names {
		active = append(active, imagebuilder.Observation{Name: name, UID: types.UID(name), Created: slotsNow, Phase: imagebuilder.PhaseRunning})
	}
	return active
}

// TestR42OnlyWhatIsLookedAfterHasASlot: a pool is queued only while something is worked on
// that the controller looks after, and gives up at its deadlines.
func TestR42OnlyWhatIsLookedAfterHasASlot(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*imagebuilder.Observation)
		later  time.Duration
		free   bool
	}{
		"running":                    {reason: "its end comes with an event", change: func(*imagebuilder.Observation) {}},
		"pending":                    {reason: "it is given up after a while", change: func(b *imagebuilder.Observation) { b.Phase = imagebuilder.PhasePending }},
		"being stopped":              {reason: "its pod is still at work", change: func(b *imagebuilder.Observation) { b.Stopping = true }},
		"of a pool that is gone":     {reason: "nobody follows it; the garbage collector may be down", change: func(b *imagebuilder.Observation) { b.PoolUID = "gone" }, free: true},
		"without an owner":           {reason: "somebody took the reference away", change: func(b *imagebuilder.Observation) { b.PoolUID = "" }, free: true},
		"not as we make them":        {reason: "nobody follows it", change: func(b *imagebuilder.Observation) { b.Foreign = "spec.source.git is set" }, free: true},
		"just before it is given up": {reason: "the same bound as that of its pool", change: func(b *imagebuilder.Observation) { b.Created = slotsNow.Add(-95*time.Minute + time.Second) }},
		"given up":                   {reason: "a build system that is down ends nothing", change: func(b *imagebuilder.Observation) { b.Created = slotsNow.Add(-95 * time.Minute) }, free: true},
		"given up, with its own deadline": {reason: "that is what the backend goes by", change: func(b *imagebuilder.Observation) {
			b.Deadline, b.Created = time.Minute, slotsNow.Add(-36*time.Minute)
		}, free: true},
		"of the future":        {reason: "another clock's", change: func(b *imagebuilder.Observation) { b.Created = slotsNow.Add(6 * time.Hour) }},
		"of the future, later": {reason: "no wait is longer than its own length", change: func(b *imagebuilder.Observation) { b.Created = slotsNow.Add(6 * time.Hour) }, later: 95 * time.Minute, free: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSlots()
			s.serves = func(uid types.UID) bool { return uid == "there" }
			active := atWork("other")
			active[0].PoolUID = "there"
			test.change(&active[0])
			effect := plan.TakeSlot{Build: "x", Limit: 1, Limits: inputs.DefaultLimits()}
			queued := s.take(worker, effect, active, slotsNow, slotsNow)
			if test.later > 0 {
				require.NotNil(t, queued)
				require.Equal(t, test.later, queued.again, "nothing tells when it is over")
				queued = s.take(worker, effect, active, slotsNow, slotsNow.Add(test.later))
			}
			require.Equal(t, test.free, queued == nil, test.reason)
			if queued != nil {
				require.Positive(t, queued.again, test.reason)
				require.Contains(t, queued.plan().Message, "now other", "it names what has the slots")
			}
		})
	}
}

func TestSlotsAreHandedOutInOrder(t *testing.T) {
	s := newSlots()
	take := func(pool string, active ...string) *queuedError {
		return s.take(pool, plan.TakeSlot{Build: "build-of-" + pool, Limit: 2, Limits: inputs.DefaultLimits()}, atWork(active...), slotsNow, slotsNow)
	}
	require.Nil(t, take("a"))
	require.Nil(t, take("b"))
	require.Nil(t, take("b"), "a place that was promised stays promised")
	require.Equal(t, 0, take("c").ahead)
	require.Equal(t, promiseGrace, take("d").again, "a promise may come to nothing, which no event tells")
	require.Equal(t, 1, take("d", "build-of-a", "build-of-b").ahead, "builds that the cache shows are not counted twice")
	require.Equal(t, 95*time.Minute, take("d", "build-of-a", "build-of-b").again, "those end with an event, or are given up")
	require.Contains(t, take("d", "build-of-a", "build-of-b").plan().Message, "; now build-of-a, build-of-b.")
	require.Equal(t, []string{"c", "d"}, s.next())

	require.True(t, s.seen("a"))
	require.False(t, s.seen("a"))
	require.Equal(t, 1, take("d").ahead, "the place that is free now is for who came first")
	require.Nil(t, take("c"))
	require.True(t, s.leave("d"))
	require.False(t, s.leave("d"))
	require.Empty(t, s.next())
}

// TestR42WhoIsAheadMayNotCome: a slot is free, and is for a pool that is ahead. If that fails
// to make use of it, no event tells.
func TestR42WhoIsAheadMayNotCome(t *testing.T) {
	s := newSlots()
	effect := plan.TakeSlot{Build: "x", Limit: 1, Limits: inputs.DefaultLimits()}
	require.NotNil(t, s.take("early", effect, atWork("other"), slotsNow.Add(-time.Minute), slotsNow))
	queued := s.take("late", effect, nil, slotsNow, slotsNow)
	require.Equal(t, 1, queued.ahead)
	require.Equal(t, promiseGrace, queued.again)
}

func TestSlotsOutlivePromises(t *testing.T) {
	s := newSlots()
	effect := func(pool string) plan.TakeSlot { return plan.TakeSlot{Build: "build-of-" + pool, Limit: 1} }
	require.Nil(t, s.take("a", effect("a"), nil, slotsNow, slotsNow))
	require.NotNil(t, s.take("b", effect("b"), nil, slotsNow, slotsNow))
	later := slotsNow.Add(promiseGrace)
	require.Nil(t, s.take("b", effect("b"), nil, slotsNow, later), "a build that never came to be gives its place away")
}

// TestSlotsQueueByTime: a pool that waited before a restart is ahead of one that
// came later, in whichever order they are looked at.
func TestSlotsQueueByTime(t *testing.T) {
	s := newSlots()
	effect := plan.TakeSlot{Build: "x", Limit: 1, Limits: inputs.DefaultLimits()}
	active := atWork("other")
	require.Equal(t, 0, s.take("late", effect, active, slotsNow, slotsNow).ahead)
	require.Equal(t, 0, s.take("early", effect, active, slotsNow.Add(-time.Minute), slotsNow).ahead)
	require.Equal(t, 1, s.take("late", effect, active, slotsNow, slotsNow).ahead)
	require.Equal(t, slotsNow, s.since("late"))
	require.Zero(t, s.since("nobody"))
}

// manyPools makes a harness with layered pools p0, p1, … that share all else, and
// the settings that are given.
func manyPools(t *testing.T, count int, settings map[string]string) *harness {
	t.Helper()
	objects := goodInputs(configA, configB)
	for i := range count {
		objects = append(objects, buildtest.Pool(fmt.Sprintf("p%d", i)).Layered().Wants(configA).Object())
	}
	h := newHarness(t, objects...)
	h.editSettings(settings)
	return h
}

// TestMaxConcurrentBuilds: builds beyond the limit wait, say so, and start in the
// order in which they came.
func TestMaxConcurrentBuilds(t *testing.T) {
	h := manyPools(t, 5, map[string]string{constants.MaxConcurrentBuildsKey: "2"})
	for i := range 5 {
		h.settle(fmt.Sprintf("p%d", i))
		h.clock.Step(time.Second)
	}
	require.Len(t, h.activeBuilds(), 2, "no more than the limit")
	for i, ahead := range map[int]int{2: 0, 3: 1, 4: 2} {
		message := h.requireCondition(fmt.Sprintf("p%d", i), mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued)
		require.Contains(t, message, fmt.Sprintf("queued, %d ahead; at most 2 builds run at once", ahead))
	}

	h.clock.Step(promiseGrace)
	h.complete("p1")
	require.ElementsMatch(t, []string{"p2", "p3", "p4"}, h.waiting(), "the end of a build wakes those that wait, and only those")
	for _, pool := range []string{"p4", "p3", "p2", "p4", "p3"} {
		h.settle(pool)
	}
	require.Len(t, h.activeBuilds(), 2)
	require.Contains(t, h.activeBuilds(), h.newestBuild("p2"), "whoever waits the longest is next, whoever is looked at first")
	require.Contains(t, h.requireCondition("p4", mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued), "queued, 1 ahead")

	h.restart()
	for _, pool := range []string{"p4", "p3", "p0", "p2", "p4"} {
		h.settle(pool)
	}
	require.Contains(t, h.requireCondition("p3", mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued), "queued, 0 ahead", "a restart keeps the order")
	require.Contains(t, h.requireCondition("p4", mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued), "queued, 1 ahead")

	h.editSettings(map[string]string{constants.MaxConcurrentBuildsKey: "0"})
	h.settle("p3")
	h.settle("p4")
	require.Len(t, h.activeBuilds(), 4, "without a limit nobody waits")
}

// TestQueuedPoolsThatGoAway: a pool in the queue that opts out, or vanishes, holds
// nobody up.
func TestQueuedPoolsThatGoAway(t *testing.T) {
	h := manyPools(t, 4, map[string]string{constants.MaxConcurrentBuildsKey: "1"})
	for i := range 4 {
		h.settle(fmt.Sprintf("p%d", i))
		h.clock.Step(time.Second)
	}
	h.waiting()
	h.clock.Step(promiseGrace)
	h.api.EditPool("p1", func(p *mcfgv1.MachineConfigPool) { p.Labels = nil })
	h.settle("p1")
	require.ElementsMatch(t, []string{"p2", "p3"}, h.waiting(), "those behind it move up")
	h.api.Remove("machineconfigpools", "", "p2")
	h.settle("p2")
	require.ElementsMatch(t, []string{"p3"}, h.waiting())
	h.settle("p3")
	require.Contains(t, h.requireCondition("p3", mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued), "queued, 0 ahead")

	h.complete("p0")
	h.settle("p3")
	require.Len(t, h.activeBuilds(), 1)
}

// TestSupersededBuildFreesItsPlace: a pool's own old build counts until it has
// ended.
func TestSupersededBuildFreesItsPlace(t *testing.T) {
	h := manyPools(t, 1, map[string]string{constants.MaxConcurrentBuildsKey: "1"})
	h.settle("p0")
	old := h.newestBuild("p0")
	h.api.EditPool("p0", func(p *mcfgv1.MachineConfigPool) { p.Spec.Configuration.Name = configB })
	h.settle("p0")
	require.Equal(t, []string{old}, h.activeBuilds(), "the new build waits for the old one to end")
	require.Contains(t, h.requireCondition("p0", mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued), "The build of "+configB+" is queued, 0 ahead")

	h.stopped(old)
	h.clock.Step(promiseGrace)
	h.settle("p0")
	require.Equal(t, []string{h.newestBuild("p0")}, h.activeBuilds())
	require.NotEqual(t, old, h.newestBuild("p0"))
}

// TestQueueCostsNoReads: a pool that waits is looked at often.
func TestQueueCostsNoReads(t *testing.T) {
	h := manyPools(t, 3, map[string]string{constants.MaxConcurrentBuildsKey: "1"})
	for i := range 3 {
		h.settle(fmt.Sprintf("p%d", i))
		h.clock.Step(3 * time.Second)
	}
	h.api.ResetCalls()
	for range 10 {
		_, err := h.sync("p2")
		require.NoError(t, err)
	}
	require.Empty(t, h.api.Calls())
	require.Equal(t, corev1.ConditionTrue, h.api.Pool("p2").Status.Conditions[0].Status)
}
