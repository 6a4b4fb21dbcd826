package imagebuilder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// ImageBuilder runs image builds. Every method may be called from several
// goroutines and is repeatable: calling it again after a crash or a lost reply
// leads to the same end. No method waits for a build.
type ImageBuilder interface {
	// Observe returns every build of the pool, of any config, finished or not,
	// and everything that was made for a build which does not exist (see
	// PhaseAbsent). It reads from a cache and never writes. The order is by
	// name. While the backend cannot tell, it returns an UnavailableError; of several
	// backends, what the others tell comes with it.
	Observe(pool string) ([]Observation, error)

	// Start creates the build and its inputs. That they are there already, as this
	// very call would make them, is success; there in another form, or made for
	// another build, is ErrForeign. A backend that is not installed answers with an
	// UnavailableError, any other error is the API's.
	Start(ctx context.Context, request Request) error

	// Verify asks the backend itself for the build of the request's name, as Get does,
	// and compares it, and what is left of its inputs, with what Start would make. That
	// anything which decides what is in the image, or where it goes, is another is
	// ErrForeign, with what it is. What clusters add to builds on their own is not compared.
	Verify(ctx context.Context, request Request) (Observation, error)

	// Get asks the backend itself, not the cache, for the build of this name; the
	// phase is PhaseAbsent if there is none. What the cache shows may have passed,
	// and what it lacks may just not have arrived there yet.
	Get(ctx context.Context, name string) (Observation, error)

	// Shows tells whether the cache has the build of that name, or inputs for it.
	Shows(name string) bool

	// Active returns all builds, of any pool, that have not ended, as far as the cache
	// shows them, in the order of their names.
	Active() []Observation

	// Stop asks a running build to end. It is a request: the build's phase
	// tells when it ended. That the build is absent, or that another one (by
	// UID) has its name, is success.
	Stop(ctx context.Context, name string, uid types.UID) error

	// Delete removes a build that Observe returned and its inputs, in whichever phase,
	// and ends its work. Absence, also of another UID, is success.
	Delete(ctx context.Context, name string, uid types.UID) error

	// DeleteInputs removes what was made for the build of that name to read,
	// and leaves the build. Absence is success.
	DeleteInputs(ctx context.Context, name string) error

	// Reasons are those that Observation.Reason can have of a build that ended, as far
	// as the backend has names for them. Metrics tell them apart, and no others.
	Reasons() []string

	// Notify has enqueue called with the pool's name whenever what Observe
	// returns for it may have changed, and with AllPools when that may be so
	// for every pool. It is called once, before the caches start. The function
	// it returns tells whether Observe can be relied on: its caches are full,
	// or it has found out that the backend is unavailable.
	Notify(enqueue func(pool string)) (synced func() bool)
}

// AllPools stands for every pool in a notification.
const AllPools = ""

// Request is one attempt at building one image. Equal requests make
// byte-identical objects.
type Request struct {
	// Backend is the name of the one that is to run the build, where there are several.
	Backend string
	// Name is unique per attempt, a DNS label of at most 58 characters.
	Name string
	// Pool and PoolUID identify the pool that owns the objects.
	Pool    string
	PoolUID types.UID
	// Fingerprint identifies what is built, see inputs.Identity.
	Fingerprint string
	// RenderedConfig is the name of the rendered MachineConfig.
	RenderedConfig string
	// BaseImage is the pullspec that the Containerfile builds on.
	BaseImage string
	// Attempt counts the attempts at this fingerprint from 1.
	Attempt int
	// Containerfile is the text of the instructions.
	Containerfile string
	// Context holds the files next to the Containerfile, each of which fits into a
	// Secret. They may hold credentials.
	Context []File
	// Volumes are what the steps of the build see, and the image does not.
	Volumes []Volume
	// PullSecret and PushSecret name Secrets; PullSecret may be empty.
	PullSecret string
	PushSecret string
	// Output is where the image is pushed, as repository:tag.
	Output string
	// Deadline bounds the running time; whole seconds, greater than zero.
	Deadline time.Duration
	// Claim is kept with the build, unread, and comes back as Observation.Claim.
	Claim string
	// Proxy is how the build gets out of the cluster, where the backend does not know it.
	Proxy Proxy
	// RegistryCAs are what nodes trust for single registries, in the order of their hosts,
	// where the backend does not know them.
	RegistryCAs []RegistryCA
	// Workload is how the build runs, where that is not the backend's own affair.
	Workload Workload
}

// Proxy is the cluster's. The addresses may hold credentials.
type Proxy struct{ HTTP, HTTPS, No string }

// RegistryCA are certificates of the authorities that a registry is trusted by.
type RegistryCA struct {
	// Host is that of the registry, with the port if it is not 443.
	Host string
	// PEM is a series of certificates, as the cluster has them.
	PEM []byte
}

// Workload is how a backend runs a build that runs it in a pod of its own making. None of
// it decides what is in the image.
type Workload struct {
	// Image is the pullspec of the builder image.
	Image string
	// SecurityLevel and Seccomp are values of the settings of these names.
	SecurityLevel, Seccomp string
	PriorityClass          string
	NodeSelector           map[string]string
	// Tolerations are taints, as key=value:effect; without a value, of any value, and
	// without an effect, of any effect.
	Tolerations []string
	// Requests and Limits are quantities of resources.
	Requests, Limits map[string]string
}

