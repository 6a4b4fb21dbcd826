package job

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
)

// pod is a directory in which the script finds what a pod has.
type pod struct {
	t    *testing.T
	root string
	env  map[string]string
}

// stub is a buildah that records how it is called, and does what its variables say.
const stub = `#!/bin/sh
printf '%s\n' "$*" >>"$STUB/calls"
env >"$STUB/env"
for word; do
    case $word in
    --version) printf '%s\n' "${STUB_VERSION:-}" ;;
    info) exit "${STUB_OVERLAY:-1}" ;;
    pull) [ -z "${STUB_PULL:-}" ] || { printf '%s\n' "$STUB_PULL"; exit 125; } ;;
    bud)
        ls "$(eval "printf %s \"\${$#}\"")" >"$STUB/context"
        cp "$HOME/.config/containers/registries.conf" "$STUB/registries.conf" 2>/dev/null
        [ -z "${STUB_HANG:-}" ] || { trap 'exit 0' TERM; : >"$STUB/hangs"; while :; do sleep 0.05; done; }
        [ -z "${STUB_BUD:-}" ] || { cat "$STUB_BUD"; exit 2; }
        ;;
    push)
        [ -z "${STUB_PUSH:-}" ] || { printf '%s\n' "$STUB_PUSH"; exit 125; }
        while [ $# -gt 0 ]; do
            [ "$1" != --digestfile ] || printf '%s' "$STUB_DIGEST" >"$2"
            shift
        done
        ;;
    esac
done
`

func newPod(t *testing.T) *pod {
	p := &pod{t: t, root: t.TempDir(), env: map[string]string{}}
	for _, dir := range []string{"inputs", "credentials/push", "memory", "storage", "stub", "bin"} {
		require.NoError(t, os.MkdirAll(filepath.Join(p.root, dir), 0o755))
	}
	p.write("bin/buildah", stub)
	require.NoError(t, os.Chmod(filepath.Join(p.root, "bin/buildah"), 0o755))
	p.write("inputs/build.sh", string(script))
	p.write("inputs/Containerfile", text)
	p.write("credentials/push/.dockerconfigjson", `{"auths":{"registry.example.com":{"auth":"cHVzaA=="}}}`)
	p.env = map[string]string{
		"PATH": filepath.Join(p.root, "bin") + ":" + os.Getenv("PATH"), "MACHINE_OS_ROOT": p.root, "TERMINATION_LOG": filepath.Join(p.root, "message"),
		"CGROUP_ROOT": filepath.Join(p.root, "cgroup"), "STUB": filepath.Join(p.root, "stub"), "STUB_DIGEST": aDigest,
		envOutput: anOutput + ":tag", envContainerfile: imagebuilder.ContainerfileHash(text), envImages: "registry.example.com/base",
	}
	return p
}

