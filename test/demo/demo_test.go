package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	buildv1 "github.com/openshift/api/build/v1"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRender(t *testing.T) {
	first, err := render(poolWorker, false)
	require.NoError(t, err)
	again, err := render(poolWorker, false)
	require.NoError(t, err)
	changed, err := render(poolWorker, true)
	require.NoError(t, err)
	infra, err := render(poolInfra, false)
	require.NoError(t, err)

	assert.Equal(t, first, again, "a name follows from the content")
	assert.Regexp(t, `^rendered-worker-[0-9a-f]{32}$`, first.name)
	assert.Regexp(t, `^rendered-infra-[0-9a-f]{32}$`, infra.name)
	assert.NotEqual(t, first.name, changed.name)

	var config ignitionConfig
	require.NoError(t, json.Unmarshal(changed.raw, &config))
	assert.Equal(t, "3.4.0", config.Ignition.Version)
	paths := map[string]bool{}
	for _, file := range config.Storage.Files {
		assert.True(t, strings.HasPrefix(file.Path, "/"), "Ignition refuses relative paths: %s", file.Path)
		assert.False(t, paths[file.Path], "Ignition refuses a path that is there twice: %s", file.Path)
		assert.Positive(t, file.Mode)
		paths[file.Path] = true
	}
	assert.True(t, paths[motdPath])
	for _, unit := range config.Systemd.Units {
		if unit.Enabled != nil && *unit.Enabled {
			assert.Contains(t, unit.Contents, "[Install]", "enabling %s has no effect without", unit.Name)
		}
	}
}

func TestResources(t *testing.T) {
	const content = "a=1, 100% ü\n#?\n"
	for name, resource := range map[string]ignitionResource{"base64": inline(content), "plain": inlinePlain(content), "gzip": inlineCompressed(content)} {
		got, err := resource.content()
		require.NoError(t, err, name)
		assert.Equal(t, content, string(got), name)
	}
	_, err := ignitionResource{Source: "https://example.com/"}.content()
	assert.ErrorContains(t, err, "not a data URL")
}

func TestExpectations(t *testing.T) {
	config, err := render(poolInfra, false)
	require.NoError(t, err)
	expected, err := expectations(config.raw)
	require.NoError(t, err)
	files := map[string]imageFile{}
	for _, e := range expected {
		assert.Error(t, e.check(files), "an empty image has no %s", e.path)
	}
	for _, e := range expected {
		file := files[e.path]
		file.mode, file.link, file.content = e.mode, e.link, append(file.content, e.content...)
		if e.partial {
			file.content = append(file.content, '\n')
		}
		if !e.ownedByRoot {
			file.uid = 1000
		}
		files[e.path] = file
	}
	for _, e := range expected {
		assert.NoError(t, e.check(files))
	}
	spoil := map[string]func(*imageFile){
		"mode": func(f *imageFile) { f.mode ^= 0o111 }, "content": func(f *imageFile) { f.content = []byte("other") },
		"link": func(f *imageFile) { f.link = "elsewhere" }, "belongs to": func(f *imageFile) { f.uid = 1000 },
	}
	for message, change := range spoil {
		file := files[expected[0].path]
		change(&file)
		assert.Error(t, expected[0].compare(file), message)
	}
}

