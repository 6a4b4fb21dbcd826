package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
)

// Report is what the status command writes as JSON or YAML. Fields are only added.
type Report struct {
	// Pools are sorted by name.
	Pools []Pool `json:"pools"`
	// NotRead are objects that could not be read, and what is less exact without them.
	NotRead []string `json:"notRead,omitempty"`
}

// Pool is where one pool stands.
type Pool struct {
	Name string `json:"name"`
	// OptedIn tells whether the pool has its image built.
	OptedIn bool         `json:"optedIn"`
	State   ledger.State `json:"state"`
	// NeedsAttention tells that nothing good comes of waiting: the build failed or is
	// stuck, the cluster refuses a request, or nobody reports on the pool.
	NeedsAttention bool `json:"needsAttention"`
	// Reason and Message are those of the build condition that is True.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Refusal is what the cluster refuses, whatever the state is.
	Refusal string `json:"refusal,omitempty"`
	// Outdated says why the condition is not taken for the state.
	Outdated string `json:"outdated,omitempty"`
	// Since is when the pool came into its state, as far as that is known.
	Since *metav1.Time `json:"since,omitempty"`

	// MachineOSConfig opts the pool in, instead of its label, and MachineOSBuild is the one
	// that counts for it.
	MachineOSConfig string          `json:"machineOSConfig,omitempty"`
	MachineOSBuild  *MachineOSBuild `json:"machineOSBuild,omitempty"`

	// Config is the rendered MachineConfig that the pool wants.
	Config string `json:"config,omitempty"`
	// Image is the published image, and ImageConfig the config that it was built from.
	Image       string `json:"image,omitempty"`
	ImageConfig string `json:"imageConfig,omitempty"`
	// ImageCurrent tells that the image is that of the wanted config.
	ImageCurrent bool `json:"imageCurrent"`

	// Build is that of the newest attempt, Attempt its number, counted from 1, of at
	// most MaxAttempts; 0 where the settings could not be read.
	Build       string `json:"build,omitempty"`
	Attempt     int    `json:"attempt,omitempty"`
	MaxAttempts int    `json:"maxAttempts,omitempty"`
	// Started is when a Build that runs began to.
	Started *metav1.Time `json:"started,omitempty"`
	// UsuallySeconds is for how long the pool's builds run, the median of the last
	// ones; ExpectedEnd is when a Build that runs would end by that.
	UsuallySeconds int64        `json:"usuallySeconds,omitempty"`
	ExpectedEnd    *metav1.Time `json:"expectedEnd,omitempty"`
	// NextAttempt is when an attempt that failed is followed by the next one.
	NextAttempt *metav1.Time `json:"nextAttempt,omitempty"`
}

// Objects are what is known of the cluster.
type Objects struct {
	// Now is the instant at which to look.
	Now   time.Time
	Pools []*mcfgv1.MachineConfigPool
	// Builds are those of all pools; BuildsKnown tells that they could be read.
	Builds      []imagebuilder.Observation
	BuildsKnown bool
	// MaxAttempts is that of the settings; 0 where they could not be read.
	MaxAttempts int
	// MachineOSConfigs and MachineOSBuilds are all of the cluster, if it serves them.
	MachineOSConfigs []*mcfgv1.MachineOSConfig
	MachineOSBuilds  []*mcfgv1.MachineOSBuild
}

// silence is for how long the controller may say nothing of what a pool wants, before
// something is wrong. It has a quiet period to wait for, and may be restarting.
const silence = 2 * time.Minute

// Of tells where the pools stand, in the order of their names.
func Of(o Objects) []Pool {
	pools := make([]Pool, 0, len(o.Pools))
	for _, pool := range o.Pools {
		pools = append(pools, o.of(pool))
	}
	slices.SortFunc(pools, func(a, b Pool) int { return cmp.Compare(a.Name, b.Name) })
	return pools
}

