package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/buildtest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

const (
	wanted    = "rendered-worker-0123456789abcdef0123456789abcdef"
	other     = "rendered-worker-fedcba9876543210fedcba9876543210"
	buildName = "machine-os-worker-0123456789-1"
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	image = buildtest.Repository + "@" + buildtest.Digest(7)
)

// ago is a time before now.
func ago(d time.Duration) time.Time { return now.Add(-d) }

// reporting is a pool whose one condition that is True has the reason and message, since
// ten minutes.
func reporting(t mcfgv1.MachineConfigPoolConditionType, reason, message string) *mcfgv1.MachineConfigPool {
	pool := buildtest.Pool("worker").Layered().Wants(wanted).Object()
	pool.CreationTimestamp = metav1.NewTime(ago(24 * time.Hour))
	pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolUpdated, Status: corev1.ConditionTrue, Reason: "Foreign"},
		{Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(ago(10 * time.Minute))},
		{Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionTrue, Reason: reason},
	}
	return pool
}

func annotated(pool *mcfgv1.MachineConfigPool, pairs ...string) *mcfgv1.MachineConfigPool {
	for i := 0; i < len(pairs); i += 2 {
		metav1.SetMetaDataAnnotation(&pool.ObjectMeta, pairs[i], pairs[i+1])
	}
	return pool
}

// record is that of the second attempt.
func record(change func(*ledger.Record)) string {
	r := ledger.Record{Build: buildName, Fingerprint: strings.Repeat("f", 64), Config: wanted, Attempt: 2, ClaimedAt: ago(11 * time.Minute), Took: []int64{720, 700, 900}}
	change(&r)
	return r.String()
}

func running(*ledger.Record) {}

func failed(r *ledger.Record) {
	r.Failure = &ledger.Failure{Reason: "BuildPodEvicted", Transient: true, At: ago(5 * time.Second)}
}

func published() *mcfgv1.MachineConfigPool {
	return annotated(reporting(mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished, "Image "+image+" of "+wanted+" is published."),
		constants.DesiredOSImageAnnotation, image, constants.DesiredOSImageConfigAnnotation, wanted)
}

func building() *mcfgv1.MachineConfigPool {
	return annotated(reporting(mcfgv1.MachineConfigPoolBuilding, ledger.ReasonBuildRunning, "Build "+buildName+" of "+wanted+" is running."),
		constants.BuildRecordAnnotation, record(running))
}

func pending(reason string) *mcfgv1.MachineConfigPool {
	return annotated(reporting(mcfgv1.MachineConfigPoolBuildPending, reason, "Build "+buildName+" of "+wanted+" waits to run."), constants.BuildRecordAnnotation, record(running))
}

func observed(phase imagebuilder.Phase) []imagebuilder.Observation {
	return []imagebuilder.Observation{
		{Name: buildName, PoolUID: "another pool's", Phase: imagebuilder.PhaseFailed},
		{Name: buildName, PoolUID: "uid-of-worker", Phase: phase, Created: ago(9 * time.Minute), Started: ago(8 * time.Minute)},
	}
}