func TestLayers(t *testing.T) {
	layer := func(entries ...tar.Header) *tar.Reader {
		var text bytes.Buffer
		w := tar.NewWriter(&text)
		for i := range entries {
			entries[i].Size = int64(len(entries[i].PAXRecords["DEMO.content"]))
			content := entries[i].PAXRecords["DEMO.content"]
			require.NoError(t, w.WriteHeader(&entries[i]))
			_, err := w.Write([]byte(content))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return tar.NewReader(&text)
	}
	file := func(name, content string) tar.Header {
		return tar.Header{Name: name, Mode: 0o644, Format: tar.FormatPAX, PAXRecords: map[string]string{"DEMO.content": content}}
	}
	all := func(string) bool { return true }
	files := map[string]imageFile{}
	require.NoError(t, applyLayer(layer(file("./etc/a", "1"), file("etc/b", "1"), file("etc/d/x", "1"), file("opt/o/y", "1")), all, io.ReadAll, files))
	require.NoError(t, applyLayer(layer(file("etc/a", "2"), file("etc/.wh.b", ""), file("etc/.wh.d", ""), file("opt/o/.wh..wh..opq", "")), all, io.ReadAll, files))
	assert.Equal(t, map[string]imageFile{"etc/a": {mode: 0o644, content: []byte("2")}}, files)
}

func TestResultTable(t *testing.T) {
	table := resultTable([]result{
		{Pool: "worker", RenderedConfig: "rendered-worker-1", Image: "127.0.0.1:5000/os@sha256:0123456789abcdef0123", Build: "b-1", Seconds: 12.34},
		{Pool: "infra", RenderedConfig: "rendered-infra-22", Image: "no digest", Build: "", Seconds: 1, MachineOSConfig: "infra", MachineOSBuild: "infra-1"},
	})
	assert.Equal(t, `POOL     OPTED IN BY       RENDERED CONFIG     IMAGE                 BUILD   SECONDS
worker   label             rendered-worker-1   sha256:0123456789ab   b-1     12.3
infra    MachineOSConfig   rendered-infra-22   no digest                     1.0
`, table)
	assert.InDelta(t, 6.4, roundSeconds(6_449*time.Millisecond), 1e-9)
}

func TestStepView(t *testing.T) {
	began := time.Unix(1000, 0)
	view := stepView{number: 8, total: 12, title: "Wait for images", began: began}
	assert.True(t, view.setRow("worker", "BuildPending", began))
	assert.False(t, view.setRow("worker", "BuildPending", began.Add(time.Second)), "nothing new")
	assert.True(t, view.setRow("infra", "Building", began.Add(time.Second)))
	assert.True(t, view.setRow("worker", "Building", began.Add(2*time.Second)))
	view.note = "a tool says \x1b[2Jmore than fits in"

	now := began.Add(65 * time.Second)
	assert.Equal(t, []string{
		"[ 8/12] Wait for images",
		"        worker  Building  (1 min 03 s)",
		"        infra   Building  (1 min 04 s)",
		`        \ 1 min 05 s  a tool says [...`,
	}, view.lines(now.Add(redrawInterval), 39))
	assert.Equal(t, "        1 min 05 s  worker  Building", view.change("worker", "Building", now))
	assert.Equal(t, "        still at it after 1 min 05 s: a tool says [2Jmore than fits in", view.alive(now))
	view.settled = true
	assert.Len(t, view.lines(now, 80), 3, "a headline that is printed for good is not drawn again")
}

func TestDisplayWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	show := &display{out: &out}
	show.row("nobody", "is listening")
	show.begin(1, 2, "First")
	show.note("noise")
	show.row("worker", "Building")
	show.row("worker", "Building")
	show.say("")
	show.say("%s", "fact")
	show.end("done in")
	assert.Equal(t, "[ 1/2] First\n         0.0 s  worker  Building\n\n        fact\n        done in 0.0 s\n", out.String())
}

func TestDisplayOnTerminal(t *testing.T) {
	var out bytes.Buffer
	show := &display{out: &out, columns: func() int { return 80 }}
	show.begin(1, 2, "First")
	show.row("worker", "Building")
	show.say("fact")
	show.end("done in")
	// What is below the last erasure of each kind is what stays.
	parts := strings.Split(out.String(), "\x1b[J")
	assert.Equal(t, "[ 1/2] First\n        worker  Building\n        fact\n        | 0.0 s\n\x1b[1A", parts[len(parts)-2])
	assert.Equal(t, "        done in 0.0 s\n", parts[len(parts)-1])
}

func TestPoolProgress(t *testing.T) {
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker", Annotations: map[string]string{imageConfigAnnotation: "old"}}}
	pool.Spec.Configuration.Name = "new"
	build := &build{kind: "Build", name: "b-1", phase: "Failed", reason: "DockerBuildFailed"}
	is := func(kind mcfgv1.MachineConfigPoolConditionType, reason string) {
		pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{
			{Type: mcfgv1.MachineConfigPoolUpdated, Status: corev1.ConditionTrue},
			{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: "Sentence."},
		}
	}
	assert.Equal(t, "opted in", poolProgress(pool, nil))
	is(mcfgv1.MachineConfigPoolBuildSuccess, "ImagePublished")
	assert.Equal(t, "on the image of its previous config", poolProgress(pool, nil))
	is(mcfgv1.MachineConfigPoolBuildPending, "SecretMissing")
	assert.Equal(t, "BuildPending (SecretMissing): Sentence.", poolProgress(pool, nil))
	is(mcfgv1.MachineConfigPoolBuilding, "BuildRunning")
	assert.Equal(t, "Building      Build b-1: Failed (DockerBuildFailed)", poolProgress(pool, build))
}

