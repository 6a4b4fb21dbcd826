package job

import (
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder/owned"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// Name is what settings and the label of its objects call the backend.
const Name = constants.BackendJob

// mark tells its objects from those of other backends.
var mark = owned.Mark{Backend: Name}

// netGrace is what a Job has beyond twice the time of its pod: to wait for a node, and for
// a replacement on another one. The plan gives a build up long before.
const netGrace = time.Hour

// newObjects makes the Job and its inputs.
func newObjects(namespace string, r imagebuilder.Request) (*batchv1.Job, []*corev1.Secret) {
	files := append(slices.Clone(r.Context),
		imagebuilder.File{Name: containerfileKey, Data: []byte(r.Containerfile)},
		imagebuilder.File{Name: scriptKey, Data: script})
	if text := proxyText(r.Proxy); text != "" {
		files = append(files, imagebuilder.File{Name: proxyKey, Data: []byte(text)})
	}
	for _, ca := range r.RegistryCAs {
		files = append(files, imagebuilder.File{Name: registryCAPrefix + strings.ReplaceAll(ca.Host, ":", ".."), Data: ca.PEM})
	}
	secrets := mark.NewSecrets(namespace, r, owned.Together(files))
	return newJob(namespace, r, len(secrets)), secrets
}

// proxyText is for the script. It may hold a password, so it is an input and not part of
// the Job.
func proxyText(p imagebuilder.Proxy) string {
	var text strings.Builder
	for _, variable := range []struct{ name, value string }{{"HTTP_PROXY", p.HTTP}, {"HTTPS_PROXY", p.HTTPS}, {"NO_PROXY", p.No}} {
		if variable.value != "" && !strings.ContainsAny(variable.value, "\r\n") {
			text.WriteString(variable.name + "=" + variable.value + "\n")
		}
	}
	return text.String()
}

// newJob makes the Job, with so many Secrets for inputs. What its pod bears tells whose it
// is, as the Job's own metadata does.
func newJob(namespace string, r imagebuilder.Request, inputs int) *batchv1.Job {
	meta := mark.BuildMetadata(namespace, r)
	ofPod := mark.Metadata(namespace, r)
	// Whatever one attempt takes, there is no second one in the same Job, and never two pods
	// at once. A pod that was disrupted is no attempt.
	return &batchv1.Job{
		ObjectMeta: meta,
		Spec: batchv1.JobSpec{
			Parallelism:           ptr.To[int32](1),
			Completions:           ptr.To[int32](1),
			BackoffLimit:          ptr.To[int32](0),
			ActiveDeadlineSeconds: ptr.To(int64((2*r.Deadline + netGrace).Seconds())),
			PodReplacementPolicy:  ptr.To(batchv1.Failed),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
				Action:          batchv1.PodFailurePolicyActionIgnore,
				OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}},
			}}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: ofPod.Labels, Annotations: ofPod.Annotations},
				Spec:       newPodSpec(r, inputs),
			},
		},
	}
}

// imagesOf are the images that the build pulls, as far as that can be told ahead.
func imagesOf(text string) string {
	file, err := containerfile.Parse(text)
	if err != nil || file == nil {
		return ""
	}
	var images []string
	for _, image := range file.Images() {
		if !strings.ContainsAny(image.Pullspec, " \t\n$") {
			images = append(images, image.Pullspec)
		}
	}
	return strings.Join(images, " ")
}
