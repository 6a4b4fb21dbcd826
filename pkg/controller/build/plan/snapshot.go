package plan

import (
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Snapshot is all that a decision about one pool depends on, as the caches
// had it at one instant.
type Snapshot struct {
	// Now is the instant of the observation.
	Now time.Time

	Pool             ledger.Pool
	MachineOS        MachineOS
	Settings         Settings
	Config           RenderedConfig
	ControllerConfig ControllerConfig
	Custom           CustomContent
	Entitled         Entitled
	PullSecret       Secret
	PushSecret       Secret

	// Builds are the backend's builds that belong to this pool by UID.
	Builds []imagebuilder.Observation
	// Past are the rendered configs, other than the wanted one, that builds with an image
	// say they are of, as far as they exist.
	Past map[string]RenderedConfig
	// BuilderProblem says why the backend cannot be used; empty when it can.
	BuilderProblem string
	// NoBuilderImage says why there is none but in the settings, whose Workload has the one
	// that is used.
	NoBuilderImage string

	// Nonce takes the place of the time in the names of builds; empty for the time.
	Nonce string

	// ChangedAt is when the controller saw an input of the image change, other than
	// the rendered config, which says itself when it was made; zero when it has not.
	ChangedAt time.Time
	// WaitingSince is since when the controller waits for the pool's inputs to stop
	// changing; zero while it does not.
	WaitingSince time.Time
	// LackingSince is since when a Secret is seen to be missing, or of no use, where a
	// MachineOSConfig opts the pool in; zero while none is.
	LackingSince time.Time
	// Taken is the newest build for which no inputs could be made.
	Taken Taken
	// HalfWritten is the build whose end the controller waits for the rest of.
	HalfWritten HalfWritten
	// FirstSeen is when instants that lay in the future, in nanoseconds of Unix time, were
	// seen first, and ahead collects those that matter.
	FirstSeen map[int64]time.Time
	ahead     *[]time.Time
	// AsksRegistry tells that FindImage can be carried out, and Found is what came of it, by
	// what it was asked about.
	AsksRegistry bool
	Found        map[string]FoundImage

	// base is for parsedBase.
	base parsedImage
}

// FoundImage is what the registry says of an image.
type FoundImage struct {
	// Image is its pullspec by digest; empty where there is none.
	Image string
	// Why says why there is none, and Missing that the registry is sure of that.
	Why     string
	Missing bool
}

// limits are those of the settings, or the defaults while there are none.
func (s *Snapshot) limits() inputs.Limits {
	limits := s.Settings.Values.Limits
	if !s.Settings.Exists || len(s.Settings.Problems) > 0 {
		limits = inputs.DefaultLimits()
	}
	if s.MachineOS.OptsIn() {
		// The MachineOSBuild tells of a build for as long as that is of interest, and what
		// failed is looked at until the next build.
		limits.SuccessfulBuildsHistory, limits.FailedBuildsHistory = 0, 0
	}
	return limits
}

// MachineOS is how MachineOSConfigs opt the pool in.
type MachineOS struct {
	// Configs are the names of those that refer to the pool, in order.
	Configs []string
	// Config is what the one says that counts; nil unless there is exactly one.
	Config *ledger.MachineOSConfig
	// Build is the name of the MachineOSBuild of the wanted config; empty while there is no
	// such config, or not exactly one MachineOSConfig.
	Build string
	// Source stands for the one MachineOSConfig and its spec; empty while there is not one.
	Source string
	// Unseen tells that there was one, going by the record, and that none can be seen.
	Unseen bool
	// Problem is why nothing may be written to these objects; empty if it may. Refused tells
	// that the API server does not let them be read.
	Problem string
	Refused bool
	// Seed is an image to begin with, or SeedProblem says what is wrong with it; neither where
	// there is an image already.
	Seed        string
	SeedProblem *inputs.Problem
	// Published is the record that the MachineOSBuild was made with whose image is on the
	// MachineOSConfig; nil if it does not tell it.
	Published *ledger.Record
	// Interrupted is the record of a build that somebody ended, if that is the last word of
	// the MachineOSBuild of the wanted config; else nil.
	Interrupted *ledger.Record
	// Unused is what the MachineOSConfig says and nobody reads, and NodeLogin what the nodes
	// lack to pull its image; nil for nothing.
	Unused, NodeLogin *inputs.Problem
}

// OptsIn tells whether there are any, so that they count and the label does not.
func (m *MachineOS) OptsIn() bool { return len(m.Configs) > 0 || m.Unseen }

// object names the MachineOSConfig in a message.
func (m *MachineOS) object() string {
	if len(m.Configs) == 0 {
		return "its MachineOSConfig"
	}
	return inputs.MachineOSConfigObject(m.Configs[0])
}

// Settings is what matters of the ConfigMap.
type Settings struct {
	Exists   bool
	Values   inputs.Settings
	Problems []inputs.Problem
	// Version tells the ConfigMap's contents apart.
	Version string
}

// RenderedConfig is what matters of the MachineConfig that the pool wants.
type RenderedConfig struct {
	Exists     bool
	Generation int64
	OSImageURL string
	// ExtensionsImage, KernelType, Extensions and KernelArguments are the spec's.
	ExtensionsImage string
	KernelType      string
	Extensions      []string
	KernelArguments []string
	// Created is when the config was rendered, by the API server's clock.
	Created time.Time
	// Problem is what reading this version's content found that cannot be built.
	Problem *inputs.Problem
	// Warning says what of it looks like a credential, and Refusal the same where
	// that is not to be built.
	Warning string
	Refusal *inputs.Problem
}

// ControllerConfig is what matters of the ControllerConfig.
type ControllerConfig struct {
	Exists               bool
	BaseOSContainerImage string
	ExtensionsImage      string
	// TrustBundle is the checked additional trust bundle, or TrustProblem says what
	// is wrong with it.
	TrustBundle     []byte
	TrustBundleHash string
	TrustProblem    *inputs.Problem
	Surroundings    Surroundings
}

// Surroundings are what builds run in: how they get out of the cluster, and whom they trust
// there. They do not decide what an image is.
type Surroundings struct {
	// Proxy may hold credentials.
	Proxy imagebuilder.Proxy
	// RegistryCAs are what nodes trust for single registries.
	RegistryCAs []imagebuilder.RegistryCA
	// Version tells surroundings apart; empty for none.
	Version string
}

// CustomContent is the administrators' Containerfile text for the pool.
type CustomContent struct {
	Value   inputs.Custom
	Problem *inputs.Problem
	// Version tells texts apart; empty for none.
	Version string
}

// Entitled is what is known of the objects with entitled content.
type Entitled struct {
	inputs.Entitled
	// RepositoryKeys are the keys of the ConfigMap with repositories.
	RepositoryKeys []string
	// Versions tells versions of the objects apart.
	Versions string
}

// Secret is what is known of a credential Secret that the settings name.
type Secret struct {
	Exists          bool
	ResourceVersion string
	// Inspected tells that the content of this version was read; Credentials
	// and Problem are its findings.
	Inspected   bool
	Credentials inputs.Credentials
	Problem     *inputs.Problem
}
