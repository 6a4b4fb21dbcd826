package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
	"github.com/openshift/machine-config-operator/test/program"
)

// report is what render-build says of the content, as tools read it.
type report struct {
	Warnings []string
	Content  struct {
		Entries []struct {
			Kind, Path, Mode, Owner string
			Bytes                   *int64
			Notes                   []string
		}
		UnitStates []struct {
			Name   string
			States []string
		}
		Derived []struct{ What, From string }
		LeftOut []struct{ What, Why string }
	}
}

// renderBuild asks the program what it would build from the config.
func renderBuild(t *testing.T, program string, in input, entitled []buildrunner.Volume) report {
	t.Helper()
	pool := mcfgv1.MachineConfigPool{
		TypeMeta:   metav1.TypeMeta{APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineConfigPool"},
		ObjectMeta: metav1.ObjectMeta{Name: "worker", Labels: map[string]string{"machineconfiguration.openshift.io/layering-enabled": ""}},
	}
	pool.Spec.Configuration.Name = in.MachineConfig.Name
	config := in.MachineConfig
	config.TypeMeta = metav1.TypeMeta{APIVersion: mcfgv1.GroupVersion.String(), Kind: "MachineConfig"}
	config.Spec.OSImageURL = in.BaseImage
	controller := object{
		"apiVersion": mcfgv1.GroupVersion.String(), "kind": "ControllerConfig", "metadata": object{"name": "machine-config-controller"},
		"spec": object{"baseOSContainerImage": in.BaseImage, "additionalTrustBundle": []byte(in.TrustBundle)},
	}
	const namespace = "openshift-machine-config-operator"
	auth := `{"auths":{"registry.example.com":{"auth":"dTpw"}}}`
	settings := object{"finalImagePullspec": "registry.example.com/ocp/os", "finalImagePushSecretName": "push"}
	objects := []any{
		pool, config, controller,
		object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "machine-os-builder-config", "namespace": namespace}, "data": settings},
		corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "push", Namespace: namespace}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(auth)}},
	}
	for _, volume := range entitled {
		kind := "Secret"
		if strings.HasSuffix(volume.Destination, ".d") {
			kind = "ConfigMap"
		}
		name := strings.ReplaceAll(strings.TrimPrefix(volume.Destination, "/"), "/", "-")
		name = strings.ReplaceAll(name, ".", "-")
		objects = append(objects, object{"apiVersion": "v1", "kind": kind, "metadata": object{"name": name, "namespace": namespace}})
	}
	file := filepath.Join(t.TempDir(), "objects.yaml")
	var text []byte
	for _, one := range objects {
		document, err := yaml.Marshal(one)
		require.NoError(t, err)
		text = append(append(text, "---\n"...), document...)
	}
	require.NoError(t, os.WriteFile(file, text, 0o600))
	command := exec.CommandContext(t.Context(), program, "render-build", "-f", file, "-o", "json")
	command.Stderr = t.Output()
	answer, err := command.Output()
	exit := (*exec.ExitError)(nil)
	require.ErrorAs(t, err, &exit, "there is something to build, which an exit code tells")
	require.Equal(t, 2, exit.ExitCode(), "there is something to build")
	var r report
	require.NoError(t, json.Unmarshal(answer, &r))
	return r
}

// entitledVolumes are all that there can be, with files of names that the config has too.
func entitledVolumes() []buildrunner.Volume {
	return []buildrunner.Volume{
		{Destination: "/etc/pki/entitlement", Files: []buildrunner.SourceFile{{Path: "site.pem", Data: []byte("of the volume")}}},
		{Destination: "/etc/yum.repos.d", Files: []buildrunner.SourceFile{{Path: "site.repo", Data: []byte("of the volume")}}},
		{Destination: "/etc/pki/rpm-gpg", Files: []buildrunner.SourceFile{{Path: "other", Data: []byte("of the volume")}}},
	}
}

// realisticBase has what RHCOS has and the configs are about.
func (b *builds) realisticBase(t *testing.T) (pullspec string, files map[string]node) {
	t.Helper()
	const unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
	sources := map[string]string{
		"etc/hosts": "127.0.0.1 base\n", "etc/base-file": "base\n", "etc/base-mode": "base\n", "etc/base-kept": "base\n", "etc/base-appended": "base\n", "etc/pki/rpm-gpg/base-appended": "base\n", "etc/pki/rpm-gpg/base-linked": "base\n",
		"etc/yum.repos.d/redhat.repo": "[base]\n", "etc/chrony.conf": "base\n",
		"etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem": "base\n",
		"usr/bin/update-ca-trust":                          "#!/bin/sh\nset -e\ncd /etc/pki/ca-trust\ncat source/anchors/* >extracted/pem/tls-ca-bundle.pem\n",
	}
	for _, name := range strings.Fields("openvswitch base-enabled base-masked base-disabled preset crio pivot docker") {
		sources["usr/lib/systemd/system/"+name+".service"] = unit
	}
	job := buildrunner.Job{
		Dockerfile: fmt.Appendf(nil, `FROM %s
COPY root/ /
RUN chmod 0755 /usr/bin/update-ca-trust && chmod 0751 /etc/pki /etc/yum.repos.d && \
    mkdir -p /etc/pki/ca-trust/source/anchors /usr/lib/site && cp /usr/lib/*/libgcc_s.so.1 /usr/lib/site && \
    SYSTEMD_OFFLINE=1 systemctl enable openvswitch.service base-disabled.service && ln -s /dev/null /etc/systemd/system/base-masked.service && \
    userdel core && rm -rf /home && mkdir -p /var/home && ln -s var/home /home
`, b.base), Images: []string{b.base}, SingleLayer: true,
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		job.Sources = append(job.Sources, buildrunner.SourceFile{Path: "root/" + name, Data: []byte(sources[name])})
	}
	repository, digest := b.execute(t, job)
	return repository + "@" + digest, pull(t, repository, digest).files(t)
}

