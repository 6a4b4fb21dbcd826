package renderbuild

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/cmd/machine-config-controller/cluster/clustertest"
)

// renderBuildFrom runs the command with standard input.
func renderBuildFrom(t *testing.T, in []byte, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := NewCommand(clustertest.Backend())
	command.SetIn(bytes.NewReader(in))
	stdout, stderr, code = clustertest.Execute(t, command, args...)
	clustertest.RequireNoCanary(t, stdout+stderr)
	return stdout, stderr, code
}

// exampleText are all examples as one text of several documents.
func exampleText(t *testing.T) []byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(examples, "*.yaml"))
	require.NoError(t, err)
	var all bytes.Buffer
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		all.WriteString("---\n")
		all.Write(content)
	}
	return all.Bytes()
}

// inJSON are the documents as JSON.
func inJSON(t *testing.T, text []byte) (objects []string) {
	t.Helper()
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		object, err := yaml.YAMLToJSON([]byte(document))
		require.NoError(t, err)
		if string(object) != "null" {
			objects = append(objects, string(object))
		}
	}
	return objects
}

func inUTF16(text []byte) []byte {
	encoded := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(string(text))) {
		encoded = binary.LittleEndian.AppendUint16(encoded, unit)
	}
	return encoded
}

// TestR28AsToolsDeliver: what oc, jq and shells write is read as it comes, and says the same.
func TestR28AsToolsDeliver(t *testing.T) {
	want, _, _ := renderBuildOf(t, "-f", examples)
	for name, test := range map[string]struct {
		reason string
		text   func([]byte) []byte
	}{
		"YAML":         {reason: "oc get -o yaml, several times", text: func(text []byte) []byte { return text }},
		"Windows":      {reason: "lines that an editor ends in its own way", text: func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }},
		"mark":         {reason: "an editor's mark of UTF-8", text: func(text []byte) []byte { return append([]byte{0xef, 0xbb, 0xbf}, text...) }},
		"UTF-16":       {reason: "a shell's > that writes it", text: inUTF16},
		"list":         {reason: "oc get of several kinds", text: func(text []byte) []byte { return listOf(inJSON(t, text), "v1", "List") }},
		"JSON":         {reason: "jq '.items[]'", text: func(text []byte) []byte { return []byte(strings.Join(inJSON(t, text), "\n")) }},
		"JSON, a line": {reason: "jq -j", text: func(text []byte) []byte { return []byte(strings.Join(inJSON(t, text), "")) }},
	} {
		t.Run(name, func(t *testing.T) {
			text := test.text(exampleText(t))
			got, stderr, code := renderBuildFrom(t, text, "-f", "-")
			require.Equal(t, exitWouldBuild, code, "%s: %s", test.reason, stderr)
			require.Equal(t, want, got, test.reason)
			file := filepath.Join(t.TempDir(), "objects")
			require.NoError(t, os.WriteFile(file, text, 0o600))
			got, _, _ = renderBuildOf(t, "-f", file)
			require.Equal(t, want, got, "a file of any name says the same")
		})
	}
	pool := filepath.Join(examples, "pool.yaml")
	got, _, _ := renderBuildOf(t, "-f", pool+","+filepath.Join(examples, "rendered.yaml")+","+filepath.Join(examples, "configmaps.yaml"), "-f", filepath.Join(examples, "controllerconfig.yaml"))
	require.Equal(t, want, got, "kubectl takes names in one flag, too")
}