func (p *pod) write(name, content string) {
	file := filepath.Join(p.root, name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(p.t, os.WriteFile(file, []byte(content), 0o644))
}

func (p *pod) read(name string) string {
	content, err := os.ReadFile(filepath.Join(p.root, name))
	require.NoError(p.t, err)
	return string(content)
}

func (p *pod) command() *exec.Cmd {
	command := exec.Command("/bin/sh", filepath.Join(p.root, "inputs/build.sh"))
	for name, value := range p.env {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// run is the exit code, the termination message, and what went to the log.
func (p *pod) run() (code int, message said, log string) {
	output, err := p.command().CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		require.NoError(p.t, err)
	}
	content := p.read("message")
	require.LessOrEqual(p.t, len(content), 4096, "the kubelet cuts the rest off")
	require.NoError(p.t, json.Unmarshal([]byte(content), &message), content)
	return code, message, string(output)
}

// authsOf reads a file of credentials as builders do.
func (p *pod) authsOf(name string) map[string]string {
	var config struct {
		Auths map[string]struct {
			Auth string `json:"auth"`
		} `json:"auths"`
	}
	require.NoError(p.t, json.Unmarshal([]byte(p.read(name)), &config))
	auths := map[string]string{}
	for registry, entry := range config.Auths {
		auths[registry] = entry.Auth
	}
	return auths
}

func TestScriptBuilds(t *testing.T) {
	p := newPod(t)
	p.write("credentials/pull/config.json", "{\n  \"auths\": {\"registry.example.com\": {\"auth\": \"cHVsbA==\"}}\n}\n")
	code, message, log := p.run()
	require.Zero(t, code, log)
	require.Equal(t, said{Digest: aDigest}, message)
	calls := strings.Split(strings.TrimSpace(p.read("stub/calls")), "\n")
	require.Len(t, calls, 4)
	at := "--root " + p.root + "/storage/vfs/root --runroot " + p.root + "/storage/vfs/run --storage-driver vfs "
	require.Contains(t, calls[0], "overlay info", "it is tried whether the kernel lets it")
	require.Equal(t, at+"pull --authfile "+p.root+"/memory/pull.json registry.example.com/base", calls[1])
	require.Equal(t, at+"bud --isolation chroot --format docker --pull=false --no-cache --layers=false --authfile "+p.root+"/memory/pull.json --file "+
		p.root+"/inputs/Containerfile --tag localhost/machine-os "+p.root+"/storage/context", calls[2])
	require.Equal(t, at+"push --authfile "+p.root+"/memory/push.json --digestfile "+p.root+"/storage/digest localhost/machine-os docker://"+anOutput+":tag", calls[3])
	require.Equal(t, map[string]string{"registry.example.com": "cHVsbA=="}, p.authsOf("memory/pull.json"))
	require.Equal(t, map[string]string{"registry.example.com": "cHVzaA=="}, p.authsOf("memory/push.json"), "a pull Secret's entry does not hide the push Secret's")
	for _, secret := range []string{"cHVzaA", "cHVsbA"} {
		require.NotContains(t, log+p.read("stub/calls"), secret, "no credential is printed, or an argument")
	}
}

func TestScriptTakesOverlay(t *testing.T) {
	p := newPod(t)
	p.env["STUB_OVERLAY"] = "0"
	code, _, log := p.run()
	require.Zero(t, code, log)
	require.Contains(t, p.read("stub/calls"), "--storage-driver overlay bud")
}

// TestScriptMergesCredentials: what Secrets have is merged without a parser.
func TestScriptMergesCredentials(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		files  map[string]string
		want   map[string]string
	}{
		"none":             {reason: "public images need none", want: map[string]string{}},
		"the cluster's":    {reason: "it is there on OpenShift", files: map[string]string{"cluster/.dockerconfigjson": `{"auths":{"a":{"auth":"1"}}}`}, want: map[string]string{"a": "1"}},
		"both":             {reason: "the pull Secret counts more", files: map[string]string{"cluster/.dockerconfigjson": `{"auths":{"a":{"auth":"1"},"b":{"auth":"2"}}}`, "pull/.dockerconfigjson": `{"auths":{"a":{"auth":"3"}}}`}, want: map[string]string{"a": "3", "b": "2"}},
		"dockercfg":        {reason: "the old form has no auths", files: map[string]string{"cluster/.dockerconfigjson": `{"auths":{"a":{"auth":"1"}}}`, "pull/.dockercfg": `{"b":{"auth":"2"}}`}, want: map[string]string{"a": "1", "b": "2"}},
		"pretty, and more": {reason: "tools write other things beside", files: map[string]string{"pull/config.json": "\ufeff {\n\t\"auths\" : {\n \"a\" : {\"auth\":\"1\", \"email\":\"}{\"}}, \"HttpHeaders\": {\"x\":\"y\"}\n}\n\n"}, want: map[string]string{"a": "1"}},
		"empty":            {reason: "an object with nothing in it is none", files: map[string]string{"cluster/.dockerconfigjson": `{ }`, "pull/.dockercfg": `{"b":{"auth":"2"}}`}, want: map[string]string{"b": "2"}},
		"nothing":          {reason: "no braces, no object", files: map[string]string{"cluster/.dockerconfigjson": ``, "pull/.dockercfg": `{"b":{"auth":"2"}}`}, want: map[string]string{"b": "2"}},
		"order of keys":    {reason: "as Builds read a Secret", files: map[string]string{"pull/config.json": `{"auths":{"a":{"auth":"1"}}}`, "pull/.dockerconfigjson": `{"auths":{"a":{"auth":"2"}}}`}, want: map[string]string{"a": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			for file, content := range test.files {
				p.write("credentials/"+file, content)
			}
			code, _, log := p.run()
			require.Zero(t, code, log)
			require.Equal(t, test.want, p.authsOf("memory/pull.json"), test.reason)
		})
	}
}

// TestScriptSaysWhy: each way to fail has a code and a reason of its own.
func TestScriptSaysWhy(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		play   func(p *pod)
		code   int
		step   string
		want   string
		log    string
	}{
		"no buildah": {reason: "an image of another kind", code: exitImage, step: "inputs", want: reasonImageUnusable, play: func(p *pod) {
			require.NoError(p.t, os.Remove(filepath.Join(p.root, "bin/buildah")))
			tools := filepath.Join(p.root, "tools")
			require.NoError(p.t, os.Mkdir(tools, 0o755))
			for _, tool := range []string{"cat", "tail", "tr"} {
				file, err := exec.LookPath(tool)
				require.NoError(p.t, err)
				require.NoError(p.t, os.Symlink(file, filepath.Join(tools, tool)))
			}
			p.env["PATH"] = tools
		}},
		"another Containerfile": {reason: "somebody replaced the input", code: exitInputs, step: "inputs", want: reasonInputs, play: func(p *pod) { p.write("inputs/Containerfile", "FROM evil\n") }},
		"no Containerfile":      {reason: "somebody took it away", code: exitInputs, step: "inputs", want: reasonInputs, play: func(p *pod) { require.NoError(p.t, os.Remove(filepath.Join(p.root, "inputs/Containerfile"))) }},
		"pull":                  {reason: "no such image", code: exitPull, step: "pull", want: reasonPullFailed, log: "manifest unknown\n", play: func(p *pod) { p.env["STUB_PULL"] = "manifest unknown" }},
		"build":                 {reason: "a step", code: exitBuild, step: "build", want: reasonStepFailed, log: "a \"quoted\" \\ line\nlast\n", play: func(p *pod) { p.budPrints("a \"quoted\" \\ line\nlast") }},
		"push":                  {reason: "denied", code: exitPush, step: "push", want: reasonPushFailed, log: "denied: \n", play: func(p *pod) { p.env["STUB_PUSH"] = "denied: " }},
		"no digest":             {reason: "buildah forgot it", code: exitPush, step: "push", want: reasonPushFailed, play: func(p *pod) { p.env["STUB_DIGEST"] = "" }},
		"no space":              {reason: "the node's, and not the build's", code: exitSpace, step: "build", want: reasonOutOfSpace, play: func(p *pod) { p.budPrints("write x: no space left on device") }, log: "write x: no space left on device\n"},
		"no memory": {reason: "the kernel ended a process of the build", code: exitMemory, step: "build", want: reasonOOM, log: "exit status 137\n", play: func(p *pod) {
			p.write("cgroup/memory.events", "low 0\noom 1\noom_kill 1\n")
			p.budPrints("exit status 137")
		}},
		"no memory, v1": {reason: "the older form", code: exitMemory, step: "build", want: reasonOOM, log: "exit status 137\n", play: func(p *pod) {
			p.write("cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
			p.budPrints("exit status 137")
		}},
		"memory enough": {reason: "nothing was killed", code: exitBuild, step: "build", want: reasonStepFailed, log: "x\n", play: func(p *pod) { p.write("cgroup/memory.events", "oom_kill 0\n"); p.budPrints("x") }},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			test.play(p)
			code, message, _ := p.run()
			require.Equal(t, test.code, code, test.reason)
			require.Equal(t, test.want, message.Reason)
			require.Equal(t, test.step, message.Step)
			require.Equal(t, test.log, message.Log)
			require.NotEmpty(t, message.Message)
			require.Equal(t, test.want, ofExitCode[int32(code)], "the code alone says it")
		})
	}
}

