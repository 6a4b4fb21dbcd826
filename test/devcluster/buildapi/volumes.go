package buildapi

import (
	"path"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateVolumes does not look for names or paths that are there twice: the real API does not, and it goes wrong later.
func validateVolumes(volumes []buildv1.BuildVolume, at *field.Path) field.ErrorList {
	var problems field.ErrorList
	for i, volume := range volumes {
		at := at.Index(i)
		for _, problem := range validation.IsDNS1123Label(volume.Name) {
			problems = append(problems, field.Invalid(at.Child("name"), volume.Name, problem))
		}
		problems = append(problems, validateVolumeSource(&volume.Source, at.Child("source"))...)
		if len(volume.Mounts) == 0 {
			problems = append(problems, field.Required(at.Child("mounts"), "at least one mount"))
		}
		for j, mount := range volume.Mounts {
			at, p := at.Child("mounts").Index(j).Child("destinationPath"), mount.DestinationPath
			switch {
			case p == "":
				problems = append(problems, field.Required(at, ""))
			case !path.IsAbs(p) || strings.HasPrefix(path.Clean(p), ".."):
				problems = append(problems, field.Invalid(at, p, "must be an absolute path"))
			case strings.Contains(p, ":"):
				problems = append(problems, field.Invalid(at, p, "must not contain ':'"))
			}
		}
	}
	return problems
}

// validateVolumeSource wants exactly the source that the type names.
func validateVolumeSource(source *buildv1.BuildVolumeSource, at *field.Path) field.ErrorList {
	var problems field.ErrorList
	given := 0
	for kind, name := range map[buildv1.BuildVolumeSourceType]*string{
		buildv1.BuildVolumeSourceTypeSecret: secretName(source), buildv1.BuildVolumeSourceTypeConfigMap: configMapName(source),
		buildv1.BuildVolumeSourceTypeCSI: csiDriver(source),
	} {
		if name == nil {
			continue
		}
		given++
		if source.Type != kind {
			problems = append(problems, field.Invalid(at.Child("type"), source.Type, "must be "+string(kind)))
		}
		if *name == "" {
			problems = append(problems, field.Required(at.Child("name"), ""))
		}
	}
	if given != 1 {
		problems = append(problems, field.Invalid(at, given, "must have exactly one source"))
	}
	return problems
}

func secretName(source *buildv1.BuildVolumeSource) *string {
	if source.Secret == nil {
		return nil
	}
	return &source.Secret.SecretName
}

func configMapName(source *buildv1.BuildVolumeSource) *string {
	if source.ConfigMap == nil {
		return nil
	}
	return &source.ConfigMap.Name
}

func csiDriver(source *buildv1.BuildVolumeSource) *string {
	if source.CSI == nil {
		return nil
	}
	return &source.CSI.Driver
}