func listOf(objects []string, version, kind string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"items":[%s]}`, version, kind, strings.Join(objects, ","))
}

// mustGather is a directory as oc adm must-gather leaves it, of the examples.
func mustGather(t *testing.T) (dir string, put func(name string, content []byte)) {
	t.Helper()
	dir = t.TempDir()
	put = func(name string, content []byte) {
		file := filepath.Join(dir, "quay-io-release-sha256-0", filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, content, 0o600))
	}
	of := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(examples, name))
		require.NoError(t, err)
		return content
	}
	const scoped = "cluster-scoped-resources/machineconfiguration.openshift.io/"
	put(scoped+"machineconfigpools/worker.yaml", of("pool.yaml"))
	put(scoped+"machineconfigs/rendered.yaml", of("rendered.yaml"))
	put(scoped+"controllerconfigs/machine-config-controller.yaml", of("controllerconfig.yaml"))
	const namespaced = "namespaces/openshift-machine-config-operator/core/"
	var bare []string
	for _, object := range inJSON(t, of("configmaps.yaml")) {
		bare = append(bare, strings.Replace(strings.Replace(object, `"apiVersion":"v1",`, "", 1), `"kind":"ConfigMap",`, "", 1))
	}
	put(namespaced+"configmaps.yaml", listOf(bare, "v1", "ConfigMapList"))
	put("version", []byte("openshift/must-gather\n4.20"))
	put("etcd_info/endpoint_status.json", []byte(`[{"Endpoint":"https://10.0.0.1:2379"}]`))
	put("monitoring/prometheus/rules.json", []byte(`{"status":"success","data":{}}`))
	put("monitoring/broken.yaml", []byte("a: [\n"))
	put("static-pods/kube-apiserver/kube-apiserver.log", []byte("no object"))
	return dir, put
}

// TestR28MustGather: what support is given can be looked at.
func TestR28MustGather(t *testing.T) {
	dir, put := mustGather(t)
	_, stderr, code := renderBuildOf(t, "-f", dir)
	require.Equal(t, 1, code, "as with kubectl, only -R goes below")
	require.Contains(t, stderr, "there is no MachineConfigPool in the files; directories in "+dir+" were left out, -R reads them, too")

	want := reportOf(t, examples)
	got := reportOf(t, dir, "-R")
	require.Equal(t, want.Fingerprint, got.Fingerprint, "the same would be built")
	require.Equal(t, want.Containerfile, got.Containerfile)
	told := strings.Join(got.Warnings, "\n")
	for _, name := range []string{"endpoint_status.json", "rules.json", "broken.yaml"} {
		require.Contains(t, told, name, "what was left out is told")
	}

	pool, err := os.ReadFile(filepath.Join(examples, "pool.yaml"))
	require.NoError(t, err)
	stamped := func(version string, paused bool) []byte {
		text := strings.Replace(string(pool), "metadata:\n", "metadata:\n  uid: uid-of-pool\n  resourceVersion: \""+version+"\"\n", 1)
		return []byte(strings.Replace(text, "paused: false", fmt.Sprintf("paused: %t", paused), 1))
	}
	const again = "cluster-scoped-resources/machineconfiguration.openshift.io/machineconfigpools/"
	put(again+"worker.yaml", stamped("99", true))
	put("other-image/"+again+"worker.yaml", stamped("100", false))
	require.Equal(t, want.Fingerprint, reportOf(t, dir, "-R").Fingerprint)
	require.NotEqual(t, "PoolPaused", reportOf(t, dir, "-R").Reason, "the newer one counts, by number and not by letters")
	put("other-image/"+again+"worker.yaml", stamped("98", false))
	got = reportOf(t, dir, "-R")
	require.Equal(t, "PoolPaused", got.Reason, "whichever comes first")
	require.Contains(t, strings.Join(got.Warnings, "\n"), "MachineConfigPool worker of ", "the other is told")

	put("other-image/"+again+"worker.yaml", stamped("99", true))
	require.Equal(t, "PoolPaused", reportOf(t, dir, "-R").Reason, "twice the same is once")
	put("other-image/"+again+"worker.yaml", bytes.Replace(pool, []byte("paused: false"), []byte("paused: true"), 1))
	_, stderr, code = renderBuildOf(t, "-R", "-f", dir)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "MachineConfigPool worker is given twice", "of two that are not states of one, none is the right one")
}

// TestR28ContentTakenOut: what a tool puts in the place of a secret is no secret.
func TestR28ContentTakenOut(t *testing.T) {
	dir, put := mustGather(t)
	elided := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"push","namespace":"openshift-machine-config-operator"},"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"MTIzIGJ5dGVzIGxvbmc="}}`
	put("namespaces/openshift-machine-config-operator/core/secrets.yaml", listOf([]string{elided}, "v1", "SecretList"))
	got := reportOf(t, dir, "-R")
	require.Equal(t, reportOf(t, examples).Fingerprint, got.Fingerprint)
	require.NotEqual(t, "SecretInvalid", got.Reason)
	require.Contains(t, strings.Join(got.Warnings, "\n"), "Secret push (")
}

