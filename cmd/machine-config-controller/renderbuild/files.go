package renderbuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// fromFiles reads the objects from files, and from what comes in.
func (o *options) fromFiles(backend imagebuilder.Backend, in io.Reader) (*cluster.Objects, error) {
	files := &objectFiles{backend: backend, in: in, recursive: o.recursive, seen: map[string]int{}}
	for _, given := range o.files {
		for _, name := range names(given) {
			if err := files.read(name); err != nil {
				return nil, err
			}
		}
	}
	if err := files.keepAll(); err != nil {
		return nil, err
	}
	g := &files.Objects
	var err error
	if g.Pool, err = choosePool(g.Pools, o.pool); err != nil {
		if files.below != "" {
			return nil, fmt.Errorf("%w; directories in %s were left out, -R reads them, too", err, files.below)
		}
		return nil, err
	}
	g.Now = time.Now()
	g.Unread = func(name string) bool {
		return !slices.ContainsFunc(g.Secrets, func(s *corev1.Secret) bool { return s.Name == name })
	}
	g.Builds, g.Active = imagebuilder.ObservationsOf(files.Made, g.Pool.Name)
	for _, name := range []string{inputs.EntitlementSecretName, inputs.SigningKeysSecretName} {
		if g.Unread(name) {
			g.NotChecked = append(g.NotChecked, inputs.SecretObject(name)+": it is not among the files, so it is taken for absent")
		}
	}
	g.Ignored = append(files.shortened("objects on which no build depends", files.strangers), files.shortened("files that were left out", files.left)...)
	return g, nil
}

// listed is up to how many things are told one by one.
const listed = 10

// shortened are the items, or how many there are: a must-gather has thousands.
func (f *objectFiles) shortened(what string, items []string) []string {
	if len(items) <= listed {
		return items
	}
	return []string{fmt.Sprintf("there are %d %s, such as %s", len(items), what, items[0])}
}

func choosePool(pools []*mcfgv1.MachineConfigPool, name string) (*mcfgv1.MachineConfigPool, error) {
	var names []string
	for _, pool := range pools {
		if pool.Name == name || name == "" && len(pools) == 1 {
			return pool, nil
		}
		names = append(names, pool.Name)
	}
	switch {
	case len(pools) == 0:
		return nil, errors.New("there is no MachineConfigPool in the files")
	case name == "":
		return nil, fmt.Errorf("there are several MachineConfigPools in the files; choose one by --pool: %s", cluster.Quoted(names))
	}
	return nil, fmt.Errorf("there is no MachineConfigPool %q in the files; there are %s", name, cluster.Quoted(names))
}

// objectFiles collects what is in files.
type objectFiles struct {
	cluster.Objects
	backend imagebuilder.Backend
	// in is what -f - reads; nil once it was read.
	in io.Reader
	// recursive reads directories as tools leave them: with files of other things in them, and
	// with objects that are there twice.
	recursive bool
	// below is a directory that has directories which were left out.
	below string
	// given are the objects, and seen is where in it each is.
	given []givenObject
	seen  map[string]int
	// strangers are objects that no build depends on, and left are files without any.
	strangers, left []string
}

// givenObject is an object as it was given.
type givenObject struct {
	name, kind, where string
	meta              metav1.ObjectMeta
	text              []byte
}

// add takes in one object, given as JSON.
func (f *objectFiles) add(where string, text []byte) error {
	var meta metav1.PartialObjectMetadata
	if err := decode(where, "a Kubernetes object", text, &meta); err != nil {
		return notObject("%v", err)
	}
	if strings.HasSuffix(meta.Kind, "List") {
		return f.addList(where, &meta, text)
	}
	object := meta.Kind + " " + meta.Name
	group, _, _ := strings.Cut(meta.APIVersion, "/")
	known := slices.Contains(kinds[group], meta.Kind) || f.isBuild(group, meta.Kind)
	if meta.Kind == "" || meta.Name == "" {
		return notObject("could not read %s: it has no kind or no metadata.name", where)
	}
	if !known || meta.Namespace != "" && meta.Namespace != ctrlcommon.MCONamespace {
		f.strangers = append(f.strangers, fmt.Sprintf("%s (%s): no build depends on it", object, where))
		return nil
	}
	return f.note(givenObject{object, meta.Kind, where, meta.ObjectMeta, text})
}

// note takes an object in, unless it is there already.
func (f *objectFiles) note(given givenObject) error {
	at, again := f.seen[given.name]
	if !again {
		f.seen[given.name] = len(f.given)
		f.given = append(f.given, given)
		return nil
	}
	before := &f.given[at]
	switch {
	case f.recursive && sameJSON(before.text, given.text):
	case f.recursive && newer(&given.meta, &before.meta):
		f.left = append(f.left, fmt.Sprintf("%s of %s: that of %s is newer", given.name, before.where, given.where))
		*before = given
	case f.recursive && newer(&before.meta, &given.meta):
		f.left = append(f.left, fmt.Sprintf("%s of %s: that of %s is newer", given.name, given.where, before.where))
	default:
		return fmt.Errorf("%s is given twice: in %s and in %s; leave one out", given.name, before.where, given.where)
	}
	return nil
}

