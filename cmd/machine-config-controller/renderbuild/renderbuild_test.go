package renderbuild

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster"
	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/preview"
)

// examples are the files that ship to try the command on. Whatever is in them that
// must not be shown has the word canary in it.
var examples = filepath.Join("..", "..", "..", "test", "render")

// renderBuildOf runs the command as main does.
func renderBuildOf(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	stdout, stderr, code = clustertest.Execute(t, NewCommand(clustertest.Backend()), args...)
	clustertest.RequireNoCanary(t, stdout+stderr)
	return stdout, stderr, code
}

// TestExamplesHaveCanaries: otherwise their absence from the output proves nothing.
func TestExamplesHaveCanaries(t *testing.T) {
	var all strings.Builder
	for _, name := range []string{"rendered.yaml", "blocked/secrets.yaml"} {
		content, err := os.ReadFile(filepath.Join(examples, name))
		require.NoError(t, err)
		all.Write(content)
	}
	found := 0
	for _, form := range clustertest.Canaries() {
		found += strings.Count(all.String(), form)
	}
	require.Contains(t, all.String(), clustertest.Canaries()[0])
	require.GreaterOrEqual(t, found, 8, "keys, a password hash, contents and registry credentials")
}

// edited copies the examples, with a text of one of them replaced by another one.
func edited(t *testing.T, file, text, by string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(examples)))
	return editedAgain(t, dir, file, text, by)
}

func editedAgain(t *testing.T, dir, file, text, by string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	require.Contains(t, string(content), text, "%s is not what the test expects", file)
	require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(strings.ReplaceAll(string(content), text, by)), 0o600))
	return dir
}

func TestRenderGolden(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		args   []string
		code   int
	}{
		"report.txt":   {reason: "the form for people", code: exitWouldBuild},
		"report.yaml":  {reason: "a form for tools", args: []string{"-o", "yaml"}, code: exitWouldBuild},
		"report.json":  {reason: "a form for tools", args: []string{"-o", "json"}, code: exitWouldBuild},
		"diff.txt":     {reason: "what a change request is about", args: []string{"--diff"}, code: exitWouldBuild},
		"diff.yaml":    {reason: "the same for tools", args: []string{"--diff", "-o", "yaml"}, code: exitWouldBuild},
		"blocked.txt":  {reason: "what has to be mended, and what would be built then", args: []string{"-f", filepath.Join(examples, "blocked")}, code: exitBlocked},
		"blocked.json": {reason: "the same for tools", args: []string{"-f", filepath.Join(examples, "blocked"), "-o", "json"}, code: exitBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, code := renderBuildOf(t, append([]string{"-f", examples}, test.args...)...)
			require.Equal(t, test.code, code, test.reason)
			clustertest.RequireGolden(t, name, got, test.reason)
		})
	}
}

// reportOf is the report of the files in the directory.
func reportOf(t *testing.T, dir string, args ...string) preview.Report {
	t.Helper()
	text, _, _ := renderBuildOf(t, append([]string{"-f", dir, "-o", "json"}, args...)...)
	var report preview.Report
	require.NoError(t, json.Unmarshal([]byte(text), &report))
	return report
}

// published is a directory with the examples whose image is published.
func published(t *testing.T) string {
	t.Helper()
	report := reportOf(t, examples)
	image := "registry.example.com/ocp/os@sha256:" + strings.Repeat("b", 64)
	record := ledger.Record{Build: "machine-os-worker-0123456789-1", Fingerprint: report.Fingerprint, Config: report.Config, Attempt: 1, Image: image}
	dir := edited(t, "pool.yaml", "registry.example.com/ocp/os@sha256:"+strings.Repeat("a", 64), image)
	editedAgain(t, dir, "pool.yaml", report.PublishedConfig, report.Config)
	return editedAgain(t, dir, "pool.yaml", "  annotations:\n", "  annotations:\n    "+constants.BuildRecordAnnotation+": '"+record.String()+"'\n")
}

