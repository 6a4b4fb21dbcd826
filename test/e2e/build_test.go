package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/openshift/machine-config-operator/test/baseos"
	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

const root = "../.."

// builds makes images, without a cluster.
type builds struct {
	host     string
	base     string
	executor *buildrunner.Buildah
	count    atomic.Int64
}

// startBuilds makes the base image, in the cache that the demo uses as well.
func startBuilds(t *testing.T) *builds {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("building images needs root")
	}
	cache := os.Getenv("BASEOS_CACHE_DIR")
	if cache == "" {
		cache = filepath.Join(root, "_output", "cache", "baseos")
	}
	host := startRegistry(t)
	base, err := baseos.Ensure(t.Context(), baseos.Options{CacheDir: cache, Repository: host + "/org/base", Log: t.Output()})
	require.NoError(t, err)
	executor, err := buildrunner.NewBuildah(buildrunner.BuildahOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	return &builds{host: host, base: base, executor: executor}
}

// input is what the program buildcontext reads.
type input struct {
	Pool            string               `json:"pool"`
	BaseImage       string               `json:"baseImage"`
	ExtensionsImage string               `json:"extensionsImage,omitempty"`
	TrustBundle     string               `json:"trustBundle,omitempty"`
	Custom          string               `json:"custom,omitempty"`
	MachineConfig   mcfgv1.MachineConfig `json:"machineConfig"`

	volumes     []buildrunner.Volume
	singleLayer bool
}

// output is what it says.
type output struct {
	Entries []struct {
		Kind, Path, User, Group, Hash, Target string
		Mode                                  int64
		Appends                               bool
	}
	UnitStates []struct {
		Name     string
		Enabled  *bool
		Unmasked bool
	}
	Derived  []struct{ What, From string }
	LeftOut  []struct{ What, Why string }
	Findings []struct{ Path, Kind string }
	Pieces   []string
}

func machineConfig(t *testing.T, ignition any) mcfgv1.MachineConfig {
	t.Helper()
	raw, err := json.Marshal(ignition)
	require.NoError(t, err)
	return mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "rendered-worker-1", Generation: 1},
		Spec:       mcfgv1.MachineConfigSpec{Config: runtime.RawExtension{Raw: raw}},
	}
}

// build makes the image of an input, and says what it is made from.
func (b *builds) build(t *testing.T, in input) (output, pulled) {
	t.Helper()
	out, job := b.context(t, in)
	repository, digest := b.execute(t, job)
	return out, pull(t, repository, digest)
}

// context is what a build of an input reads.
func (b *builds) context(t *testing.T, in input) (output, buildrunner.Job) {
	t.Helper()
	in.Pool = "worker"
	if in.BaseImage == "" {
		in.BaseImage = b.base
	}
	dir := t.TempDir()
	document, err := json.Marshal(in)
	require.NoError(t, err)
	program := exec.CommandContext(t.Context(), "go", "run", "./pkg/controller/build/buildtest/buildcontext", "-dir", dir)
	program.Dir = root
	program.Stdin = bytes.NewReader(document)
	program.Stderr = t.Output()
	answer, err := program.Output()
	require.NoError(t, err)
	var out output
	require.NoError(t, json.Unmarshal(answer, &out))

	containerfile, err := os.ReadFile(filepath.Join(dir, "Containerfile"))
	require.NoError(t, err)
	job := buildrunner.Job{Dockerfile: containerfile, Images: []string{in.BaseImage}, Volumes: in.volumes, SingleLayer: in.singleLayer}
	if in.ExtensionsImage != "" {
		job.Images = append(job.Images, in.ExtensionsImage)
	}
	for _, piece := range out.Pieces {
		data, err := os.ReadFile(filepath.Join(dir, piece))
		require.NoError(t, err)
		job.Sources = append(job.Sources, buildrunner.SourceFile{Path: piece, Data: data})
	}
	return out, job
}

// execute runs a job. A layer per instruction shows more than one layer would.
func (b *builds) execute(t *testing.T, job buildrunner.Job) (repository, digest string) {
	t.Helper()
	count := b.count.Add(1)
	repository = fmt.Sprintf("%s/org/image-%d", b.host, count)
	job.Name, job.UID = "build", types.UID(fmt.Sprintf("build-%d", count))
	job.Output, job.Log, job.OnRunning = repository+":latest", t.Output(), func() {}
	result, err := b.executor.Execute(t.Context(), job)
	require.NoError(t, err)
	require.NotEmpty(t, result.Digest)
	return repository, result.Digest
}