func (o *Objects) of(pool *mcfgv1.MachineConfigPool) Pool {
	read := ledger.Read(pool)
	p := Pool{
		Name: read.Name, OptedIn: read.Layered, Config: read.WantedConfig,
		Image: read.Image, ImageConfig: read.ImageConfig, ImageCurrent: read.HasImageOfWanted(),
		Refusal: read.Reported.Refusal,
	}
	if read.Deleting {
		p.State, p.Since = ledger.StateDeleting, timeOf(pool.DeletionTimestamp.Time)
		p.NeedsAttention = p.Refusal != ""
		return p
	}
	if configs := ConfigsOf(p.Name, o.MachineOSConfigs); len(configs) > 0 {
		o.machineOS(&p, configs)
		return p
	}
	if !p.OptedIn {
		p.State = ledger.StateNotOptedIn
		p.NeedsAttention = p.Refusal != ""
		return p
	}
	build := o.buildOf(pool, read.Record)
	p.State = read.Reported.State
	switch p.State {
	case ledger.StateContradictory:
	case ledger.StateNotReported:
		p.Since = timeOf(lastSpecChange(pool))
	default:
		p.Reason, p.Message, p.Since = read.Reported.Reason, read.Reported.Message, timeOf(read.Reported.Since)
		p.attempt(read.Record, build, o)
		if p.Outdated = p.outdated(&read, build, o); p.Outdated != "" {
			p.State, p.Since = ledger.StateNotReported, timeOf(lastSpecChange(pool))
			p.ExpectedEnd, p.Started = nil, nil
		}
	}
	p.NeedsAttention = p.Refusal != "" || p.State == ledger.StateFailed || p.State == ledger.StateStuck || p.State == ledger.StateContradictory ||
		p.State == ledger.StateNotReported && p.Since != nil && o.Now.Sub(p.Since.Time) > silence
	return p
}

// attempt fills in what the record and the Build know of the state.
func (p *Pool) attempt(record *ledger.Record, build *imagebuilder.Observation, o *Objects) {
	if record == nil || !p.State.IsOfAttempt() {
		return
	}
	p.Build, p.Attempt, p.MaxAttempts = record.Build, record.Attempt, o.MaxAttempts
	p.UsuallySeconds = int64(record.Usually() / time.Second)
	switch p.State {
	case ledger.StatePending, ledger.StateStuck:
		if build != nil {
			p.Since = timeOf(build.Created)
		}
	case ledger.StateBuilding:
		p.Started = p.Since
		if build != nil && !build.Started.IsZero() {
			p.Started = timeOf(build.Started)
		}
		p.Since = p.Started
		if usually := record.Usually(); usually > 0 && p.Started != nil {
			p.ExpectedEnd = timeOf(p.Started.Add(usually))
		}
	case ledger.StateRetrying, ledger.StateFailed, ledger.StateInterrupted:
		if record.Failed() {
			p.Since = timeOf(record.Failure.At)
		}
		if p.State == ledger.StateRetrying {
			p.NextAttempt = timeOf(plan.NextAttempt(record))
		}
	}
}

// buildOf is the Build of the newest attempt; nil if it does not exist, or is not known.
func (o *Objects) buildOf(pool *mcfgv1.MachineConfigPool, record *ledger.Record) *imagebuilder.Observation {
	if record == nil {
		return nil
	}
	at := slices.IndexFunc(o.Builds, func(b imagebuilder.Observation) bool { return b.Name == record.Build && b.PoolUID == pool.UID })
	if at < 0 {
		return nil
	}
	return &o.Builds[at]
}

// timeOf is nil for an instant that is not known.
func timeOf(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	return &metav1.Time{Time: at}
}

// lastSpecChange is when whoever sets the wanted config last changed the pool; without
// a trace of that, when the pool was last changed or created.
func lastSpecChange(pool *mcfgv1.MachineConfigPool) time.Time {
	var latest time.Time
	for i := range pool.ManagedFields {
		entry := &pool.ManagedFields[i]
		if entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"f:configuration"`) && entry.Subresource == "" &&
			entry.Time != nil && entry.Time.After(latest) {
			latest = entry.Time.Time
		}
	}
	if latest.IsZero() {
		return LastChange(pool)
	}
	return latest
}

// LastChange is when anything of the pool but its status was last changed, by anyone,
// as far as the API server says; zero if it does not.
func LastChange(pool *mcfgv1.MachineConfigPool) time.Time {
	latest := pool.CreationTimestamp.Time
	for i := range pool.ManagedFields {
		if entry := &pool.ManagedFields[i]; entry.Subresource == "" && entry.Time != nil && entry.Time.After(latest) {
			latest = entry.Time.Time
		}
	}
	return latest
}
