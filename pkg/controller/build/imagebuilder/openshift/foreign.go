package openshift

import (
	"fmt"
	"path"
	"slices"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// What of a Build decides what is in the image, or where it goes, is compared with what
// newBuild writes. All else is the cluster's: its defaults and its admission add resources,
// node selectors, proxies, labels of the image, a service account, a deadline.

// foreignIn says what of a Build is not as in any that newBuild makes; empty for nothing.
func foreignIn(build *buildv1.Build) string {
	for _, find := range []func(*buildv1.Build) string{foreignStrategy, foreignSource, foreignSecrets, foreignValues, foreignVolumes, foreignOutput} {
		if what := find(build); what != "" {
			return what
		}
	}
	return ""
}

func foreignStrategy(build *buildv1.Build) string {
	s := build.Spec.Strategy
	switch {
	case s.DockerStrategy == nil || s.SourceStrategy != nil || s.CustomStrategy != nil || s.JenkinsPipelineStrategy != nil:
		return "spec.strategy is not that of a Containerfile"
	case s.DockerStrategy.From != nil:
		return fmt.Sprintf("spec.strategy.dockerStrategy.from builds on %.200q in place of the Containerfile's image", s.DockerStrategy.From.Name)
	case s.DockerStrategy.DockerfilePath != "" && path.Clean(s.DockerStrategy.DockerfilePath) != containerfileKey:
		return fmt.Sprintf("spec.strategy.dockerStrategy.dockerfilePath is %.200q", s.DockerStrategy.DockerfilePath)
	}
	return ""
}

func foreignSource(build *buildv1.Build) string {
	s := build.Spec.Source
	switch {
	case s.Git != nil:
		return "spec.source.git is set"
	case s.Binary != nil:
		return "spec.source.binary is set"
	case len(s.Images) > 0:
		return "spec.source.images is set"
	case len(s.ConfigMaps) > 0:
		return fmt.Sprintf("spec.source.configMaps has %.200q", s.ConfigMaps[0].ConfigMap.Name)
	case s.ContextDir != "" && path.Clean(s.ContextDir) != ".":
		return fmt.Sprintf("spec.source.contextDir is %.200q", s.ContextDir)
	case s.Dockerfile == nil:
		return "spec.source.dockerfile is not set"
	case containerfileOf(build) == "" && len(s.Secrets) == 0:
		return "spec.source.dockerfile is empty of instructions, and no input takes its place"
	}
	return ""
}

// foreignSecrets looks for inputs that are not the Build's own. Whatever has the name of an
// input takes its place, so names are all there is to compare here.
func foreignSecrets(build *buildv1.Build) string {
	for i, source := range build.Spec.Source.Secrets {
		if source.Secret.Name != owned.InputName(build.Name, i) || source.DestinationDir != "" && path.Clean(source.DestinationDir) != "." {
			return fmt.Sprintf("spec.source.secrets has %.200q, which is no input of it", source.Secret.Name)
		}
	}
	return ""
}

// harmless are the variables that a cluster may add: they say how to get out of it, what to
// log, and in which language.
var harmless = []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY", "BUILD_LOGLEVEL", "LANG", "TZ"}

func foreignValues(build *buildv1.Build) string {
	s := build.Spec.Strategy.DockerStrategy
	for _, list := range []struct {
		field  string
		values []corev1.EnvVar
	}{{"env", s.Env}, {"buildArgs", s.BuildArgs}} {
		for _, value := range list.values {
			if !slices.Contains(harmless, strings.ToUpper(value.Name)) {
				return fmt.Sprintf("spec.strategy.dockerStrategy.%s has %.200q", list.field, value.Name)
			}
		}
	}
	if hook := build.Spec.PostCommit; hook.Script != "" || len(hook.Command)+len(hook.Args) > 0 {
		return "spec.postCommit is set"
	}
	return ""
}

// foreignVolumes looks for volumes that no build of ours has. Which of them one has depends
// on what existed when it was made.
func foreignVolumes(build *buildv1.Build) string {
	var all []imagebuilder.Volume
	for _, v := range (inputs.Entitled{Entitlement: true, Repositories: true, SigningKeys: true}).Volumes() {
		all = append(all, imagebuilder.Volume(v))
	}
	known := buildVolumes(all)
	for _, volume := range build.Spec.Strategy.DockerStrategy.Volumes {
		volume = *volume.DeepCopy()
		// The API server fills in the mode of files.
		if secret := volume.Source.Secret; secret != nil {
			secret.DefaultMode = nil
		}
		if configMap := volume.Source.ConfigMap; configMap != nil {
			configMap.DefaultMode = nil
		}
		if !slices.ContainsFunc(known, func(k buildv1.BuildVolume) bool { return equality.Semantic.DeepEqual(k, volume) }) {
			return fmt.Sprintf("spec.strategy.dockerStrategy.volumes has %.200q", volume.Name)
		}
	}
	return ""
}

func foreignOutput(build *buildv1.Build) string {
	switch to := build.Spec.Output.To; {
	case to == nil:
		return "spec.output.to is not set"
	case to.Kind != outputKind || to.Namespace != "":
		return fmt.Sprintf("spec.output.to is the %.200s %.200q", to.Kind, to.Name)
	}
	return ""
}

func outputOf(build *buildv1.Build) string {
	if build.Spec.Output.To == nil {
		return ""
	}
	return build.Spec.Output.To.Name
}

// containerfileOf is the hash of the inline Containerfile; empty for one that is an input.
func containerfileOf(build *buildv1.Build) string {
	text := build.Spec.Source.Dockerfile
	if text == nil || isStub(*text) {
		return ""
	}
	hash := imagebuilder.ContainerfileHash(*text)
	if stripped.MatchString(*text) {
		hash = strings.TrimPrefix(*text, strippedPrefix)
	}
	if hash == imagebuilder.ContainerfileHash(stubEnd) {
		return ""
	}
	return hash
}

// differs says what of an existing Build, as Strip leaves it, is another than in the one
// that is to be made; empty for nothing.
func differs(existing, wanted *buildv1.Build) string {
	if what := foreignIn(existing); what != "" {
		return what
	}
	switch {
	case outputOf(existing) != outputOf(wanted):
		return fmt.Sprintf("spec.output.to is %.200q, and not %q", outputOf(existing), outputOf(wanted))
	case containerfileOf(existing) != containerfileOf(wanted) || containerfileOf(wanted) == "" && !sameStub(existing, wanted):
		return "spec.source.dockerfile is another Containerfile"
	case len(existing.Spec.Source.Secrets) != len(wanted.Spec.Source.Secrets):
		return fmt.Sprintf("spec.source.secrets has %d inputs, and not %d", len(existing.Spec.Source.Secrets), len(wanted.Spec.Source.Secrets))
	}
	return ""
}

// sameStub tells of Builds that pull the same ahead.
func sameStub(existing, wanted *buildv1.Build) bool {
	return ptr.Deref(existing.Spec.Source.Dockerfile, "") == ptr.Deref(wanted.Spec.Source.Dockerfile, "")
}

// asCached is a Build from the API in the form in which a cache has it. What looks as if it
// were in that form already is what somebody wrote.
func asCached(build *buildv1.Build) *buildv1.Build {
	build = build.DeepCopy()
	if text := build.Spec.Source.Dockerfile; text != nil && !isStub(*text) {
		*text = strippedPrefix + imagebuilder.ContainerfileHash(*text)
	}
	return build
}