// TestOf: the row of a pool without AGE, by what the pool says and what is known of Builds.
func TestOf(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		pool   *mcfgv1.MachineConfigPool
		builds []imagebuilder.Observation
		// known tells that Builds can be read.
		known     bool
		want      string
		age       string
		attention bool
	}{
		"published": {reason: "all is well", pool: published(), known: true, age: "10m",
			want: "worker|Published|ImagePublished|rendered-worker-01234567…|sha256:000000000000…|-|-"},
		"building": {reason: "the Build says since when it runs, and 12 minutes is the median", pool: building(), known: true, builds: observed(imagebuilder.PhaseRunning), age: "8m",
			want: "worker|Building|BuildRunning|rendered-worker-01234567…|-|2/4|~4m"},
		"building, Builds unknown": {reason: "the condition says it well enough", pool: building(), age: "10m",
			want: "worker|Building|BuildRunning|rendered-worker-01234567…|-|2/4|~2m"},
		"building, record spoiled": {reason: "the controller would not know either", pool: annotated(building(), constants.BuildRecordAnnotation, "{"), known: true, age: "10m",
			want: "worker|Building|BuildRunning|rendered-worker-01234567…|-|-|-"},
		"pending": {reason: "since the Build was created", pool: pending(ledger.ReasonBuildCreated), known: true, builds: observed(imagebuilder.PhasePending), age: "9m",
			want: "worker|Pending|BuildCreated|rendered-worker-01234567…|-|2/4|-"},
		"stuck": {reason: "it does not begin by itself", pool: pending(ledger.ReasonBuildStuck), known: true, builds: observed(imagebuilder.PhasePending), age: "9m", attention: true,
			want: "worker|Stuck|BuildStuck|rendered-worker-01234567…|-|2/4|-"},
		"retrying": {reason: "the next attempt has its time", age: "5s",
			pool: annotated(reporting(mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled, "Attempt 2 of 4 at "+wanted+" failed."), constants.BuildRecordAnnotation, record(failed)),
			want: "worker|Retrying|RetryScheduled|rendered-worker-01234567…|-|2/4|retry in 17s"},
		"queued": {reason: "its turn comes", pool: reporting(mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonQueued, "The build of "+wanted+" is queued."), age: "10m",
			want: "worker|Queued|Queued|rendered-worker-01234567…|-|-|-"},
		"settling": {reason: "inputs change", pool: reporting(mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonInputsChanging, "The inputs keep changing."), age: "10m",
			want: "worker|Settling|InputsChanging|rendered-worker-01234567…|-|-|-"},
		"held": {reason: "something is to be mended", pool: reporting(mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonSecretMissing, "Secret push does not exist."), age: "10m",
			want: "worker|Held|SecretMissing|rendered-worker-01234567…|-|-|-"},
		"held for a reason of a later version": {reason: "unknown reasons are holds", pool: reporting(mcfgv1.MachineConfigPoolBuildPending, "SomethingNew", "?"), age: "10m",
			want: "worker|Held|SomethingNew|rendered-worker-01234567…|-|-|-"},
		"failed": {reason: "the old image stays", age: "5s", attention: true,
			pool: annotated(reporting(mcfgv1.MachineConfigPoolBuildFailed, ledger.ReasonBuildFailed, "Build "+buildName+" of "+wanted+" failed."), constants.BuildRecordAnnotation, record(failed),
				constants.DesiredOSImageAnnotation, image, constants.DesiredOSImageConfigAnnotation, other),
			want: "worker|Failed|BuildFailed|rendered-worker-01234567…|sha256:000000000000… (old)|2/4|-"},
		"interrupted": {reason: "someone wanted that", pool: reporting(mcfgv1.MachineConfigPoolBuildInterrupted, ledger.ReasonBuildCancelled, "Build of "+wanted+" was cancelled."), age: "10m",
			want: "worker|Interrupted|BuildCancelled|rendered-worker-01234567…|-|-|-"},
		"image by tag": {reason: "someone else wrote it", pool: annotated(published(), constants.DesiredOSImageAnnotation, buildtest.Repository+":latest"), age: "10m",
			want: "worker|Published|ImagePublished|rendered-worker-01234567…|not by digest|-|-"},

		"nothing said": {reason: "the controller does not run", pool: buildtest.Pool("worker").Layered().Wants(wanted).Object(), age: "-",
			want: "worker|NotReported|nothing said yet|rendered-worker-01234567…|-|-|-"},
		"another config": {reason: "what is said is of the past", pool: annotated(reporting(mcfgv1.MachineConfigPoolBuildSuccess, ledger.ReasonImagePublished, "of "+other),
			constants.DesiredOSImageAnnotation, image, constants.DesiredOSImageConfigAnnotation, other), age: "24h", attention: true,
			want: "worker|NotReported|ImagePublished, but of another config|rendered-worker-01234567…|sha256:000000000000… (old)|-|-"},
		"config since": {reason: "the first config came while nobody was there", pool: reporting(mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonNoRenderedConfig, ""), age: "24h", attention: true,
			want: "worker|NotReported|NoRenderedConfig, but a config is wanted since|rendered-worker-01234567…|-|-|-"},
		"annotations gone": {reason: "nobody gets that image", pool: annotated(published(), constants.DesiredOSImageAnnotation, ""), age: "24h", attention: true,
			want: "worker|NotReported|ImagePublished, but the annotations of the image are gone|rendered-worker-01234567…|-|-|-"},
		"rebuild requested": {reason: "nobody acted on it", pool: annotated(published(), constants.RebuildRequestedAnnotation, "2", constants.RebuildObservedAnnotation, "1"), age: "24h", attention: true,
			want: "worker|NotReported|ImagePublished, but a rebuild is requested since|rendered-worker-01234567…|sha256:000000000000…|-|-"},
		"rebuild acted on": {reason: "that is over", pool: annotated(published(), constants.RebuildRequestedAnnotation, "2", constants.RebuildObservedAnnotation, "2"), age: "10m",
			want: "worker|Published|ImagePublished|rendered-worker-01234567…|sha256:000000000000…|-|-"},
		"retry overdue": {reason: "nobody started it", age: "24h", attention: true,
			pool: annotated(reporting(mcfgv1.MachineConfigPoolBuildPending, ledger.ReasonRetryScheduled, "Attempt 2 of 4 at "+wanted+" failed."), constants.BuildRecordAnnotation,
				record(func(r *ledger.Record) { failed(r); r.Failure.At = ago(5 * time.Minute) })),
			want: "worker|NotReported|RetryScheduled, but the next attempt is overdue|rendered-worker-01234567…|-|2/4|-"},
		"Build gone": {reason: "someone deleted it", pool: building(), known: true, age: "24h", attention: true,
			want: "worker|NotReported|BuildRunning, but its Build is gone|rendered-worker-01234567…|-|2/4|-"},
		"Build ended": {reason: "nobody took notice", pool: building(), known: true, builds: observed(imagebuilder.PhaseSucceeded), age: "24h", attention: true,
			want: "worker|NotReported|BuildRunning, but its Build has ended|rendered-worker-01234567…|-|2/4|-"},
		"Build running": {reason: "nobody took notice", pool: pending(ledger.ReasonBuildCreated), known: true, builds: observed(imagebuilder.PhaseRunning), age: "24h", attention: true,
			want: "worker|NotReported|BuildCreated, but its Build is Running|rendered-worker-01234567…|-|2/4|-"},
		"contradictory": {reason: "one of them lies", age: "-", attention: true, pool: func() *mcfgv1.MachineConfigPool {
			pool := published()
			pool.Status.Conditions = append(pool.Status.Conditions, mcfgv1.MachineConfigPoolCondition{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue})
			return pool
		}(), want: "worker|Contradictory|see doctor|rendered-worker-01234567…|sha256:000000000000…|-|-"},
		"R40 refused": {reason: "whatever the state is", pool: refusing(published()), age: "10m", attention: true,
			want: "worker|Published|ImagePublished|rendered-worker-01234567…|sha256:000000000000…|-|-"},
		"R40 refused at opt-out": {reason: "something of the controller's is left", pool: refusing(buildtest.Pool("worker").Wants(wanted).Object()), age: "-", attention: true,
			want: "worker|NotOptedIn|-|rendered-worker-01234567…|-|-|-"},
		"not opted in": {reason: "none of the controller's", pool: buildtest.Pool("worker").Wants(wanted).Object(), age: "-",
			want: "worker|NotOptedIn|-|rendered-worker-01234567…|-|-|-"},
		"deleting": {reason: "there is nothing more to do", age: "60s", pool: func() *mcfgv1.MachineConfigPool {
			pool := buildtest.Pool("worker").Layered().Wants(wanted).Object()
			pool.DeletionTimestamp = &metav1.Time{Time: ago(time.Minute)}
			return pool
		}(), want: "worker|Deleting|-|rendered-worker-01234567…|-|-|-"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := Of(Objects{Now: now, Pools: []*mcfgv1.MachineConfigPool{test.pool}, Builds: test.builds, BuildsKnown: test.known, MaxAttempts: 4})
			require.Len(t, rows, 1)
			cells := rows[0].Cells(now, false)
			require.Equal(t, test.age, cells[ageColumn], test.reason)
			require.Equal(t, test.want, strings.Join(append(cells[:ageColumn:ageColumn], cells[ageColumn+1:]...), "|"), test.reason)
			require.Equal(t, test.attention, rows[0].NeedsAttention, test.reason)
		})
	}
}

