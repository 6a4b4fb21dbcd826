package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// Hold is why a build that is due cannot start yet. The message names the
// object whose change wakes the controller up.
type Hold struct {
	Reason  string
	Message string
}

// check finds a reason to hold, or nil. Checks run in order and the first
// finding counts, so each may rely on those before it.
type check struct {
	name string
	find func(*Snapshot) *Hold
}

func hold(reason, format string, args ...any) *Hold {
	return &Hold{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// identityChecks are what has to hold for it to be known what to build.
var identityChecks = []check{
	{"one MachineOSConfig opts the pool in", func(s *Snapshot) *Hold {
		if len(s.MachineOS.Configs) > 1 {
			return hold(ledger.ReasonSeveralMachineOSConfigs, "MachineOSConfigs %.1000s refer to MachineConfigPool %s (spec.machineConfigPool.name), and only one may; delete the others",
				strings.Join(s.MachineOS.Configs, ", "), s.Pool.Name)
		}
		return nil
	}},
	{"MachineOSConfigs can be read", func(s *Snapshot) *Hold {
		if s.MachineOS.OptsIn() && s.MachineOS.Refused {
			return hold(ledger.ReasonRequestRefused, "%s", s.MachineOS.Problem)
		}
		return nil
	}},
	{"nobody else builds", func(s *Snapshot) *Hold {
		if s.MachineOS.OptsIn() && s.MachineOS.Problem != "" {
			return hold(ledger.ReasonOtherBuilder, "%s", s.MachineOS.Problem)
		}
		return nil
	}},
	{"the image to begin with is one", func(s *Snapshot) *Hold {
		if s.MachineOS.SeedProblem != nil {
			return hold(ledger.ReasonMachineOSConfigInvalid, "%s", s.MachineOS.SeedProblem)
		}
		return nil
	}},
	{"a config is wanted", func(s *Snapshot) *Hold {
		if s.Pool.WantedConfig == "" {
			return hold(ledger.ReasonNoRenderedConfig, "MachineConfigPool %s has no rendered config yet (spec.configuration.name is empty); the build starts when the render controller sets it", s.Pool.Name)
		}
		return nil
	}},
	{"the config exists", func(s *Snapshot) *Hold {
		if !s.Config.Exists {
			return hold(ledger.ReasonRenderedConfigMissing, "%s, which the pool's spec.configuration.name asks for, does not exist; the build starts when it does", inputs.MachineConfigObject(s.Pool.WantedConfig))
		}
		return nil
	}},
	{"the ConfigMap exists", func(s *Snapshot) *Hold {
		if !s.Settings.Exists {
			return hold(ledger.ReasonConfigMapMissing, "%s does not exist; create it with the keys %s, %s and %s", inputs.ConfigMapObject,
				constants.BaseImagePullSecretKey, constants.FinalImagePushSecretKey, constants.FinalImagePullspecKey)
		}
		return nil
	}},
	{"the ConfigMap is valid", func(s *Snapshot) *Hold {
		if len(s.Settings.Problems) > 0 {
			return hold(invalidSettings(s.Settings.Problems), "%s", inputs.JoinProblems(s.Settings.Problems))
		}
		return nil
	}},
	{"the packages are known", func(s *Snapshot) *Hold {
		if _, problems := s.packages(); len(problems) > 0 {
			return hold(ledger.ReasonRenderedConfigInvalid, "%s", inputs.JoinProblems(problems))
		}
		return nil
	}},
	{"the packages have a source", func(s *Snapshot) *Hold {
		if _, problem := s.extensionsImage(); problem != nil {
			return hold(ledger.ReasonExtensionsImageInvalid, "%s", problem)
		}
		return nil
	}},
	{"the trust bundle is valid", func(s *Snapshot) *Hold {
		if s.ControllerConfig.TrustProblem != nil {
			return hold(ledger.ReasonTrustBundleInvalid, "%s", s.ControllerConfig.TrustProblem)
		}
		return nil
	}},
	{"the custom content is valid", func(s *Snapshot) *Hold {
		if s.Custom.Problem != nil {
			return hold(ledger.ReasonCustomContentInvalid, "%s", s.Custom.Problem)
		}
		return nil
	}},
	{"a base image is known", func(s *Snapshot) *Hold {
		if s.Config.OSImageURL != "" || s.ControllerConfig.BaseOSContainerImage != "" {
			return nil
		}
		if !s.ControllerConfig.Exists {
			return hold(ledger.ReasonControllerConfigMissing, "%s names no base image (spec.osImageURL), and %s, which would, does not exist",
				inputs.MachineConfigObject(s.Pool.WantedConfig), inputs.ControllerConfigObject)
		}
		return hold(ledger.ReasonBaseImageUnknown, "neither %s, key spec.osImageURL, nor %s, key spec.baseOSContainerImage, names a base image",
			inputs.MachineConfigObject(s.Pool.WantedConfig), inputs.ControllerConfigObject)
	}},
	{"the base image is valid", func(s *Snapshot) *Hold {
		pullspec, origin := s.baseImage()
		if _, err := s.parsedBase(); err != nil {
			return hold(ledger.ReasonBaseImageInvalid, "%s: the base image %.200q %v", origin, pullspec, err)
		}
		return nil
	}},
}

// startChecks are what has to hold, besides, for a build to be worth starting.
var startChecks = []check{
	{"the pool renders", func(s *Snapshot) *Hold {
		if s.Pool.RenderDegraded {
			return hold(ledger.ReasonRenderDegraded, "MachineConfigPool %s is RenderDegraded, so %s may be stale; the build starts when the config renders again", s.Pool.Name, s.Pool.WantedConfig)
		}
		return nil
	}},
	{"the pool is not paused", func(s *Snapshot) *Hold {
		if s.Pool.Paused && !s.MachineOS.OptsIn() {
			return hold(ledger.ReasonPoolPaused, "MachineConfigPool %s is paused (spec.paused); the build of %s starts when it is not", s.Pool.Name, s.Pool.WantedConfig)
		}
		return nil
	}},
	{"the backend answers", func(s *Snapshot) *Hold {
		return s.unavailable()
	}},
	{"there is a builder image", func(s *Snapshot) *Hold {
		if s.Settings.Values.Backend == constants.BackendJob && s.Settings.Values.Workload.Image == "" {
			return hold(ledger.ReasonBuilderImageUnknown, "%s, key %s, names no image with buildah, and %s, which would, %s; set the key%s",
				inputs.ConfigMapObject, constants.JobBuilderImageKey, inputs.OperatorImagesObject, s.NoBuilderImage, s.otherBackend())
		}
		return nil
	}},
	{"the config can be built from", func(s *Snapshot) *Hold {
		if s.Config.Problem != nil {
			return hold(ledger.ReasonRenderedConfigInvalid, "%s", s.Config.Problem)
		}
		return nil
	}},
	{"the config holds no credentials", func(s *Snapshot) *Hold {
		if s.Settings.Values.RejectCredentials && s.Config.Refusal != nil {
			return hold(ledger.ReasonCredentialsInConfig, "%s", s.Config.Refusal)
		}
		return nil
	}},
	{"the packages can be found", func(s *Snapshot) *Hold {
		packages, _ := s.packages()
		if problem := s.Entitled.CheckRepositories(packages, s.Entitled.RepositoryKeys); problem != nil {
			return hold(ledger.ReasonRepositoriesInvalid, "%s", problem)
		}
		return nil
	}},
	{"the push secret is usable", func(s *Snapshot) *Hold {
		return checkSecret(s.PushSecret, s.Settings.Values.FinalImagePushSecret, s.Settings.Values.PlaceOf(constants.FinalImagePushSecretKey))
	}},
	{"the push secret covers the target", func(s *Snapshot) *Hold {
		problem, _ := s.pushLogin()
		return invalidSecret(problem)
	}},
	{"the pull secret is usable", func(s *Snapshot) *Hold {
		if s.Settings.Values.BaseImagePullSecret == "" {
			return nil
		}
		return checkSecret(s.PullSecret, s.Settings.Values.BaseImagePullSecret, s.Settings.Values.PlaceOf(constants.BaseImagePullSecretKey))
	}},
	{"the pull secret is not in the way", func(s *Snapshot) *Hold {
		problem, _ := s.pullLogin()
		return invalidSecret(problem)
	}},
}

// unavailable holds what the backend would build; where that needs what a cluster may be
// without, it says what does not.
func (s *Snapshot) unavailable() *Hold {
	switch {
	case s.BuilderProblem == "":
		return nil
	case s.Settings.Values.Backend == constants.BackendOpenShiftBuild:
		return hold(ledger.ReasonBuilderUnavailable, "%s; or set %s, key %s, to %s, which needs no such API", s.BuilderProblem, inputs.ConfigMapObject, constants.ImageBuilderKey, constants.BackendJob)
	}
	return hold(ledger.ReasonBuilderUnavailable, "%s", s.BuilderProblem)
}

// pushLogin is what is wrong, or may be, with the login to push with.
func (s *Snapshot) pushLogin() (problem, warning *inputs.Problem) {
	if !s.PushSecret.Inspected || s.PushSecret.Problem != nil {
		return nil, nil
	}
	return s.PushSecret.Credentials.CheckPush(s.Settings.Values.FinalImageRepository, s.Settings.Values.PlaceOf(constants.FinalImagePullspecKey))
}

// pullLogin is what is wrong, or may be, with the login to pull with.
func (s *Snapshot) pullLogin() (problem, warning *inputs.Problem) {
	if s.Settings.Values.BaseImagePullSecret == "" || !s.PullSecret.Inspected || s.PullSecret.Problem != nil {
		return nil, nil
	}
	base, err := s.parsedBase()
	if err != nil {
		return nil, nil
	}
	return s.PullSecret.Credentials.CheckPull(base)
}

// Warning is what may be a mistake and keeps nothing from being built; empty for nothing.
func (s *Snapshot) Warning() string { return strings.Join(s.Warnings(), "; ") }

// Warnings are those that Warning has in one, each with the object that it is about.
func (s *Snapshot) Warnings() (texts []string) {
	if s.Config.Warning != "" {
		texts = append(texts, s.Config.Warning)
	}
	_, push := s.pushLogin()
	_, pull := s.pullLogin()
	for _, warning := range []*inputs.Problem{push, pull, s.MachineOS.Unused, s.MachineOS.NodeLogin} {
		if warning != nil && !slices.Contains(texts, warning.String()) {
			texts = append(texts, warning.String())
		}
	}
	return texts
}

func invalidSecret(problem *inputs.Problem) *Hold {
	if problem == nil {
		return nil
	}
	return hold(ledger.ReasonSecretInvalid, "%s", problem)
}

// otherBackend is the way out of what a backend lacks, where there is another one.
func (s *Snapshot) otherBackend() string {
	if s.MachineOS.OptsIn() {
		return ""
	}
	return ", or leave " + constants.ImageBuilderKey + " out to build with OpenShift Builds"
}

// invalidSettings is the reason of a hold for what is wrong with them.
func invalidSettings(problems []inputs.Problem) string {
	switch p := &problems[0]; {
	case !p.Field:
		return ledger.ReasonConfigMapInvalid
	case p.Key == inputs.FieldPushSpec:
		return ledger.ReasonPushSpecInvalid
	case p.Key == inputs.FieldBuilderType:
		return ledger.ReasonBuilderTypeUnknown
	}
	return ledger.ReasonMachineOSConfigInvalid
}

func checkSecret(secret Secret, name string, named inputs.Place) *Hold {
	if !secret.Exists {
		return hold(ledger.ReasonSecretMissing, "%s, which %s, names, does not exist; the build starts when it does",
			inputs.SecretObject(name), named)
	}
	return invalidSecret(secret.Problem)
}

func firstHold(checks []check, s *Snapshot) *Hold {
	for _, c := range checks {
		if h := c.find(s); h != nil {
			return h
		}
	}
	return nil
}

// baseImage is the pullspec to build on as it was written, and who wrote it.
func (s *Snapshot) baseImage() (pullspec, origin string) {
	if s.Config.OSImageURL != "" {
		return s.Config.OSImageURL, inputs.MachineConfigObject(s.Pool.WantedConfig) + ", key spec.osImageURL"
	}
	return s.ControllerConfig.BaseOSContainerImage, inputs.ControllerConfigObject + ", key spec.baseOSContainerImage"
}

// parsedImage is what inputs.ParseBaseImage returned of a pullspec.
type parsedImage struct {
	pullspec, image string
	err             error
}

// parsedBase is the base image to build from. Its grammar is the most expensive thing in a plan,
// and several ask for it.
func (s *Snapshot) parsedBase() (string, error) {
	if pullspec, _ := s.baseImage(); s.base.pullspec != pullspec || pullspec == "" {
		s.base.pullspec = pullspec
		s.base.image, s.base.err = inputs.ParseBaseImage(pullspec)
	}
	return s.base.image, s.base.err
}

// identity is what to build; the identity checks have passed.
func (s *Snapshot) identity() inputs.Identity {
	// Its error was a finding of the checks.
	base, _ := s.parsedBase()
	packages, _ := s.packages()
	extensions, _ := s.extensionsImage()
	return inputs.Identity{
		Pool:                     s.Pool.Name,
		RenderedConfig:           s.Pool.WantedConfig,
		RenderedConfigGeneration: s.Config.Generation,
		BaseImage:                base,
		ExtensionsImage:          extensions,
		Packages:                 packages,
		TrustBundleHash:          s.ControllerConfig.TrustBundleHash,
		Custom:                   s.Custom.Value,
		Repository:               s.Settings.Values.FinalImageRepository,
		Backend:                  s.Settings.Values.Backend,
		Tag:                      s.MachineOS.Build,
		Source:                   s.MachineOS.Source,
		KernelArguments:          s.Config.KernelArguments,
	}
}

func (s *Snapshot) packages() (inputs.Packages, []inputs.Problem) {
	return inputs.ParsePackages(s.Pool.WantedConfig, s.Config.KernelType, s.Config.Extensions)
}

func (s *Snapshot) extensionsImage() (string, *inputs.Problem) {
	// Problems with the packages were findings of the check before.
	packages, _ := s.packages()
	return inputs.ChooseExtensionsImage(s.Pool.WantedConfig, s.Config.ExtensionsImage, s.ControllerConfig.ExtensionsImage, packages)
}

// versions identify the settings and credentials that a build would use now.
func (s *Snapshot) versions() ledger.Versions {
	versions := ledger.Versions{
		Settings: s.Settings.Version, Push: s.PushSecret.ResourceVersion, Entitled: s.Entitled.Versions,
		Surroundings: s.ControllerConfig.Surroundings.Version,
	}
	if s.Settings.Values.BaseImagePullSecret != "" {
		versions.Pull = s.PullSecret.ResourceVersion
	}
	return versions
}
