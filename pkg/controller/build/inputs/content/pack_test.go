package content

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

func machineConfig(raw []byte) *mcfgv1.MachineConfig {
	return &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{
			Name: "rendered-worker-1", UID: "uid", ResourceVersion: "7", Generation: 1,
			Annotations: map[string]string{
				"machineconfiguration.openshift.io/generated-by-controller-version": "v1",
				"kubectl.kubernetes.io/last-applied-configuration":                  canary,
			},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: canary}},
		},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL: "quay.example.com/os:1", Config: apiruntime.RawExtension{Raw: raw},
			KernelArguments: []string{"quiet"}, Extensions: []string{"usbguard"}, KernelType: "realtime",
		},
	}
}

// unpack reads an archive back.
func unpack(t testing.TB, archive *Archive) map[string]string {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(archive.Join()))
	require.NoError(t, err)
	files := map[string]string{}
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		require.Zero(t, header.Uid)
		require.Zero(t, header.ModTime.Unix(), "a time would make equal content differ")
		text, err := io.ReadAll(reader)
		require.NoError(t, err)
		files[header.Name] = string(text)
	}
}

// noise does not compress below three quarters of its size.
func noise(bytes int) string {
	text := make([]byte, bytes)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(text)
	for i := range text {
		text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[text[i]%64]
	}
	return string(text)
}

func TestPack(t *testing.T) {
	raw := config("3.4.0", `"passwd":{"users":[{"name":"core","passwordHash":"`+canary+`","sshAuthorizedKeys":["ssh-ed25519 A"]}]},
		"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:,x"}},{"path":"/var/lib/kubelet/config.json","contents":{"source":"data:,`+canary+`"}}]},
		"systemd":{"units":[{"name":"b.service","enabled":true},{"name":"a@1.service","enabled":false},{"name":"a@2.service","enabled":true},{"name":"m.service","enabled":true,"mask":true},{"name":"n.service"}]}`)
	content, problem := Parse("rendered-worker-1", raw)
	require.Nil(t, problem)
	archive, problem := Pack(machineConfig(raw), content, []byte("certificates"))
	require.Nil(t, problem)
	require.Len(t, archive.Pieces, 1)
	require.Equal(t, inputs.Archive+".00", archive.Pieces[0].Name)
	require.Equal(t, int64(len(archive.Join())), archive.Size)

	files := unpack(t, archive)
	for name, script := range inputs.Scripts() {
		require.Equal(t, string(script), files[name])
		delete(files, name)
	}
	for name, text := range inputs.ScriptFiles() {
		require.Equal(t, string(text), files[name])
		delete(files, name)
	}
	require.Equal(t, map[string]string{
		"ignition.json": string(content.toApply), "enable": "a@2.service\nb.service\n", "disable": "a@1.service\n",
		"presets":  "disable a@.service 1\nenable a@.service 2\n",
		"ssh/core": "ssh-ed25519 A\n", "trust-bundle.pem": "certificates",
	}, files)

	require.NotContains(t, files["ignition.json"], `"enabled":false`, "Ignition would ask a systemd that does not run")
	require.NotContains(t, fmt.Sprint(files), canary)
	require.NotContains(t, fmt.Sprint(archive.Files), canary)
}

// TestH35PackIsDeterministic: output that differed from run to run made objects churn.
func TestH35PackIsDeterministic(t *testing.T) {
	content := parsed(t, `"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:,x"}}]}`)
	first, problem := Pack(machineConfig(nil), content, nil)
	require.Nil(t, problem)
	for range 100 {
		again, _ := Pack(machineConfig(nil), content, nil)
		require.Equal(t, first, again)
	}
}

// TestPackSizes: the file's content is text of which gzip saves a quarter.
func TestPackSizes(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		bytes   int
		pieces  int
		refused string
	}{
		"small":      {reason: "one Secret does", bytes: 1 << 10, pieces: 1},
		"two MiB":    {reason: "more than one Secret holds", bytes: 2 << 20, pieces: 2},
		"twelve MiB": {reason: "nobody wants to build from that", bytes: 12 << 20, refused: "key spec.config: is too large to build from: 12.0 MiB, and 9.0 MiB after compression, of which a build can have 8.0 MiB; make the config smaller"},
	} {
		t.Run(name, func(t *testing.T) {
			content := parsed(t, `"storage":{"files":[{"path":"/etc/a","contents":{"source":"data:,`+noise(test.bytes)+`"}}]}`)
			archive, problem := Pack(machineConfig(nil), content, nil)
			if test.refused != "" {
				require.Nil(t, archive)
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.String(), test.refused, test.reason)
				return
			}
			require.Nil(t, problem, test.reason)
			require.Len(t, archive.Pieces, test.pieces, test.reason)
			names := map[string]bool{}
			for _, piece := range archive.Pieces {
				require.LessOrEqual(t, len(piece.Data), MaxPieceBytes)
				require.Empty(t, validation.IsConfigMapKey(piece.Name), "the name is a key of a Secret")
				require.False(t, names[piece.Name])
				names[piece.Name] = true
			}
			require.Equal(t, string(content.toApply), unpack(t, archive)["ignition.json"], "the pieces in order are the archive")
		})
	}
}

// TestPieces: there are as many as it takes, and each is as full as it may be.
func TestPieces(t *testing.T) {
	for bytes := 1; bytes < 100<<10; bytes = bytes*2 + 1 {
		archive := &Archive{}
		_, err := archive.write([]file{{"a", publicMode, []byte(noise(bytes))}}, limits{piece: 9 << 10, archive: 80 << 10})
		require.NoError(t, err)
		size := 0
		for i, piece := range archive.Pieces {
			require.Equal(t, fmt.Sprintf("%s.%02d", inputs.Archive, i), piece.Name)
			if i < len(archive.Pieces)-1 {
				require.Len(t, piece.Data, 9<<10)
			}
			size += len(piece.Data)
		}
		require.Equal(t, archive.Size, int64(size))
		require.Equal(t, noise(bytes), unpack(t, archive)["a"])
	}
}

// TestPackIsBounded: what is refused is not held in memory first.
func TestPackIsBounded(t *testing.T) {
	data := []byte(noise(16 << 20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	archive := &Archive{}
	total, err := archive.write([]file{{"a", publicMode, data}}, limits{piece: 9 << 10, archive: 80 << 10})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, int64(len(data)), total)
	require.Greater(t, archive.Size, int64(11<<20), "it is counted to its end")
	require.Empty(t, archive.Pieces)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "allocated in all, for 16 MiB of input")
}
