package buildapi

import (
	"path"
	"strings"

	"github.com/distribution/reference"
	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxDockerfileBytes counts bytes, not characters.
const maxDockerfileBytes = 60000

func validate(build *buildv1.Build) field.ErrorList {
	spec := field.NewPath("spec")
	problems := validateStrategy(&build.Spec, spec)
	problems = append(problems, validateSource(&build.Spec.Source, spec.Child("source"))...)
	problems = append(problems, validateOutput(&build.Spec.Output, spec.Child("output"))...)
	if seconds := build.Spec.CompletionDeadlineSeconds; seconds != nil && *seconds <= 0 {
		problems = append(problems, field.Invalid(spec.Child("completionDeadlineSeconds"), *seconds, "must be greater than 0"))
	}
	return problems
}

func validateUpdate(build, old *buildv1.Build) field.ErrorList {
	var problems field.ErrorList
	if !sameSpec(build, old) {
		problems = append(problems, field.Invalid(field.NewPath("spec"), "content of spec is not printed out, please refer to the \"details\"",
			"spec is immutable"))
	}
	if isTerminal(old.Status.Phase) && build.Status.Phase != old.Status.Phase {
		problems = append(problems, field.Invalid(field.NewPath("status", "phase"), build.Status.Phase,
			"phase cannot be updated from a terminal state"))
	}
	return problems
}

// sameSpec does not mind the push secret, which OpenShift's build controller fills in.
func sameSpec(a, b *buildv1.Build) bool {
	specA, specB := a.Spec.DeepCopy(), b.Spec.DeepCopy()
	specA.Output.PushSecret, specB.Output.PushSecret = nil, nil
	return equality.Semantic.DeepEqual(specA, specB)
}

func isTerminal(phase buildv1.BuildPhase) bool {
	switch phase {
	case buildv1.BuildPhaseNew, buildv1.BuildPhasePending, buildv1.BuildPhaseRunning:
		return false
	default:
		return true
	}
}

func validateStrategy(spec *buildv1.BuildSpec, specPath *field.Path) field.ErrorList {
	strategy, at := &spec.Strategy, specPath.Child("strategy")
	var problems field.ErrorList
	given := 0
	for _, present := range []bool{
		strategy.DockerStrategy != nil, strategy.SourceStrategy != nil, strategy.CustomStrategy != nil, strategy.JenkinsPipelineStrategy != nil,
	} {
		if present {
			given++
		}
	}
	if given != 1 {
		problems = append(problems, field.Invalid(at, given, "must provide a value for exactly one of sourceStrategy, customStrategy, "+
			"dockerStrategy, or jenkinsPipelineStrategy"))
	}
	docker := strategy.DockerStrategy
	if docker == nil {
		return problems
	}
	at = at.Child("dockerStrategy")
	if source := &spec.Source; source.Type == buildv1.BuildSourceNone {
		problems = append(problems, field.Invalid(specPath.Child("source"), "",
			"must provide a value for at least one of source, binary, images, or dockerfile"))
	}
	problems = append(problems, validateImage(docker.From, at.Child("from"))...)
	problems = append(problems, validateSecret(docker.PullSecret, at.Child("pullSecret"))...)
	for i, env := range docker.Env {
		for _, problem := range validation.IsEnvVarName(env.Name) {
			problems = append(problems, field.Invalid(at.Child("env").Index(i).Child("name"), env.Name, problem))
		}
	}
	if p := docker.DockerfilePath; leavesContext(p) {
		problems = append(problems, field.Invalid(at.Child("dockerfilePath"), p, "must be a relative path inside the build context"))
	}
	problems = append(problems, validateVolumes(docker.Volumes, at.Child("volumes"))...)
	if policy := docker.ImageOptimizationPolicy; policy != nil {
		switch *policy {
		case buildv1.ImageOptimizationNone, buildv1.ImageOptimizationSkipLayers, buildv1.ImageOptimizationSkipLayersAndWarn:
		default:
			problems = append(problems, field.Invalid(at.Child("imageOptimizationPolicy"), *policy, "unknown policy"))
		}
	}
	return problems
}

func validateSource(source *buildv1.BuildSource, at *field.Path) field.ErrorList {
	var problems field.ErrorList
	if source.Dockerfile != nil && len(*source.Dockerfile) > maxDockerfileBytes {
		problems = append(problems, field.TooLong(at.Child("dockerfile"), "", maxDockerfileBytes))
	}
	if strings.HasPrefix(path.Clean(source.ContextDir), "..") {
		problems = append(problems, field.Invalid(at.Child("contextDir"), source.ContextDir, "context dir must not be a relative path"))
	}
	for i, secret := range source.Secrets {
		problems = append(problems, validateFiles(secret.Secret.Name, "secret", secret.DestinationDir, at.Child("secrets").Index(i))...)
	}
	for i, configMap := range source.ConfigMaps {
		problems = append(problems, validateFiles(configMap.ConfigMap.Name, "configMap", configMap.DestinationDir, at.Child("configMaps").Index(i))...)
	}
	return problems
}

// validateFiles checks a Secret or ConfigMap that is copied into the build context. The object need not exist, and may be
// listed twice: what goes wrong then goes wrong later.
func validateFiles(name, objectField, dir string, at *field.Path) field.ErrorList {
	var problems field.ErrorList
	if name == "" {
		problems = append(problems, field.Required(at.Child(objectField, "name"), ""))
	} else {
		for _, problem := range validation.IsDNS1123Subdomain(name) {
			problems = append(problems, field.Invalid(at.Child(objectField, "name"), name, problem))
		}
	}
	if leavesContext(dir) {
		problems = append(problems, field.Invalid(at.Child("destinationDir"), dir, "must be a relative path inside the build context"))
	}
	return problems
}

func leavesContext(p string) bool {
	return p != "" && (path.IsAbs(p) || strings.HasPrefix(path.Clean(p), ".."))
}

func validateOutput(output *buildv1.BuildOutput, at *field.Path) field.ErrorList {
	problems := validateImage(output.To, at.Child("to"))
	problems = append(problems, validateSecret(output.PushSecret, at.Child("pushSecret"))...)
	seen := map[string]bool{}
	for i, label := range output.ImageLabels {
		labelPath := at.Child("imageLabels").Index(i).Child("name")
		if label.Name == "" {
			problems = append(problems, field.Required(labelPath, ""))
			continue
		}
		for _, problem := range validation.IsQualifiedName(label.Name) {
			problems = append(problems, field.Invalid(labelPath, label.Name, problem))
		}
		if seen[label.Name] {
			problems = append(problems, field.Duplicate(labelPath, label.Name))
		}
		seen[label.Name] = true
	}
	return problems
}

// validateSecret refuses a reference to nothing; no reference at all is fine.
func validateSecret(secret *corev1.LocalObjectReference, at *field.Path) field.ErrorList {
	if secret != nil && secret.Name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "")}
	}
	return nil
}