func TestRenderNothingToBuild(t *testing.T) {
	dir := published(t)
	out, stderr, code := renderBuildOf(t, "-f", dir, "--diff")
	require.Zero(t, code, "the image is published")
	require.Empty(t, stderr)
	require.Contains(t, out, "nothing to build")
	require.Contains(t, out, "ImagePublished")
	require.Contains(t, out, "none in the config")
	require.Contains(t, out, "unchanged: custom content")
	require.NotContains(t, out, "Inputs of the Build", "none is created")
	require.NotContains(t, out, "without a build")

	before := editedAgain(t, published(t), "pool.yaml", "desired-os-image: ", "other: ")
	out, _, code = renderBuildOf(t, "-f", before)
	require.Zero(t, code, "the image is on record")
	require.Contains(t, out, "is published without a build")

	editedAgain(t, dir, "configmaps.yaml", "bin/vi\n", "bin/view\n")
	out, _, code = renderBuildOf(t, "-f", dir, "--diff")
	require.Equal(t, exitWouldBuild, code, "custom content is an input")
	require.Contains(t, out, "none in the config")
	require.Contains(t, out, "changed, at least one of: custom content")
}

func TestRenderBlocked(t *testing.T) {
	const secondFile = "etc/report.d"
	for name, test := range map[string]struct {
		reason         string
		file, text, by string
		want           []string
		// unknown tells that not even the content is known.
		unknown bool
	}{
		"paused":              {reason: "no build starts then", file: "pool.yaml", text: "paused: false", by: "paused: true", want: []string{"PoolPaused", "MachineConfigPool worker", "spec.paused"}},
		"not opted in":        {reason: "whoever opts in wants to look before", file: "pool.yaml", text: `layering-enabled: ""`, by: `layering-enabled: "false"`, want: []string{"NotOptedIn", "MachineConfigPool worker", "layering-enabled"}},
		"config missing":      {reason: "there is nothing to look at", file: "pool.yaml", text: "rendered-worker-2b", by: "rendered-worker-3c", want: []string{"RenderedConfigMissing", "MachineConfig rendered-worker-3c", "spec.configuration.name"}, unknown: true},
		"settings invalid":    {reason: "the key is named", file: "configmaps.yaml", text: "finalImagePullspec: registry.example.com/ocp/os", by: "finalImagePullspec: os", want: []string{"ConfigMapInvalid", "ConfigMap machine-os-builder-config, key finalImagePullspec", "use registry/organisation/repository"}},
		"credentials refused": {reason: "they are not built in", file: "configmaps.yaml", text: "data:\n  finalImage", by: "data:\n  rejectCredentials: \"true\"\n  finalImage", want: []string{"CredentialsInConfig", "/etc/report.d/endpoint.key (private key)", "rejectCredentials"}},
		"content invalid":     {reason: "the config cannot be in an image", file: "rendered.yaml", text: `"data:;base64,bmV0`, by: `"https://example.com/canary`, want: []string{"RenderedConfigInvalid", "MachineConfig rendered-worker-2b"}, unknown: true},
		"custom invalid":      {reason: "the line is named", file: "configmaps.yaml", text: "    RUN ln", by: "    RUNS ln", want: []string{"CustomContentInvalid", "key worker: line 2"}},
		"repository missing":  {reason: "packages have to come from somewhere", file: "configmaps.yaml", text: "coreos-extensions.repo", by: "other.repo", want: []string{"RepositoriesInvalid", "ConfigMap etc-yum-repos-d", "coreos-extensions.repo"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := edited(t, test.file, test.text, test.by)
			out, stderr, code := renderBuildOf(t, "-f", dir)
			require.Equal(t, exitBlocked, code, "%s:\n%s", test.reason, out)
			for _, want := range test.want {
				require.Contains(t, out, want, test.reason)
				require.Contains(t, stderr, want, test.reason)
			}
			if !test.unknown {
				require.Contains(t, out, secondFile, "what is known is told")
			}
		})
	}
}