// likeness compares an image with what was said of it.
type likeness struct {
	config      *realistic
	report      report
	base, image map[string]node
	bundle      string
	// left are the differences between base and image that nothing has accounted for.
	left map[string]node
}

func (l *likeness) check(t *testing.T) {
	t.Helper()
	l.left = changes(l.base, l.image)
	require.Empty(t, l.report.Warnings)
	l.entries(t)
	l.leftOut(t)
	l.enablement(t)
	l.derived(t)
	l.parents()
	l.mountPoints()
	require.Empty(t, l.left, "the image has what the preview does not say")
}

// take accounts for a path.
func (l *likeness) take(name string) node {
	delete(l.left, name)
	return l.image[name]
}

// entries: all that the preview lists is in the image, as it says, and all that the config
// says is listed.
func (l *likeness) entries(t *testing.T) {
	t.Helper()
	ids := map[string]int{"root": 0, "mail": 8, "adm": 4, "7": 7}
	seen := map[string]bool{}
	for _, e := range l.report.Content.Entries {
		made := l.take(e.Path)
		require.False(t, seen[e.Path], "%s is listed twice", e.Path)
		seen[e.Path] = true
		user, group, _ := strings.Cut(e.Owner, ":")
		uid, known := ids[user]
		gid, groupKnown := ids[group]
		require.True(t, known && groupKnown, e.Owner)
		target := ""
		for _, note := range e.Notes {
			if rest, ok := strings.CutPrefix(note, "to "); ok {
				target = rest
			}
		}
		hard := slices.Contains(e.Notes, "hard link")
		text, hasText := l.config.text[e.Path]
		want := node{Type: "f", UID: uid, GID: gid, Hash: hashOf(text)}
		switch {
		case target != "" && !hard:
			want = node{Type: "l", Link: target}
		case hard:
			want = l.image[target]
			require.Equal(t, hashOf(text), want.Hash, e.Path)
		case e.Kind == "directory":
			want.Type, want.Hash = "d", ""
		default:
			require.True(t, hasText, "%s is listed, and the config has no such file", e.Path)
			if e.Bytes != nil && !slices.Contains(e.Notes, "appended") {
				require.Len(t, text, int(*e.Bytes), e.Path)
			}
		}
		if want.Type != "l" && !hard {
			mode, err := strconv.ParseInt(e.Mode, 8, 64)
			require.NoError(t, err)
			want.Mode = mode
		}
		if before, ok := l.base[e.Path]; ok && slices.Contains(e.Notes, "mode as in the base image, if it is there") {
			want.Mode = before.Mode
		}
		require.Equal(t, want, made, "%s %s is not as the preview says", e.Kind, e.Path)
	}
	for name := range l.config.text {
		require.True(t, seen[name], "%s is not listed", name)
	}
}

// leftOut: what is left to the node is listed, and is as the base image has it.
func (l *likeness) leftOut(t *testing.T) {
	t.Helper()
	listed := map[string]bool{}
	for _, left := range l.report.Content.LeftOut {
		listed[left.What] = true
		require.NotEmpty(t, left.Why)
		if path.IsAbs(left.What) {
			require.Equal(t, l.base[left.What], l.image[left.What], "%s is left to the node", left.What)
			require.True(t, l.config.outside[left.What], "%s could be in the image", left.What)
		}
	}
	for name := range l.config.outside {
		require.True(t, listed[name], "%s is not listed", name)
	}
}

// parents are made for what lies in them, as Ignition makes them.
func (l *likeness) parents() {
	made := map[string]bool{}
	for name := range changes(l.base, l.image) {
		if l.image[name].Type != "" {
			for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
				made[dir] = true
			}
		}
	}
	for name, entry := range l.left {
		if _, before := l.base[name]; !before && made[name] && entry == dir(0o755) {
			l.take(name)
		}
	}
}

// mountPoints are what a builder leaves behind where it mounts something over nothing.
func (l *likeness) mountPoints() {
	for name, want := range map[string]node{
		"/etc/hostname": file(0o755, ""), "/etc/pki/entitlement": dir(0o755), "/run/.containerenv": file(0o755, ""),
	} {
		if _, before := l.base[name]; !before && l.left[name] == want {
			l.take(name)
		}
	}
}

// buildProgram builds what people run.
func buildProgram(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "machine-config-controller")
	built := program.ControllerBuild(root, binary)
	built.Log = t.Output()
	require.NoError(t, built.Run(t.Context()))
	return binary
}