func (p *pod) budPrints(text string) {
	p.write("words", text+"\n")
	p.env["STUB_BUD"] = filepath.Join(p.root, "words")
}

// TestScriptKeepsToTheLimit: the end of a long log, of any bytes, is what there is room for.
func TestScriptKeepsToTheLimit(t *testing.T) {
	for name, line := range map[string]string{"plain": "an ordinary line", "quotes": `"\"\"\"\"\"\"`, "bytes": "\x00\x01\xff\xfe\r\tä", "one line": strings.Repeat("x", 200)} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			separator := "\n"
			if name == "one line" {
				separator = ""
			}
			p.budPrints(strings.Repeat(line+separator, 2000) + "the last line")
			code, message, _ := p.run()
			require.Equal(t, exitBuild, code)
			require.True(t, strings.HasSuffix(message.Log, "the last line\n"), "the end is what counts")
			require.Greater(t, len(message.Log), 500)
		})
	}
}

// TestScriptNamesMissingCredentials: a pull that had none says so.
func TestScriptNamesMissingCredentials(t *testing.T) {
	p := newPod(t)
	p.env["STUB_PULL"] = "unauthorized: authentication required"
	_, message, _ := p.run()
	require.Equal(t, "could not pull registry.example.com/base, without any credentials: baseImagePullSecretName is not set, and there is no Secret global-pull-secret-copy", message.Message)
}