// addList takes in the objects of a list. Those of a list of one kind may leave it out.
func (f *objectFiles) addList(where string, meta *metav1.PartialObjectMetadata, text []byte) error {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := decode(where, "a list", text, &list); err != nil {
		return notObject("%v", err)
	}
	kind := strings.TrimSuffix(meta.Kind, "List")
	for i, item := range list.Items {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(item, &fields); err == nil && fields != nil && fields["kind"] == nil && kind != "" {
			fields["kind"], _ = json.Marshal(kind)
			fields["apiVersion"], _ = json.Marshal(meta.APIVersion)
			item, _ = json.Marshal(fields)
		}
		if err := f.add(fmt.Sprintf("%s, item %d", where, i+1), item); err != nil {
			return err
		}
	}
	return nil
}

// newer tells whether the first one is a later state of the second.
func newer(a, b *metav1.ObjectMeta) bool {
	if a.UID == "" || a.UID != b.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion)
	return err == nil && order >= 0
}

func sameJSON(a, b []byte) bool {
	var one, other any
	return json.Unmarshal(a, &one) == nil && json.Unmarshal(b, &other) == nil && reflect.DeepEqual(one, other)
}

// keepAll takes the objects in, in the order in which they were given.
func (f *objectFiles) keepAll() error {
	for _, given := range f.given {
		if err := f.keep(given.where, given.kind, given.text); err != nil {
			return err
		}
	}
	return nil
}

// kinds are those that a decision depends on, by what their apiVersion begins with.
var kinds = map[string][]string{
	mcfgv1.GroupName: {"MachineConfigPool", "MachineConfig", "ControllerConfig", "MachineOSConfig", "MachineOSBuild"},
	"v1":             {"ConfigMap", "Secret"},
}

// isBuild tells whether an object of that kind runs builds.
func (f *objectFiles) isBuild(group, kind string) bool {
	return slices.ContainsFunc(imagebuilder.All(f.backend), func(b imagebuilder.Backend) bool {
		return group == b.About().Group && kind == b.About().Kind
	})
}

func (f *objectFiles) keep(where, kind string, text []byte) error {
	switch kind {
	case "MachineConfigPool":
		return keepIn(&f.Pools, where, kind, text)
	case "MachineConfig":
		if err := keepIn(&f.Configs, where, kind, text); err != nil {
			return err
		}
		// An API server gives the first generation, which is an input, to an object
		// that was never in a cluster.
		if config := f.Configs[len(f.Configs)-1]; config.Generation == 0 {
			config.Generation = 1
		}
		return nil
	case "ControllerConfig":
		return keepIn(&f.ControllerConfigs, where, kind, text)
	case "ConfigMap":
		if err := keepIn(&f.ConfigMaps, where, kind, text); err != nil {
			return err
		}
		f.ConfigMaps[len(f.ConfigMaps)-1].Namespace = ctrlcommon.MCONamespace
		return nil
	case "MachineOSConfig":
		return keepIn(&f.MachineOSConfigs, where, kind, text)
	case "MachineOSBuild":
		return keepIn(&f.MachineOSBuilds, where, kind, text)
	case "Secret":
		return f.keepSecret(where, kind, text)
	}
	made, err := f.backend.Read(text)
	f.Made = append(f.Made, made)
	return notDecoded(where, "a "+kind, err)
}

func (f *objectFiles) keepSecret(where, kind string, text []byte) error {
	if err := keepIn(&f.Secrets, where, kind, text); err != nil {
		return err
	}
	secret := f.Secrets[len(f.Secrets)-1]
	if isElided(secret) && secret.Name != inputs.EntitlementSecretName && secret.Name != inputs.SigningKeysSecretName {
		f.Secrets = f.Secrets[:len(f.Secrets)-1]
		f.left = append(f.left, fmt.Sprintf("%s (%s): its content was taken out, as must-gather does", inputs.SecretObject(secret.Name), where))
		return nil
	}
	secret.Namespace = ctrlcommon.MCONamespace
	for key, value := range secret.StringData {
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[key] = []byte(value)
	}
	return nil
}

var elided = regexp.MustCompile(`^[0-9]+ bytes long$`)

// isElided tells whether a tool that collects data for support took the values of a Secret
// out. Of one that is mounted as it is, only whether it exists counts.
func isElided(secret *corev1.Secret) bool {
	for _, value := range secret.Data {
		if !elided.Match(value) {
			return false
		}
	}
	return len(secret.Data) > 0
}

func keepIn[T any](objects *[]*T, where, kind string, text []byte) error {
	object := new(T)
	if err := decode(where, "a "+kind, text, object); err != nil {
		return err
	}
	*objects = append(*objects, object)
	return nil
}

// decode says which field is wrong, and nothing of what is in it.
func decode(where, what string, text []byte, into any) error {
	return notDecoded(where, what, json.Unmarshal(text, into))
}

// notDecoded puts the error of decoding into words; nil if there is none.
func notDecoded(where, what string, err error) error {
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fmt.Errorf("could not read %s: it is not %s: field %s is a %s", where, what, wrongType.Field, strings.Fields(wrongType.Value)[0])
	}
	return fmt.Errorf("could not read %s: it is not %s: a field has a value of the wrong form", where, what)
}
