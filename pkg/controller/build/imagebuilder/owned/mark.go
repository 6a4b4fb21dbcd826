package owned

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// Mark tells the objects of one backend from those of others.
type Mark struct {
	// Backend is the backend's name, a valid label value.
	Backend string
	// Unmarked tells that objects without a mark are this backend's, which made them
	// before there were marks.
	Unmarked bool
}

// Selector selects what the controller made, of whichever backend.
func Selector() string {
	return labels.Set{constants.OwnedLabel: constants.OwnedLabelValue}.String()
}

// Metadata is common to a build and its inputs. Names that may be long go into
// annotations; labels are for selecting.
func (m Mark) Metadata(namespace string, r imagebuilder.Request) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      r.Name,
		Namespace: namespace,
		Labels: map[string]string{
			constants.OwnedLabel:   constants.OwnedLabelValue,
			constants.BackendLabel: m.Backend,
			constants.PoolLabel:    inputs.LabelValue(r.Pool),
		},
		Annotations: map[string]string{
			constants.PoolAnnotation:           r.Pool,
			constants.RenderedConfigAnnotation: r.RenderedConfig,
			constants.FingerprintAnnotation:    r.Fingerprint,
			constants.AttemptAnnotation:        strconv.Itoa(r.Attempt),
			constants.BuildNameAnnotation:      r.Name,
		},
		// Blocking the owner's deletion would need a permission on its
		// finalizers, for nothing.
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion:         "machineconfiguration.openshift.io/v1",
			Kind:               "MachineConfigPool",
			Name:               r.Pool,
			UID:                r.PoolUID,
			Controller:         ptr.To(true),
			BlockOwnerDeletion: ptr.To(false),
		}},
	}
}

// BuildMetadata is that of a build itself.
func (m Mark) BuildMetadata(namespace string, r imagebuilder.Request) metav1.ObjectMeta {
	meta := m.Metadata(namespace, r)
	if r.Claim != "" {
		meta.Annotations[constants.ClaimAnnotation] = r.Claim
	}
	return meta
}

// Identify reads what Metadata wrote: which build it is, of which pool.
func (m Mark) Identify(meta *metav1.ObjectMeta) imagebuilder.Observation {
	// A number that someone spoiled reads as 0; it only serves for messages.
	attempt, _ := strconv.Atoi(meta.Annotations[constants.AttemptAnnotation])
	o := imagebuilder.Observation{
		Name:           m.Build(meta),
		Fingerprint:    meta.Annotations[constants.FingerprintAnnotation],
		RenderedConfig: meta.Annotations[constants.RenderedConfigAnnotation],
		Attempt:        attempt,
		Claim:          meta.Annotations[constants.ClaimAnnotation],
		Withdrawn:      meta.Annotations[constants.WithdrawnAnnotation] == constants.ControllerName,
	}
	if owner := metav1.GetControllerOfNoCopy(meta); owner != nil {
		o.PoolUID = owner.UID
	}
	return o
}

// Pool returns the pool that an object was made for; empty when the object is not ours,
// is another backend's, or is a copy of ours under another name.
func (m Mark) Pool(meta *metav1.ObjectMeta) string {
	if meta.Labels[constants.OwnedLabel] != constants.OwnedLabelValue || !m.Has(meta) || m.Build(meta) == "" {
		return ""
	}
	return meta.Annotations[constants.PoolAnnotation]
}

// Has tells whether the object bears this mark.
func (m Mark) Has(meta *metav1.ObjectMeta) bool {
	backend, marked := meta.Labels[constants.BackendLabel]
	return backend == m.Backend || !marked && m.Unmarked
}

// Build returns the name of the build that an object is or belongs to; empty when the
// object has another name than that gives it.
func (m Mark) Build(meta *metav1.ObjectMeta) string {
	build := meta.Annotations[constants.BuildNameAnnotation]
	if meta.Name != build && !strings.HasPrefix(meta.Name, build+inputsInfix) {
		return ""
	}
	return build
}

// IsOf tells whether an existing object was made for this very request.
func (m Mark) IsOf(meta *metav1.ObjectMeta, r imagebuilder.Request) bool {
	o := m.Identify(meta)
	return m.Pool(meta) == r.Pool && o.PoolUID == r.PoolUID && o.Fingerprint == r.Fingerprint && o.Attempt == r.Attempt
}

// DeleteOptions are for deleting the object of that UID and no other, and, in the
// background, what it owns.
func DeleteOptions(uid types.UID) metav1.DeleteOptions {
	propagation := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &propagation}
}
