package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// Objects are what there is to look at. What is not known is not looked at, and those
// who gather the objects say so in the report.
type Objects struct {
	// Now is the instant of the look.
	Now   time.Time
	Pools []*mcfgv1.MachineConfigPool

	// Backend is what runs the builds.
	Backend imagebuilder.Backend
	// Builds and Inputs are what bears the label of what the controller makes. They are
	// only looked at where the known ones are complete.
	Builds      []imagebuilder.Made
	BuildsKnown bool
	Inputs      []imagebuilder.Made
	InputsKnown bool
	// BuilderProblem is why there can be no Builds; empty if there can.
	BuilderProblem string

	// Configs tells of the MachineConfigs that pools refer to whether they exist; those
	// that are not in it are not known.
	Configs map[string]bool

	// Settings is the ConfigMap with the settings, nil if there is none, Custom the one
	// with custom content, and Repositories the one with repositories of packages.
	Settings      *corev1.ConfigMap
	SettingsKnown bool
	Custom        *corev1.ConfigMap
	Repositories  *corev1.ConfigMap
	// Secrets are those that the settings name.
	Secrets []Secret

	// Decisions are what the controller's own code decides on each pool that opted in.
	Decisions []Decision

	// MachineOS is what else opts pools in.
	MachineOS MachineOS

	// Lease is the controller's, if there is one.
	Lease *coordinationv1.Lease
	// Account names the service account of the controller, as namespace/name, and
	// AccountMissing tells that there is none. Denied is what it lacks permission for.
	Account        string
	AccountMissing bool
	Denied         []Permission
}

// Secret is one that the settings name.
type Secret struct {
	Name string
	// Keys are the keys of the settings that name it.
	Keys   []string
	Exists bool
	// Content is nil where it may not be read.
	Content *corev1.Secret
}

// Decision is what the controller would do about a pool.
type Decision struct {
	Pool    string
	State   ledger.State
	Reason  string
	Message string
	// Warnings are what may be a mistake and keeps nothing from being built, in sentences that
	// name the object.
	Warnings []string
	// Strangers are builds that it does not take for the pool's.
	Strangers []plan.Stranger
}

// grace is for how long what is new, and what was changed a moment ago, is left alone.
const grace = time.Minute

// examination is one look.
type examination struct {
	Objects
	limits   inputs.Limits
	rows     map[string]status.Pool
	findings []Finding
}

// Examine finds what is wrong, errors first.
func Examine(o Objects) []Finding {
	x := &examination{Objects: o, limits: inputs.DefaultLimits(), rows: map[string]status.Pool{}}
	if o.Settings != nil {
		settings, _ := inputs.ReadSettings(o.Settings)
		x.limits = settings.Limits
	}
	observations := make([]imagebuilder.Observation, 0, len(o.Builds))
	for i := range o.Builds {
		observations = append(observations, o.Builds[i].Observation)
	}
	for _, row := range status.Of(status.Objects{Now: o.Now, Pools: o.Pools, Builds: observations, BuildsKnown: o.BuildsKnown, MaxAttempts: x.limits.MaxAttempts,
		MachineOSConfigs: o.MachineOS.Configs, MachineOSBuilds: o.MachineOS.Builds}) {
		x.rows[row.Name] = row
	}
	x.environment()
	x.settings()
	for _, pool := range o.Pools {
		x.pool(pool)
	}
	x.sharedRecords()
	x.machineOS()
	x.warnings()
	for i := range o.Builds {
		x.build(&o.Builds[i])
	}
	for i := range o.Inputs {
		x.input(&o.Inputs[i])
	}
	return sorted(x.findings)
}

func (x *examination) find(severity Severity, check, object, problem, repair string) {
	x.findings = append(x.findings, Finding{Severity: severity, Check: check, Object: object, Problem: problem, Repair: repair})
}

// isOld tells whether that instant, if it is known, is longer ago than the grace.
func (x *examination) isOld(at time.Time) bool { return x.Now.Sub(at) > grace }

// isSettled tells whether nobody changed the pool for so long that a controller at work
// has done about it what it is going to do.
func (x *examination) isSettled(pool *mcfgv1.MachineConfigPool) bool {
	return x.Now.Sub(status.LastChange(pool)) > grace+x.limits.QuietPeriodCeiling
}

func (x *examination) poolOf(uid types.UID) *mcfgv1.MachineConfigPool {
	at := slices.IndexFunc(x.Pools, func(p *mcfgv1.MachineConfigPool) bool { return p.UID == uid })
	if uid == "" || at < 0 {
		return nil
	}
	return x.Pools[at]
}

func (x *examination) decision(pool string) *Decision {
	at := slices.IndexFunc(x.Decisions, func(d Decision) bool { return d.Pool == pool })
	if at < 0 {
		return nil
	}
	return &x.Decisions[at]
}

// warnings tells what is to be warned of, where the look at the object itself did not; what
// several pools share is told of the first.
func (x *examination) warnings() {
	told := map[string]bool{}
	for _, pool := range x.Pools {
		d := x.decision(pool.Name)
		if d == nil || !x.isServed(pool) {
			continue
		}
		for _, warning := range d.Warnings {
			found := func(f Finding) bool {
				return strings.HasPrefix(warning, f.Object) && strings.HasSuffix(warning, f.Problem)
			}
			if !told[warning] && !slices.ContainsFunc(x.findings, found) {
				x.find(Warning, "BuildWarning", poolObject(pool.Name), "is built all the same, but "+warning, "change it there, if it is not meant so; nothing waits for that")
			}
			told[warning] = true
		}
	}
}

// optedIn tells whether any pool did, so that what is missing is missed.
func (x *examination) optedIn() bool { return slices.ContainsFunc(x.Pools, x.isServed) }

// isServed tells whether the controller builds for the pool, whatever opts it in.
func (o *Objects) isServed(pool *mcfgv1.MachineConfigPool) bool {
	return (ledger.IsLayered(pool) || o.ByMachineOS(pool)) && pool.DeletionTimestamp == nil
}

// ByMachineOS tells whether a MachineOSConfig opts the pool in, and the controller goes by that.
func (o *Objects) ByMachineOS(pool *mcfgv1.MachineConfigPool) bool {
	return o.MachineOS.Gate && len(o.MachineOS.configsOf(pool.Name)) > 0
}

// recordOf is nil where there is none, or none that can be read.
func recordOf(pool *mcfgv1.MachineConfigPool) *ledger.Record {
	record, _ := ledger.ParseRecord(pool.Annotations[constants.BuildRecordAnnotation])
	return record
}

// Looked says in words what there was to look at.
func (o *Objects) Looked() string {
	optedIn := 0
	for _, pool := range o.Pools {
		if o.isServed(pool) {
			optedIn++
		}
	}
	text := fmt.Sprintf("%s, of which %d opted in", count(len(o.Pools), "pool"), optedIn)
	if o.BuildsKnown {
		text += ", " + count(len(o.Builds), "Build")
	}
	if o.InputsKnown {
		text += ", " + count(len(o.Inputs), "input")
	}
	return text
}
