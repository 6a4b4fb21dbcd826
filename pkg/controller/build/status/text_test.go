package status

import (
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

func rowOf(pool *mcfgv1.MachineConfigPool, at time.Time) *Pool {
	rows := Of(Objects{Now: at, Pools: []*mcfgv1.MachineConfigPool{pool}, Builds: observed(imagebuilder.PhaseRunning), BuildsKnown: true, MaxAttempts: 4})
	return &rows[0]
}

func TestWide(t *testing.T) {
	pool := annotated(building(), constants.DesiredOSImageAnnotation, image, constants.DesiredOSImageConfigAnnotation, other)
	pool.Status.Conditions[1].Message += "\nWith a second line."
	require.Len(t, Header(true), len(Header(false))+3)
	require.Equal(t, []string{
		"worker", "Building", "BuildRunning", wanted, image + " (of " + other + ")", "8m", "2/4", "~4m", "label", buildName,
		"Build " + buildName + " of " + wanted + " is running. With a second line.",
	}, rowOf(pool, now).Cells(now, true), "nothing is cut, and a row is a line")
}

func TestShortConfig(t *testing.T) {
	for name, test := range map[string]struct{ reason, want string }{
		wanted:                     {reason: "eight characters tell configs apart", want: "rendered-worker-01234567…"},
		"rendered-worker-1":        {reason: "there is nothing to cut", want: "rendered-worker-1"},
		"rendered-w-0123456789abc": {reason: "a few more characters are no hash", want: "rendered-w-0123456789abc"},
		"":                         {reason: "none", want: ""},
	} {
		require.Equal(t, test.want, shortConfig(name), test.reason)
	}
}

func TestAttemptOfUnknownNumber(t *testing.T) {
	row := Of(Objects{Now: now, Pools: []*mcfgv1.MachineConfigPool{building()}})[0]
	require.Equal(t, "2", row.attempts(), "the settings could not be read")
}

func TestETA(t *testing.T) {
	started := &metav1.Time{Time: ago(8 * time.Minute)}
	row := &Pool{State: ledger.StateBuilding, Started: started, ExpectedEnd: &metav1.Time{Time: now.Add(40 * time.Second)}}
	require.Equal(t, "~40s", row.eta(now))
	require.Equal(t, isOverdue, row.eta(now.Add(time.Minute)), "builds take longer at times")
	row = &Pool{State: ledger.StateRetrying, NextAttempt: &metav1.Time{Time: now.Add(-time.Second)}}
	require.Equal(t, "retry in 0s", row.eta(now), "it is about to start")
}

func TestAgeInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 119 * time.Minute: "119m",
		2 * time.Hour: "2h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 400 * 24 * time.Hour: "400d",
	} {
		require.Equal(t, want, ageInWords(d))
	}
}

// TestChanged: a row is written anew when it says something new, not as time passes.
func TestChanged(t *testing.T) {
	before := rowOf(building(), now)
	for name, test := range map[string]struct {
		reason string
		pool   *mcfgv1.MachineConfigPool
		after  time.Duration
		wide   bool
		want   bool
	}{
		"nothing":         {reason: "the same", pool: building()},
		"time":            {reason: "AGE and ETA go on by themselves", pool: building(), after: 2 * time.Minute},
		"overdue":         {reason: "it takes longer than it should", pool: building(), after: 5 * time.Minute, want: true},
		"no ETA any more": {reason: "the record is spoiled", pool: annotated(building(), constants.BuildRecordAnnotation, "{"), want: true},
		"state":           {reason: "the very thing", pool: published(), want: true},
		"message":         {reason: "it is not in the table", pool: chatty(), after: time.Minute},
		"message, wide":   {reason: "it is in the wide one", pool: chatty(), after: time.Minute, wide: true, want: true},
		"config":          {reason: "another one is wanted", pool: wanting(other), want: true},
	} {
		t.Run(name, func(t *testing.T) {
			at := now.Add(test.after)
			require.Equal(t, test.want, rowOf(test.pool, at).Changed(before, at, now, test.wide), test.reason)
		})
	}
}

func chatty() *mcfgv1.MachineConfigPool {
	pool := building()
	pool.Status.Conditions[1].Message += " Building for 8m."
	return pool
}

func wanting(config string) *mcfgv1.MachineConfigPool {
	pool := building()
	pool.Spec.Configuration.Name = config
	return pool
}
