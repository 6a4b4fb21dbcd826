package playednode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// obstacle is what keeps a container from being started.
type obstacle struct {
	state  corev1.ContainerState
	events []warning
	retry  time.Duration
}

type warning struct{ reason, message string }

// mount reads the volumes. A kubelet tells of one that cannot be read with an event alone.
func (w *worker) mount(ctx context.Context, files map[string][]byte) *obstacle {
	for _, volume := range w.pod.Spec.Volumes {
		content, err := w.read(ctx, volume.VolumeSource)
		if err != nil {
			message := fmt.Sprintf("MountVolume.SetUp failed for volume %q : %v", volume.Name, err)
			return &obstacle{state: waiting("ContainerCreating", ""), events: []warning{{"FailedMount", message}}}
		}
		for _, mount := range w.container.VolumeMounts {
			for name, data := range content {
				if mount.Name == volume.Name {
					files[path.Join(mount.MountPath, name)] = data
				}
			}
		}
	}
	return nil
}

// read gives the files of a volume, none for one that is empty.
func (w *worker) read(ctx context.Context, source corev1.VolumeSource) (map[string][]byte, error) {
	switch {
	case source.Secret != nil:
		return w.secret(ctx, source.Secret.SecretName, ptr.Deref(source.Secret.Optional, false))
	case source.ConfigMap != nil:
		return w.configMap(ctx, source.ConfigMap.Name, ptr.Deref(source.ConfigMap.Optional, false))
	case source.Projected != nil:
		all := map[string][]byte{}
		for _, one := range source.Projected.Sources {
			var content map[string][]byte
			var err error
			if one.Secret != nil {
				content, err = w.secret(ctx, one.Secret.Name, ptr.Deref(one.Secret.Optional, false))
			} else if one.ConfigMap != nil {
				content, err = w.configMap(ctx, one.ConfigMap.Name, ptr.Deref(one.ConfigMap.Optional, false))
			}
			if err != nil {
				return nil, err
			}
			for name, data := range content {
				all[name] = data
			}
		}
		return all, nil
	}
	return nil, nil
}

func (w *worker) secret(ctx context.Context, name string, optional bool) (map[string][]byte, error) {
	secret, err := w.node.client.CoreV1().Secrets(w.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if optional {
			return nil, nil
		}
		return nil, fmt.Errorf("secret %q not found", name)
	}
	if err != nil {
		return nil, err
	}
	return secret.Data, nil
}

func (w *worker) configMap(ctx context.Context, name string, optional bool) (map[string][]byte, error) {
	configMap, err := w.node.client.CoreV1().ConfigMaps(w.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if optional {
			return nil, nil
		}
		return nil, fmt.Errorf("configmap %q not found", name)
	}
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for key, value := range configMap.Data {
		files[key] = []byte(value)
	}
	return files, nil
}

// image looks for the image, in the words of a kubelet and of containerd.
func (w *worker) image(ctx context.Context) *obstacle {
	name := w.container.Image
	if slices.Contains(w.node.opts.Images, name) {
		return nil
	}
	if _, err := reference.ParseNormalizedNamed(name); err != nil {
		message := fmt.Sprintf("Failed to apply default image tag %q: couldn't parse image name %q: %v", name, name, err)
		return &obstacle{state: waiting("InvalidImageName", message), events: []warning{{"InspectFailed", message}, {"Failed", "Error: InvalidImageName"}}}
	}
	if w.container.ImagePullPolicy == corev1.PullNever {
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", name)
		return &obstacle{state: waiting("ErrImageNeverPull", message), events: []warning{{"ErrImageNeverPull", message}, {"Failed", "Error: ErrImageNeverPull"}}}
	}
	err := w.pull(ctx, name)
	if err == nil {
		return nil
	}
	message := fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %v", name, err)
	return &obstacle{
		state: waiting("ImagePullBackOff", message), retry: pullBackoff,
		events: []warning{{"Failed", fmt.Sprintf("Failed to pull image %q: %v", name, err)}, {"Failed", "Error: ErrImagePull"}, {"Failed", "Error: ImagePullBackOff"}},
	}
}

// pull asks the registry for the manifest.
func (w *worker) pull(ctx context.Context, name string) error {
	host, rest, _ := strings.Cut(name, "/")
	repository, tag, found := strings.Cut(rest, "@")
	if !found {
		repository, tag, _ = strings.Cut(rest, ":")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/v2/"+repository+"/manifests/"+tag, http.NoBody)
	if err != nil {
		return err
	}
	request.Header["Accept"] = []string{"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"}
	if username, password := w.credentials(ctx, host); username != "" {
		request.SetBasicAuth(username, password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	failed := fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: ", name, name)
	switch response.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return errors.New("rpc error: code = NotFound desc = " + failed + name + ": not found")
	default:
		return fmt.Errorf("%spulling from host %s failed with status code [manifests %s]: %s", failed, host, tag, response.Status)
	}
}

// credentials are those of the pod's pull Secrets, to which admission adds those of its service account.
func (w *worker) credentials(ctx context.Context, host string) (username, password string) {
	for _, name := range w.pod.Spec.ImagePullSecrets {
		content, err := w.secret(ctx, name.Name, true)
		if err != nil {
			continue
		}
		var config struct {
			Auths map[string]struct{ Username, Password string }
		}
		if json.Unmarshal(content[corev1.DockerConfigJsonKey], &config) == nil && config.Auths[host].Username != "" {
			return config.Auths[host].Username, config.Auths[host].Password
		}
	}
	return "", ""
}

// configure checks what a kubelet checks before it creates a container.
func (w *worker) configure(ctx context.Context) *obstacle {
	message := ""
	if security := w.pod.Spec.SecurityContext; security != nil && ptr.Deref(security.RunAsNonRoot, false) && ptr.Deref(security.RunAsUser, 0) == 0 {
		message = fmt.Sprintf(`container has runAsNonRoot and image will run as root (pod: "%s_%s(%s)", container: %s)`,
			w.pod.Name, w.pod.Namespace, w.pod.UID, w.container.Name)
	}
	for _, variable := range w.container.Env {
		if variable.ValueFrom == nil || variable.ValueFrom.SecretKeyRef == nil {
			continue
		}
		selector := variable.ValueFrom.SecretKeyRef
		if _, err := w.secret(ctx, selector.Name, ptr.Deref(selector.Optional, false)); err != nil {
			message = err.Error()
		}
	}
	if message == "" {
		return nil
	}
	return &obstacle{state: waiting("CreateContainerConfigError", message), events: []warning{{"Failed", "Error: " + message}}}
}