func TestFollower(t *testing.T) {
	f := newFollower(&display{out: &bytes.Buffer{}})
	wanted := map[string]string{"worker": "config"}
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker", Labels: map[string]string{optInLabel: ""}}}
	pool.Spec.Configuration.Name = "config"
	see := func(kind mcfgv1.MachineConfigPoolConditionType, image string) (map[string]publication, error) {
		pool = pool.DeepCopy()
		pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: "Reason", Message: "Sentence."}}
		if image != "" {
			pool.Annotations = map[string]string{imageAnnotation: image, imageConfigAnnotation: "config"}
		}
		f.see(pool)
		return f.look(wanted)
	}
	f.see(&buildv1.Build{ObjectMeta: metav1.ObjectMeta{Name: "b-1", Annotations: map[string]string{poolAnnotation: "worker", configAnnotation: "config"}}})
	done, err := see(mcfgv1.MachineConfigPoolBuilding, "")
	require.NoError(t, err)
	assert.Empty(t, done)
	_, err = see(mcfgv1.MachineConfigPoolBuildFailed, "")
	require.EqualError(t, err, "pool worker reports BuildFailed (Reason): Sentence.")
	done, err = see(mcfgv1.MachineConfigPoolBuildSuccess, "os@sha256:1")
	require.NoError(t, err)
	assert.Equal(t, "b-1", done["worker"].build)
	assert.Equal(t, "os@sha256:1", done["worker"].image)
	assert.Equal(t, "pool worker reports BuildSuccess (Reason): Sentence.", f.summary(wanted))
}

func TestCheckRequirements(t *testing.T) {
	const debian, other = "PRETTY_NAME=\"Debian 12\"\nID=debian\n", "ID=\"fedora\"\nPRETTY_NAME='Fedora 42'\n"
	require.NoError(t, checkRequirements(0, debian))
	require.ErrorContains(t, checkRequirements(1000, debian), "you are uid 1000")
	require.ErrorContains(t, checkRequirements(0, other), "this is Fedora 42")
	require.ErrorContains(t, checkRequirements(0, ""), "an unknown system")
}

func TestParseOptions(t *testing.T) {
	opts, err := parseOptions([]string{"-root", "/r", "-keep"})
	require.NoError(t, err)
	assert.Equal(t, options{root: "/r", out: "/r/_output/demo", keep: true}, opts)
}

func TestDescribePool(t *testing.T) {
	now := time.Unix(1000, 0)
	pool := &mcfgv1.MachineConfigPool{ObjectMeta: metav1.ObjectMeta{Name: "worker"}}
	pool.Status.Conditions = []mcfgv1.MachineConfigPoolCondition{
		{Type: mcfgv1.MachineConfigPoolBuilding, Status: corev1.ConditionTrue, Reason: "BuildRunning", Message: "It runs."},
		{Type: mcfgv1.MachineConfigPoolBuildFailed, Status: corev1.ConditionFalse},
	}
	events := []corev1.Event{
		{Type: "Normal", Reason: "Second", Message: "b", LastTimestamp: metav1.NewTime(now.Add(-time.Second))},
		{Type: "Normal", Reason: "First", Message: "a", LastTimestamp: metav1.NewTime(now.Add(-time.Minute))},
	}
	text := describePool(pool, events, now)
	assert.Contains(t, text, "  Building  True    BuildRunning  It runs.\n")
	assert.Contains(t, text, "  not the case: BuildFailed\n")
	assert.Less(t, strings.Index(text, "First"), strings.Index(text, "Second"))
}

// TestStopUndoesInReverse: what was started last may depend on what was started first.
func TestStopUndoesInReverse(t *testing.T) {
	var order []int
	d := &demo{show: &display{out: &bytes.Buffer{}}}
	broken := errors.New("broken")
	for i := range 3 {
		d.cleanup(func() error {
			order = append(order, i)
			if i == 1 {
				return broken
			}
			return nil
		})
	}
	require.ErrorIs(t, d.stop(), broken)
	assert.Equal(t, []int{2, 1, 0}, order)
	require.NoError(t, d.stop(), "once is enough")
}