// File is a file of the build context.
type File struct {
	// Name is a valid key of a Secret.
	Name string
	Data []byte
}

// Volume is an object that the steps of a build see as files.
type Volume struct {
	// Name is the name of a Secret, or of a ConfigMap.
	Name      string
	ConfigMap bool
	// Path is the directory that its keys are files of, read-only.
	Path string
}

// Phase is how far a build is.
type Phase string

const (
	// PhaseAbsent means: no such build exists, but inputs for it do.
	PhaseAbsent Phase = "Absent"
	// PhasePending means: created, not running yet.
	PhasePending Phase = "Pending"
	// PhaseRunning means: at work.
	PhaseRunning Phase = "Running"
	// PhaseSucceeded means: ended, the image is pushed.
	PhaseSucceeded Phase = "Succeeded"
	// PhaseFailed means: ended without an image, see Observation.Transient.
	PhaseFailed Phase = "Failed"
	// PhaseStopped means: ended on request, of Stop or of a person.
	PhaseStopped Phase = "Stopped"
)

// IsActive tells whether the build has not ended.
func (p Phase) IsActive() bool { return p == PhasePending || p == PhaseRunning }

// IsFinished tells whether the build exists and has ended.
func (p Phase) IsFinished() bool {
	return p == PhaseSucceeded || p == PhaseFailed || p == PhaseStopped
}

// Observation is what a backend knows of one build.
type Observation struct {
	Name           string
	UID            types.UID
	PoolUID        types.UID
	Fingerprint    string
	RenderedConfig string
	Attempt        int
	// Claim is Request.Claim. Like everything else here, anyone who may write builds may
	// have changed it.
	Claim string

	// Output is where the image is pushed, as repository:tag, and Containerfile the
	// ContainerfileHash of the text; both are empty where the backend does not tell.
	Output        string
	Containerfile string
	// Foreign says what of the build is not as in any that the backend makes, and
	// decides what is in the image or where it goes; empty for nothing.
	Foreign string

	Phase Phase
	// Image is the pullspec, by digest, of a succeeded build. It is empty when
	// the backend lost the digest; the image cannot be published then.
	Image string
	// Reason, Message and Log (the last lines) are the backend's words on a
	// build that is pending or failed.
	Reason  string
	Message string
	Log     string
	// Transient tells of a failed build that another attempt at the same may succeed.
	Transient bool
	// Stopping tells that an active build was asked to end, and Withdrawn that it was
	// Stop that asked, and not a person.
	Stopping  bool
	Withdrawn bool
	// HasInputs tells that the inputs made for the build still exist, and LateInputs which
	// of them, by UID, are younger than the build: Start makes them before it.
	HasInputs  bool
	LateInputs string
	// Deleting says of a build that is being deleted what keeps it; empty for one that is
	// not being deleted.
	Deleting string
	// Deadline bounds the running time; zero when unknown.
	Deadline time.Duration
	// Waiting is since when an active build waits to run whose wait did not begin with its
	// creation, such as one that was driven from its node and starts anew on another. It
	// is zero for all others.
	Waiting time.Time
	// Created, Started (when it began to run) and Finished are zero when unknown.
	Created  time.Time
	Started  time.Time
	Finished time.Time
}

// ContainerfileHash is the SHA-256, in hexadecimal, of the text of a Containerfile.
func ContainerfileHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// WasBornEnded tells of a build that has ended whether it was never at work, as far as its
// times tell: whoever creates a build may create one that has ended, such as a copy. The
// instants are of several clocks, which are taken to agree within the tolerance.
func (o *Observation) WasBornEnded() bool {
	const tolerance = time.Minute
	before := func(x, y time.Time) bool { return x.Add(tolerance).Before(y) }
	switch {
	case !o.Phase.IsFinished():
		return false
	case o.Phase == PhaseSucceeded && (o.Created.IsZero() || o.Started.IsZero() || o.Finished.IsZero()):
		return true
	}
	return !o.Started.IsZero() && before(o.Started, o.Created) || !o.Finished.IsZero() && (before(o.Finished, o.Created) || before(o.Finished, o.Started))
}

// ErrForeign is returned by Start and Verify when an object of the build's name exists
// that is not of this build.
var ErrForeign = errors.New("an object of that name exists and does not belong to this build")

// UnavailableError says why the backend cannot be used at present.
type UnavailableError struct {
	// Message is a sentence for the pool's condition.
	Message string
	// ByBackend are those of several backends that cannot be used, by the names that
	// requests have for them; nil where it is not about several.
	ByBackend map[string]string
}

// Of is the message about the backend of that name; empty if it can be used.
func (e *UnavailableError) Of(backend string) string {
	if e.ByBackend == nil {
		return e.Message
	}
	return e.ByBackend[backend]
}

// Error implements error.
func (e *UnavailableError) Error() string { return e.Message }