func TestRenderErrors(t *testing.T) {
	write := func(content string) string {
		name := filepath.Join(t.TempDir(), "objects.yaml")
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	const pools = "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfigPool\nmetadata: {name: infra}\n"
	for name, test := range map[string]struct {
		reason string
		args   []string
		want   []string
	}{
		"no pool and no file": {reason: "there is nothing to look at", want: []string{"--pool is missing"}},
		"unknown form":        {reason: "a typing error", args: []string{"-f", examples, "-o", "xml"}, want: []string{`--output "xml"`, "text, yaml, json"}},
		"dry run of files":    {reason: "there is no server", args: []string{"-f", examples, "--server-dry-run"}, want: []string{"--server-dry-run needs a cluster"}},
		"files and cluster":   {reason: "one would be ignored without a word", args: []string{"-f", examples, "--kubeconfig", "x"}, want: []string{"--kubeconfig and -f"}},
		"no such file":        {reason: "a typing error", args: []string{"-f", "does-not-exist"}, want: []string{"does-not-exist"}},
		"several pools":       {reason: "which one is meant?", args: []string{"-f", examples, "-f", write(pools)}, want: []string{"--pool", `"worker", "infra"`}},
		"no such pool":        {reason: "a typing error", args: []string{"-f", examples, "--pool", "workers"}, want: []string{`no MachineConfigPool "workers"`, `"worker"`}},
		"given twice":         {reason: "one would be ignored without a word", args: []string{"-f", examples, "-f", filepath.Join(examples, "pool.yaml")}, want: []string{"MachineConfigPool worker is given twice", "pool.yaml, document 1"}},
		"not YAML":            {reason: "a damaged file, of which nothing is told", args: []string{"-f", write("kind: Secret\ndata: {a: canary")}, want: []string{"document 1", "not valid YAML"}},
		"not an object":       {reason: "another kind of file", args: []string{"-f", write("canary")}, want: []string{"document 1", "a Kubernetes object"}},
		"not base64":          {reason: "a Secret that no API server takes", args: []string{"-f", write("apiVersion: v1\nkind: Secret\nmetadata: {name: push}\ndata: {a: canary-}\n")}, want: []string{"document 1", "not a Secret"}},
		"not a time":          {reason: "the message of the parser would quote it", args: []string{"-f", write("apiVersion: v1\nkind: Secret\nmetadata: {name: push, creationTimestamp: canary}\n")}, want: []string{"document 1"}},
		"wrong type":          {reason: "the field is named", args: []string{"-f", write(pools + "spec: {paused: canary}\n")}, want: []string{"document 1", "spec.paused", "string"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, stderr, code := renderBuildOf(t, test.args...)
			require.Equal(t, 1, code, test.reason)
			require.Empty(t, out)
			for _, want := range test.want {
				require.Contains(t, stderr, want, test.reason)
			}
		})
	}
}

// TestRenderWithholdsCustomContent: the Containerfile is shown, but not what an
// administrator should not have written into it.
func TestRenderWithholdsCustomContent(t *testing.T) {
	key := "-----BEGIN PRIVATE" + " KEY-----canary"
	dir := edited(t, "configmaps.yaml", "RUN ln -sf /usr/bin/vim /usr/bin/vi", "RUN echo '"+key+"' >/etc/key")
	for _, form := range []string{cluster.Text, cluster.YAML, cluster.JSON} {
		out, _, code := renderBuildOf(t, "-f", dir, "-o", form)
		require.Equal(t, exitWouldBuild, code)
		require.Contains(t, out, "3 lines are not shown")
	}
}

func TestRenderDiffThatIsNotKnown(t *testing.T) {
	dir := edited(t, "pool.yaml", "rendered-worker-1a", "rendered-worker-0f")
	out, _, code := renderBuildOf(t, "-f", dir, "--diff")
	require.Equal(t, exitWouldBuild, code)
	require.Regexp(t, `not known: MachineConfig rendered-worker-0f\w+, which the published image was built from, is not available`, out)
}

// TestRenderBuildUnderWay: a Build among the objects is followed, as by the controller.
func TestRenderBuildUnderWay(t *testing.T) {
	report := reportOf(t, examples)
	for phase, want := range map[buildv1.BuildPhase]string{
		buildv1.BuildPhaseRunning: ledger.ReasonBuildRunning,
		buildv1.BuildPhaseFailed:  ledger.ReasonRetryScheduled,
	} {
		build := &buildv1.Build{}
		made, err := json.Marshal(report.Build)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(made, build))
		build.Status.Phase, build.CreationTimestamp = phase, metav1.Now()
		text, err := yaml.Marshal(build)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "build.yaml")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		next := reportOf(t, examples, "-f", file)
		require.Equal(t, preview.WouldBuild, next.Outcome)
		require.Equal(t, want, next.Reason)
		require.Nil(t, next.Build, "another one is created only when this one has come to nothing, and the time has come")
	}
}