func refusing(pool *mcfgv1.MachineConfigPool) *mcfgv1.MachineConfigPool {
	pool.Status.Conditions = slices.DeleteFunc(pool.Status.Conditions, func(c mcfgv1.MachineConfigPoolCondition) bool {
		return c.Type == mcfgv1.MachineConfigPoolImageBuildDegraded
	})
	pool.Status.Conditions = append(pool.Status.Conditions, mcfgv1.MachineConfigPoolCondition{
		Type: mcfgv1.MachineConfigPoolImageBuildDegraded, Status: corev1.ConditionTrue, Reason: ledger.ReasonRequestRefused, Message: "could not delete Secret x: no",
	})
	return pool
}

// TestSilenceIsBearable: a controller that starts, or waits for the quiet period, is no
// reason to call anyone.
func TestSilenceIsBearable(t *testing.T) {
	pool := buildtest.Pool("worker").Layered().Wants(wanted).Object()
	fields := metav1.NewFieldsV1
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: ago(d)} }
	pool.ManagedFields = []metav1.ManagedFieldsEntry{
		{Manager: "render", Time: at(90 * time.Second), FieldsV1: fields(`{"f:spec":{"f:configuration":{}}}`)},
		{Manager: "admin", Time: at(10 * time.Second), FieldsV1: fields(`{"f:metadata":{}}`)},
		{Manager: "node", Time: at(time.Second), Subresource: "status", FieldsV1: fields(`{"f:status":{"f:configuration":{}}}`)},
	}
	row := Of(Objects{Now: now, Pools: []*mcfgv1.MachineConfigPool{pool}})[0]
	require.Equal(t, "90s", row.age(now), "since the config was set, which is the render controller's")
	require.False(t, row.NeedsAttention)
	require.Equal(t, ago(10*time.Second), LastChange(pool), "status is no change of what is wanted")
	pool.ManagedFields[0].Time = at(3 * time.Minute)
	row = Of(Objects{Now: now, Pools: []*mcfgv1.MachineConfigPool{pool}})[0]
	require.True(t, row.NeedsAttention)
}