// TestScriptEndsWhenTold: whatever buildah does, the pod has not succeeded.
func TestScriptEndsWhenTold(t *testing.T) {
	p := newPod(t)
	p.env["STUB_HANG"] = "yes"
	command := p.command()
	require.NoError(t, command.Start())
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(p.root, "stub/hangs")); return err == nil }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, command.Wait(), &exit)
	require.Equal(t, exitTerminated, exit.ExitCode())
	var message said
	require.NoError(t, json.Unmarshal([]byte(p.read("message")), &message))
	require.Equal(t, reasonTerminated, message.Reason)
	require.Empty(t, message.Digest)
}

// TestScriptPreparesTheBuild: the context is the inputs without what is not of it, as files
// and not as links; volumes are copies; mirrors, certificates and the proxy are the cluster's.
func TestScriptPreparesTheBuild(t *testing.T) {
	p := newPod(t)
	p.write("inputs/proxy", "HTTPS_PROXY=http://user:pass=word@proxy:3128\nNO_PROXY=.svc\nPATH=/evil\n")
	p.write("inputs/machine-config.tar.gz.00", archive(t, map[string]string{"registries.conf": "unqualified-search-registries = []\n", "ignition.json": "{}"}))
	p.write("inputs/registry-ca.registry.example.com..5000", "with a port")
	p.write("inputs/registry-ca.quay.example.com", "without")
	p.write("inputs/registry-ca.image-registry.openshift-image-registry.svc..5000", "the cluster's")
	p.write("service-ca/service-ca.crt", "the service's")
	p.write("data/key.pem", "key")
	p.write("volumes/etc-pki-entitlement/key.pem", "")
	require.NoError(t, os.Remove(filepath.Join(p.root, "volumes/etc-pki-entitlement/key.pem")))
	require.NoError(t, os.Symlink("../../data/key.pem", filepath.Join(p.root, "volumes/etc-pki-entitlement/key.pem")))
	p.env[envVolumes] = "etc-pki-entitlement:/etc/pki/entitlement"
	code, _, log := p.run()
	require.Zero(t, code, log)
	require.Equal(t, "machine-config.tar.gz.00\n", p.read("stub/context"))
	require.Equal(t, "unqualified-search-registries = []\n", p.read("stub/registries.conf"))
	require.Contains(t, p.read("stub/calls"), "--volume "+p.root+"/storage/volumes/etc-pki-entitlement:/etc/pki/entitlement:ro,z ")
	require.Equal(t, "key", p.read("storage/volumes/etc-pki-entitlement/key.pem"))
	const certificates = "storage/home/.config/containers/certs.d/"
	require.Equal(t, "with a port", p.read(certificates+"registry.example.com:5000/cluster.crt"))
	require.Equal(t, "without", p.read(certificates+"quay.example.com/cluster.crt"))
	for name, want := range map[string]string{"cluster.crt": "the cluster's", "ca.crt": "the service's"} {
		require.Equal(t, want, p.read(certificates+"image-registry.openshift-image-registry.svc:5000/"+name), "neither hides the other")
	}
	environment := strings.Split(p.read("stub/env"), "\n")
	for _, want := range []string{"HTTPS_PROXY=http://user:pass=word@proxy:3128", "https_proxy=http://user:pass=word@proxy:3128", "NO_PROXY=.svc", "no_proxy=.svc"} {
		require.Contains(t, environment, want)
	}
	require.NotContains(t, environment, "PATH=/evil")
	require.NotContains(t, log+p.read("stub/calls"), "pass=word")
}

