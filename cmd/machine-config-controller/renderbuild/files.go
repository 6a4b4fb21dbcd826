package renderbuild

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// fromFiles reads the objects from files.
func (o *options) fromFiles(backend imagebuilder.Backend) (*cluster.Objects, error) {
	files := &objectFiles{backend: backend, seen: map[string]string{}}
	for _, name := range o.files {
		if err := files.read(name); err != nil {
			return nil, err
		}
	}
	g := &files.Objects
	var err error
	if g.Pool, err = choosePool(g.Pools, o.pool); err != nil {
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
	g.Ignored = files.Ignored
	return g, nil
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
	// seen is where each object was read from.
	seen map[string]string
}

// read reads a file, or the files of a directory in the order of their names.
func (f *objectFiles) read(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	if !info.IsDir() {
		return f.readFile(name)
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) {
			if err := f.readFile(filepath.Join(name, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *objectFiles) readFile(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("could not read -f: %w", err)
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		where := fmt.Sprintf("%s, document %d", name, number)
		if err != nil {
			return fmt.Errorf("could not read %s: it is not valid YAML", where)
		}
		text, err := yaml.YAMLToJSON(document)
		if err != nil {
			return fmt.Errorf("could not read %s: it is not valid YAML%s", where, lineOf(err))
		}
		if string(bytes.TrimSpace(text)) == "null" {
			continue
		}
		if err := f.add(where, text); err != nil {
			return err
		}
	}
}

var lineNumber = regexp.MustCompile(`line \d+`)

// lineOf is all that is told of a parser's error, since it may quote a Secret.
func lineOf(err error) string {
	if line := lineNumber.FindString(err.Error()); line != "" {
		return " near " + line
	}
	return ""
}

// add takes in one object, given as JSON.
func (f *objectFiles) add(where string, text []byte) error {
	var meta metav1.PartialObjectMetadata
	if err := decode(where, "a Kubernetes object", text, &meta); err != nil {
		return err
	}
	if strings.HasSuffix(meta.Kind, "List") {
		var list struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := decode(where, "a list", text, &list); err != nil {
			return err
		}
		for i, item := range list.Items {
			if err := f.add(fmt.Sprintf("%s, item %d", where, i+1), item); err != nil {
				return err
			}
		}
		return nil
	}
	object := meta.Kind + " " + meta.Name
	group, _, _ := strings.Cut(meta.APIVersion, "/")
	known := slices.Contains(kinds[group], meta.Kind) || f.isBuild(group, meta.Kind)
	if meta.Kind == "" || meta.Name == "" {
		return fmt.Errorf("could not read %s: it has no kind or no metadata.name", where)
	}
	if !known || meta.Namespace != "" && meta.Namespace != ctrlcommon.MCONamespace {
		f.Ignored = append(f.Ignored, fmt.Sprintf("%s (%s): no build depends on it", object, where))
		return nil
	}
	if before, again := f.seen[object]; again {
		return fmt.Errorf("%s is given twice: in %s and in %s; leave one out", object, before, where)
	}
	f.seen[object] = where
	return f.keep(where, meta.Kind, text)
}

// kinds are those that a decision depends on, by what their apiVersion begins with.
var kinds = map[string][]string{
	mcfgv1.GroupName: {"MachineConfigPool", "MachineConfig", "ControllerConfig"},
	"v1":             {"ConfigMap", "Secret"},
}

// isBuild tells whether an object of that kind runs builds.
func (f *objectFiles) isBuild(group, kind string) bool {
	about := f.backend.About()
	return group == about.Group && kind == about.Kind
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
	case f.backend.About().Kind:
		made, err := f.backend.Read(text)
		f.Made = append(f.Made, made)
		return notDecoded(where, "a "+kind, err)
	}
	if err := keepIn(&f.Secrets, where, kind, text); err != nil {
		return err
	}
	secret := f.Secrets[len(f.Secrets)-1]
	secret.Namespace = ctrlcommon.MCONamespace
	for key, value := range secret.StringData {
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[key] = []byte(value)
	}
	return nil
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
