package owned

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// inputsInfix comes between the name of a build and the number of its second and further
// inputs.
const inputsInfix = "-in-"

// InputName is the name of an input of the build, counted from 0.
func InputName(build string, i int) string {
	if i == 0 {
		return build
	}
	return build + inputsInfix + strconv.Itoa(i)
}

// NewSecrets makes the Secrets with what a build reads, one for each group of files. They
// are Secrets because a rendered config holds credentials, and immutable because the build
// reads them when its pod starts, not when they are created. The first one bears the
// name of the build.
func (m Mark) NewSecrets(namespace string, r imagebuilder.Request, groups [][]imagebuilder.File) []*corev1.Secret {
	secrets := make([]*corev1.Secret, 0, len(groups))
	for i, files := range groups {
		meta := m.Metadata(namespace, r)
		meta.Name = InputName(r.Name, i)
		data := make(map[string][]byte, len(files))
		for _, file := range files {
			data[file.Name] = file.Data
		}
		secrets = append(secrets, &corev1.Secret{ObjectMeta: meta, Immutable: ptr.To(true), Type: corev1.SecretTypeOpaque, Data: data})
	}
	return secrets
}

// Apart gives each file a group of its own.
func Apart(files []imagebuilder.File) [][]imagebuilder.File {
	var groups [][]imagebuilder.File
	for _, file := range files {
		groups = append(groups, []imagebuilder.File{file})
	}
	return groups
}

// Together puts the files, in their order, into as few groups as Secrets can hold: each
// Secret is a call to create, and one to delete.
func Together(files []imagebuilder.File) [][]imagebuilder.File {
	var groups [][]imagebuilder.File
	size := 0
	for _, file := range files {
		if len(groups) == 0 || size+len(file.Data) > corev1.MaxSecretSize {
			groups, size = append(groups, nil), 0
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], file)
		size += len(file.Data)
	}
	return groups
}

// Inputs are the Secrets that the builds of one backend read.
type Inputs struct {
	*Cache
	mark      Mark
	namespace string
	client    kubernetes.Interface

	// Ignore tells keys that are not compared; nil for none.
	Ignore func(key string) bool
}

// NewInputs makes them over an informer of Secrets' metadata (PartialObjectMetadata) that
// was not started yet.
func NewInputs(mark Mark, namespace string, client kubernetes.Interface, secrets cache.SharedIndexInformer) (*Inputs, error) {
	c, err := NewCache(mark, "Secrets", secrets)
	if err != nil {
		return nil, err
	}
	return &Inputs{Cache: c, mark: mark, namespace: namespace, client: client}, nil
}

// Create creates the Secrets of the request. That one is there already, as it is to be, is
// success; there in another form, or of another request, is imagebuilder.ErrForeign.
func (i *Inputs) Create(ctx context.Context, r imagebuilder.Request, secrets []*corev1.Secret) error {
	for _, secret := range secrets {
		if err := i.create(ctx, r, secret); err != nil {
			return err
		}
	}
	return nil
}

func (i *Inputs) create(ctx context.Context, r imagebuilder.Request, secret *corev1.Secret) error {
	client := i.client.CoreV1().Secrets(i.namespace)
	_, err := client.Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		existing, err := client.Get(ctx, secret.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("could not get Secret %s: %w", secret.Name, err)
		}
		return i.compare(existing, secret, r)
	}
	if err != nil {
		return fmt.Errorf("could not create Secret %s: %w", secret.Name, err)
	}
	return nil
}

// compare returns imagebuilder.ErrForeign for a Secret that is not the one that is to be
// made. One that is not immutable may be another by the time that it is read. The values
// may be credentials, and are not told.
func (i *Inputs) compare(existing, wanted *corev1.Secret, r imagebuilder.Request) error {
	var what string
	switch {
	case !i.mark.IsOf(&existing.ObjectMeta, r):
		return fmt.Errorf("Secret %s: %w", wanted.Name, imagebuilder.ErrForeign)
	case !ptr.Deref(existing.Immutable, false):
		what = "it is not immutable"
	case !maps.EqualFunc(i.compared(existing), i.compared(wanted), bytes.Equal):
		what = "its data is not what the build is to read"
	default:
		return nil
	}
	return fmt.Errorf("Secret %s: %w: %s", wanted.Name, imagebuilder.ErrForeign, what)
}

// compared is the Secret's data without what Ignore tells.
func (i *Inputs) compared(secret *corev1.Secret) map[string][]byte {
	if i.Ignore == nil {
		return secret.Data
	}
	data := maps.Clone(secret.Data)
	maps.DeleteFunc(data, func(key string, _ []byte) bool { return i.Ignore(key) })
	return data
}

// Verify asks the API for those of the request's Secrets that there are. One that is not as
// it is to be is imagebuilder.ErrForeign.
func (i *Inputs) Verify(ctx context.Context, r imagebuilder.Request, secrets []*corev1.Secret) error {
	for _, secret := range secrets {
		existing, err := i.client.CoreV1().Secrets(i.namespace).Get(ctx, secret.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return fmt.Errorf("could not get Secret %s: %w", secret.Name, err)
		}
		if err := i.compare(existing, secret, r); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes what was made for the build of that name to read. Absence is success.
func (i *Inputs) Delete(ctx context.Context, build string) error {
	objects, err := i.OfBuild(build)
	if err != nil {
		return err
	}
	for _, object := range objects {
		meta := MetaOf(object)
		if i.IsDeleted(meta.UID) {
			continue
		}
		err := i.client.CoreV1().Secrets(i.namespace).Delete(ctx, meta.Name, DeleteOptions(meta.UID))
		// A conflict may mean that the cache shows a predecessor: the next look tells.
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("could not delete Secret %s: %w", meta.Name, err)
		}
		i.RememberDeleted(cache.MetaObjectToName(meta), meta.UID)
	}
	return nil
}

// AddTo marks the builds that have inputs, and adds one in PhaseAbsent for inputs that
// were made for a build which is not among them.
func (i *Inputs) AddTo(observations []imagebuilder.Observation, pool string) ([]imagebuilder.Observation, error) {
	secrets, err := i.OfPool(pool)
	if err != nil {
		return nil, err
	}
	for _, object := range secrets {
		meta := MetaOf(object)
		at := -1
		for n := range observations {
			if observations[n].Name == i.mark.Build(meta) {
				at = n
			}
		}
		if at < 0 {
			o := i.mark.Identify(meta)
			o.Phase, o.Created = imagebuilder.PhaseAbsent, meta.CreationTimestamp.Time
			observations, at = append(observations, o), len(observations)
		}
		o := &observations[at]
		o.HasInputs = true
		if o.Phase != imagebuilder.PhaseAbsent && meta.CreationTimestamp.After(o.Created) {
			o.LateInputs += string(meta.UID) + " "
		}
	}
	return observations, nil
}

// Input reads a Secret with the label of what the controller makes, given by its
// metadata, for those who examine them. It is false where another backend made it.
func (m Mark) Input(meta *metav1.ObjectMeta) (imagebuilder.Made, bool) {
	o := m.Identify(meta)
	o.Created = meta.CreationTimestamp.Time
	return imagebuilder.Made{Object: meta.Name, Backend: m.Backend, Pool: m.Pool(meta), Observation: o}, m.Has(meta)
}