func validateImage(image *corev1.ObjectReference, at *field.Path) field.ErrorList {
	if image == nil {
		return nil
	}
	if image.Name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "")}
	}
	switch image.Kind {
	case kindDockerImage:
		var problems field.ErrorList
		if image.Namespace != "" {
			problems = append(problems, field.Invalid(at.Child("namespace"), image.Namespace, "namespace is not valid when used with a 'DockerImage'"))
		}
		if _, err := reference.Parse(image.Name); err != nil {
			problems = append(problems, field.Invalid(at.Child("name"), image.Name, "name is not a valid Docker pull specification: "+err.Error()))
		}
		return problems
	case kindImageStreamTag:
		if name, tag, ok := strings.Cut(image.Name, ":"); !ok || name == "" || tag == "" || strings.ContainsAny(image.Name, "/@") {
			return field.ErrorList{field.Invalid(at.Child("name"), image.Name, "ImageStreamTag object references must be in the form <name>:<tag>")}
		}
	case kindImageStreamImage:
		if name, id, ok := strings.Cut(image.Name, "@"); !ok || name == "" || id == "" {
			return field.ErrorList{field.Invalid(at.Child("name"), image.Name, "ImageStreamImage object references must be in the form <name>@<id>")}
		}
	default:
		return field.ErrorList{field.NotSupported(at.Child("kind"), image.Kind, []string{kindDockerImage, kindImageStreamTag, kindImageStreamImage})}
	}
	return nil
}