func archive(t *testing.T, files map[string]string) string {
	var packed bytes.Buffer
	compressor := gzip.NewWriter(&packed)
	packer := tar.NewWriter(compressor)
	for name, content := range files {
		require.NoError(t, packer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := packer.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, packer.Close())
	require.NoError(t, compressor.Close())
	return packed.String()
}

// TestScriptKnowsTooOldABuilder: what an older buildah says of a heredoc names no heredoc.
func TestScriptKnowsTooOldABuilder(t *testing.T) {
	const heredoc, hint = "FROM a\nRUN <<EOF\ntrue\nEOF\n", "reads no heredocs"
	for name, test := range map[string]struct {
		reason, version, text string
		hinted                bool
	}{
		"older":          {reason: "Debian's", version: "buildah version 1.28.2 (image-spec 1.1.0-rc2)", text: heredoc, hinted: true},
		"the last of it": {reason: "heredocs came with the next one", version: "buildah version 1.32.0 (image-spec 1)", text: heredoc, hinted: true},
		"newer":          {reason: "the step failed by itself", version: "buildah version 1.33.0 (image-spec 1)", text: heredoc},
		"much newer":     {reason: "numbers, not letters", version: "buildah version 1.100.1 (image-spec 1)", text: heredoc},
		"of the next":    {reason: "a new major version has them", version: "buildah version 2.1.0 (image-spec 1)", text: heredoc},
		"no heredoc":     {reason: "the age does not matter then", version: "buildah version 1.28.2 (image-spec 1)", text: "FROM a\nRUN false\n"},
		"no version":     {reason: "nothing is known", version: "what?", text: heredoc},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			p.write("inputs/Containerfile", test.text)
			p.env[envContainerfile] = imagebuilder.ContainerfileHash(test.text)
			p.env["STUB_VERSION"] = test.version
			p.budPrints("unknown instruction: true")
			code, message, _ := p.run()
			require.EqualValues(t, exitBuild, code, test.reason)
			require.Equal(t, test.hinted, strings.Contains(message.Message, hint), "%s: %s", test.reason, message.Message)
			if test.hinted {
				require.Contains(t, message.Message, strings.Fields(test.version)[2])
				require.Contains(t, message.Message, "jobBuilderImage")
			}
		})
	}
}
