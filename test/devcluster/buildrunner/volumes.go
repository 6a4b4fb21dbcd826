package buildrunner

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
)

// Volume is an object that the steps of a build see as files below a path, and nothing else of the build does.
type Volume struct {
	Destination string
	Files       []SourceFile
}

// volumeSource is the object of a build volume. Its pod volume is none of those that sources share, so it has no surprises.
func volumeSource(volume buildv1.BuildVolume) source {
	if volume.Source.ConfigMap != nil {
		return source{kind: "configmap", name: volume.Source.ConfigMap.Name}
	}
	return source{kind: "secret", name: volume.Source.Secret.SecretName}
}

// unsupportedVolume names the first field of a volume that asks for more than an object as it is.
func unsupportedVolume(volumes []buildv1.BuildVolume) string {
	for _, volume := range volumes {
		secret, configMap := volume.Source.Secret, volume.Source.ConfigMap
		switch {
		case secret == nil && configMap == nil:
			return "dockerStrategy.volumes that are neither a Secret nor a ConfigMap"
		case secret != nil && len(secret.Items) > 0, configMap != nil && len(configMap.Items) > 0:
			return "dockerStrategy.volumes with items"
		case secret != nil && secret.Optional != nil, configMap != nil && configMap.Optional != nil:
			return "dockerStrategy.volumes with optional"
		}
	}
	return ""
}

// duplicateDestination names a path that two volumes go to. No container can have both.
func duplicateDestination(build *buildv1.Build) string {
	seen := map[string]bool{}
	for _, volume := range build.Spec.Strategy.DockerStrategy.Volumes {
		for _, mount := range volume.Mounts {
			destination := filepath.Clean(mount.DestinationPath)
			if seen[destination] {
				return destination
			}
			seen[destination] = true
		}
	}
	return ""
}

// collectVolumes reads the build volumes.
func (r *Runner) collectVolumes(ctx context.Context, build *buildv1.Build) ([]Volume, error) {
	var volumes []Volume
	for _, volume := range build.Spec.Strategy.DockerStrategy.Volumes {
		source := volumeSource(volume)
		data, err := r.readSource(ctx, build.Namespace, source)
		if err != nil {
			return nil, fmt.Errorf("could not mount %s: %w", source, err)
		}
		var files []SourceFile
		for _, key := range slices.Sorted(maps.Keys(data)) {
			files = append(files, SourceFile{Path: key, Data: data[key]})
		}
		for _, mount := range volume.Mounts {
			volumes = append(volumes, Volume{Destination: mount.DestinationPath, Files: files})
		}
	}
	return volumes, nil
}

// writeVolumes writes the files of volumes, and gives the arguments that have buildah mount them. The directory that a volume is
// mounted on stays in the image, if it was not there; what is in the volume does not.
func writeVolumes(dir string, volumes []Volume) ([]string, error) {
	var args []string
	for i, volume := range volumes {
		from := filepath.Join(dir, strconv.Itoa(i))
		if err := os.MkdirAll(from, 0o755); err != nil {
			return nil, fmt.Errorf("could not make volume for %s: %w", volume.Destination, err)
		}
		for _, file := range volume.Files {
			// A key of an object is a name without a slash; the base is taken for the eye of the reader.
			if err := os.WriteFile(filepath.Join(from, filepath.Base(file.Path)), file.Data, 0o644); err != nil {
				return nil, fmt.Errorf("could not write volume for %s: %w", volume.Destination, err)
			}
		}
		args = append(args, "--volume", strings.Join([]string{from, volume.Destination, "ro"}, ":"))
	}
	return args, nil
}