// TestR28ThousandsOfObjects: a must-gather is not told object by object.
func TestR28ThousandsOfObjects(t *testing.T) {
	dir, put := mustGather(t)
	for i := range 50 {
		put(fmt.Sprintf("cluster-scoped-resources/core/nodes/%d.yaml", i), fmt.Appendf(nil, "apiVersion: v1\nkind: Node\nmetadata: {name: node-%d}\n", i))
		put(fmt.Sprintf("monitoring/%d.json", i), []byte(`{}`))
	}
	told := reportOf(t, dir, "-R").Warnings
	require.Less(t, len(told), 10)
	require.Contains(t, strings.Join(told, "\n"), "there are 50 objects on which no build depends, such as Node node-0 (")
	require.Contains(t, strings.Join(told, "\n"), "files that were left out, such as ")
}

// TestR28WhatCannotBeRead: each message has the way out.
func TestR28WhatCannotBeRead(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(exampleText(t))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, test := range map[string]struct {
		reason string
		in     []byte
		args   []string
		want   string
	}{
		"nothing came":    {reason: "a command before the | that failed", args: []string{"-f", "-"}, want: "there is no MachineConfigPool in the files"},
		"twice":           {reason: "the second one would be empty", in: exampleText(t), args: []string{"-f", "-", "-f", "-"}, want: "standard input can be read only once"},
		"compressed":      {reason: "a must-gather that was not unpacked", in: packed.Bytes(), args: []string{"-f", "-"}, want: "it is compressed; unpack it first"},
		"address":         {reason: "kubectl would fetch it", args: []string{"-f", "https://example.com/pool.yaml"}, want: "fetch it first"},
		"recursive alone": {reason: "of what?", args: []string{"-R", "--pool", "worker"}, want: "--recursive is about directories; name them by -f"},
		"broken input":    {reason: "where it is broken", in: []byte("a: [\n"), args: []string{"-f", "-"}, want: "standard input, document 1: it is not valid YAML"},
		"context":         {reason: "one would be ignored without a word", in: exampleText(t), args: []string{"-f", "-", "--context", "c"}, want: "--context and -f exclude each other"},
		"broken, named":   {reason: "whoever names a file means it, -R or not", args: []string{"-R", "-f", filepath.Join("testdata", "report.txt")}, want: "report.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			out, stderr, code := renderBuildFrom(t, test.in, test.args...)
			require.Equal(t, 1, code, test.reason)
			require.Empty(t, out)
			require.Contains(t, stderr, test.want, test.reason)
		})
	}
}

// TestR52RenderForms: the names of what would be created, and parts of the report.
func TestR52RenderForms(t *testing.T) {
	out, _, code := renderBuildOf(t, "-f", examples, "-o", "name")
	require.Equal(t, exitWouldBuild, code, "the exit code is that of any form")
	require.Regexp(t, `^secret/machine-os-worker-\w+-1\nbuild\.build\.openshift\.io/machine-os-worker-\w+-1\n$`, out)
	out, _, _ = renderBuildOf(t, "-f", examples, "-o", "jsonpath={.outcome}: {.content.entries[*].path}")
	require.True(t, strings.HasPrefix(out, "WouldBuild: /etc/chrony.conf "), out)
	out, _, _ = renderBuildOf(t, "-f", examples, "-o", "custom-columns=POOL:.pool,REASON:.reason", "--no-headers")
	require.Equal(t, "worker   BuildCreated\n", out)
	out, _, code = renderBuildOf(t, "-f", published(t), "-o", "name")
	require.Zero(t, code)
	require.Empty(t, out, "nothing would be created")
}
