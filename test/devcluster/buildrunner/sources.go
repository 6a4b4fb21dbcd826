package buildrunner

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	buildv1 "github.com/openshift/api/build/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// source is one Secret or ConfigMap source of a Build.
type source struct {
	kind string
	name string
	dir  string
}

func (s source) String() string { return fmt.Sprintf("%s %q", s.kind, s.name) }

// volume is the name of the pod volume that a source is read from. It leaves out the kind and turns dots into dashes, so different
// sources can share one; the first to claim it decides its content.
func (s source) volume() string { return strings.ReplaceAll(s.name, ".", "-") + "-build" }

// sourcesOf lists the sources in the order in which they are mounted and copied: all Secrets, then all ConfigMaps.
func sourcesOf(build *buildv1.Build) []source {
	var sources []source
	for _, secret := range build.Spec.Source.Secrets {
		sources = append(sources, source{kind: "secret", name: secret.Secret.Name, dir: secret.DestinationDir})
	}
	for _, configMap := range build.Spec.Source.ConfigMaps {
		sources = append(sources, source{kind: "configmap", name: configMap.ConfigMap.Name, dir: configMap.DestinationDir})
	}
	return sources
}

// duplicateSource names a source that is listed twice. The paths are per kind and name, so no pod can have both.
func duplicateSource(build *buildv1.Build) string {
	seen := map[string]bool{}
	for _, source := range sourcesOf(build) {
		if seen[source.String()] {
			return source.String()
		}
		seen[source.String()] = true
	}
	return ""
}

// unsupportedField names the first field that asks for something this package does not imitate.
func unsupportedField(build *buildv1.Build) string {
	spec := build.Spec
	switch {
	case spec.Strategy.DockerStrategy == nil:
		return "strategies other than docker"
	case spec.Source.Git != nil:
		return "source.git"
	case spec.Source.Binary != nil:
		return "source.binary"
	case len(spec.Source.Images) > 0:
		return "source.images"
	case spec.Source.Dockerfile == nil:
		return "builds without source.dockerfile"
	case spec.Strategy.DockerStrategy.DockerfilePath != "":
		return "dockerStrategy.dockerfilePath"
	case unsupportedVolume(spec.Strategy.DockerStrategy.Volumes) != "":
		return unsupportedVolume(spec.Strategy.DockerStrategy.Volumes)
	case spec.Strategy.DockerStrategy.From != nil && spec.Strategy.DockerStrategy.From.Kind != "DockerImage":
		return "dockerStrategy.from of a kind other than DockerImage"
	case spec.PostCommit.Script != "" || len(spec.PostCommit.Command) > 0 || len(spec.PostCommit.Args) > 0:
		return "postCommit"
	default:
		return ""
	}
}

// missingSources names the sources and volumes that do not exist.
func (r *Runner) missingSources(ctx context.Context, build *buildv1.Build) ([]string, error) {
	var missing []string
	wanted := sourcesOf(build)
	for _, volume := range build.Spec.Strategy.DockerStrategy.Volumes {
		wanted = append(wanted, volumeSource(volume))
	}
	for _, source := range wanted {
		_, err := r.readSource(ctx, build.Namespace, source)
		if apierrors.IsNotFound(err) {
			missing = append(missing, source.String())
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("could not get %s: %w", source, err)
		}
	}
	return missing, nil
}

// collectSources reads the files of all sources as the pod would see them.
func (r *Runner) collectSources(ctx context.Context, build *buildv1.Build) ([]SourceFile, error) {
	volumes := map[string]map[string][]byte{}
	var files []SourceFile
	for _, source := range sourcesOf(build) {
		data, mounted := volumes[source.volume()]
		if !mounted {
			var err error
			if data, err = r.readSource(ctx, build.Namespace, source); err != nil {
				return nil, fmt.Errorf("could not mount %s: %w", source, err)
			}
			volumes[source.volume()] = data
		}
		keys := make([]string, 0, len(data))
		for key := range data {
			if !strings.HasPrefix(key, "..") {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			files = append(files, SourceFile{Path: path.Join(source.dir, key), Data: data[key]})
		}
	}
	return files, nil
}

func (r *Runner) readSource(ctx context.Context, namespace string, source source) (map[string][]byte, error) {
	if source.kind == "secret" {
		secret, err := r.kubeClient.CoreV1().Secrets(namespace).Get(ctx, source.name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return secret.Data, nil
	}
	configMap, err := r.kubeClient.CoreV1().ConfigMaps(namespace).Get(ctx, source.name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	for key, value := range configMap.Data {
		data[key] = []byte(value)
	}
	for key, value := range configMap.BinaryData {
		data[key] = value
	}
	return data, nil
}

// optionalSecret reads the Secret a reference names, if there is a reference.
func (r *Runner) optionalSecret(ctx context.Context, namespace string, reference *corev1.LocalObjectReference) (map[string][]byte, error) {
	if reference == nil {
		return nil, nil
	}
	return r.readSource(ctx, namespace, source{kind: "secret", name: reference.Name})
}