func TestRenderListsAndSecrets(t *testing.T) {
	dir := edited(t, "blocked/secrets.yaml", `"quay.example.com"`, `"registry.example.com"`)
	report := reportOf(t, dir, "-f", filepath.Join(dir, "blocked"))
	require.Equal(t, preview.WouldBuild, report.Outcome, "the Secrets are good")
	require.NotContains(t, strings.Join(report.NotChecked, " "), "Secret pu", "they were checked")

	list := filepath.Join(t.TempDir(), "list.json")
	require.NoError(t, os.WriteFile(list, []byte(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}},
		{"apiVersion":"v1","kind":"Secret","metadata":{"name":"etc-pki-entitlement"},"data":{"entitlement.pem":"Y2FuYXJ5"}}]}`), 0o600))
	report = reportOf(t, examples, "-f", list)
	require.Contains(t, strings.Join(report.Image.Mounted, " "), "Secret etc-pki-entitlement at /etc/pki/entitlement")
	require.Contains(t, strings.Join(report.Warnings, " "), "Node n", "what is not used is told")
}

// withMachineOSConfig are the examples with a MachineOSConfig for the pool, which has no label.
func withMachineOSConfig(t *testing.T, pushSpec string) string {
	t.Helper()
	dir := edited(t, "pool.yaml", `layering-enabled: ""`, `layering-enabled: "false"`)
	text := `apiVersion: machineconfiguration.openshift.io/v1
kind: MachineOSConfig
metadata: {name: layered, uid: 0e5d3e5c-52b4-4f5c-9d5c-6c1f0a3c9b10, generation: 1}
spec:
  machineConfigPool: {name: worker}
  imageBuilder: {imageBuilderType: Job}
  renderedImagePushSecret: {name: push-of-layered}
  renderedImagePushSpec: ` + pushSpec + `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: machine-config-operator-images, namespace: openshift-machine-config-operator}
data: {images.json: '{"machineConfigOperator":"quay.example.com/openshift/operator@sha256:` + strings.Repeat("2", 64) + `"}'}
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "machineosconfig.yaml"), []byte(text), 0o600))
	return dir
}

// TestRenderMachineOSConfig: a pool that a MachineOSConfig opts in is decided on by that.
func TestRenderMachineOSConfig(t *testing.T) {
	dir := withMachineOSConfig(t, "registry.example.com/ocp/layered:latest")
	out, stderr, code := renderBuildOf(t, "-f", dir)
	require.Equal(t, exitWouldBuild, code, "%s%s", out, stderr)
	require.Contains(t, out, "registry.example.com/ocp/layered:layered-", "the tag is the MachineOSBuild's name")
	require.Contains(t, out, "push-of-layered")

	_, stderr, code = renderBuildOf(t, "-f", withMachineOSConfig(t, "registry.example.com/a/b/c:latest"))
	require.Equal(t, exitBlocked, code)
	require.Contains(t, stderr, "PushSpecInvalid: MachineOSConfig layered, spec.renderedImagePushSpec: ")
}
