package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// recorder is a tool of RHCOS that notes how it was called.
const recorder = "#!/bin/sh\necho \"${0##*/} $*\" >>/etc/calls\n"

// rhcos makes a base image with the tools of RHCOS, and with its homes below /var, as far
// as a build meets them.
func (b *builds) rhcos(t *testing.T) string {
	t.Helper()
	tools := map[string]string{
		"rpm-ostree":                      recorder + "cat /etc/yum.repos.d/coreos-extensions.repo >>/etc/calls\nls /run/extensions/usr/share/rpm-ostree/extensions >>/etc/calls\n",
		"rpm":                             "#!/bin/sh\ncase $2 in kernel | kernel-core | kernel-modules) exit 0 ;; esac\nexit 1\n",
		"ostree":                          recorder,
		"update-ca-trust":                 recorder,
		"../lib/tmpfiles.d/usbguard.conf": "d /var/log/usbguard 0750 root root - -\n",
	}
	job := buildrunner.Job{
		Dockerfile: fmt.Appendf(nil, "FROM %s\nCOPY root/ /\nRUN cd /usr/bin && chmod 0755 rpm-ostree rpm ostree update-ca-trust && \\\n\tmv /home /var/home && ln -s var/home /home\n", b.base),
		Images:     []string{b.base}, SingleLayer: true,
	}
	for name, script := range tools {
		job.Sources = append(job.Sources, buildrunner.SourceFile{Path: filepath.Join("root", "usr", "bin", name), Data: []byte(script)})
	}
	repository, digest := b.execute(t, job)
	return repository + "@" + digest
}

// extensions makes an image with packages, which have a name and nothing else.
func (b *builds) extensions(t *testing.T, packages ...string) string {
	t.Helper()
	job := buildrunner.Job{Dockerfile: []byte("FROM scratch\nCOPY rpms/* /usr/share/rpm-ostree/extensions/\n"), SingleLayer: true}
	for _, name := range packages {
		job.Sources = append(job.Sources, buildrunner.SourceFile{Path: "rpms/" + name + "-1.0-1.x86_64.rpm", Data: []byte(name)})
	}
	repository, digest := b.execute(t, job)
	return repository + "@" + digest
}

func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestPackagesTrustAndCustomContent makes an image with all that is optional, on a
// base whose tools note how they are called, by both backends.
func TestPackagesTrustAndCustomContent(t *testing.T) {
	b := startBuilds(t)
	bundle := certificate(t)
	in := input{
		BaseImage:       b.rhcos(t),
		ExtensionsImage: b.extensions(t, "kernel-rt-core", "kernel-rt-modules", "kernel-rt-devel", "openvswitch3.5-ipsec", "usbguard"),
		TrustBundle:     "the cluster's own:\n" + bundle,
		Custom:          "FROM configs AS final\nSHELL [\"/bin/sh\", \"-xc\"]\nRUN cat /etc/from-config >/etc/custom && echo custom >>/etc/calls\n",
		MachineConfig: machineConfig(t, object{
			"ignition": object{"version": "3.2.0"},
			"passwd":   object{"users": []object{{"name": "core", "sshAuthorizedKeys": []string{sshKey}}}},
			"storage": object{"files": []object{
				{"path": "/etc/from-config", "contents": plain("config")},
				{"path": "/etc/owned", "mode": 0o640, "user": object{"id": 8}, "contents": plain(noise(2 << 20))},
				{"path": "/etc/containers/registries.conf", "mode": 0o644, "overwrite": true, "contents": plain("[[registry]]\nlocation = \"" + b.host + "\"\ninsecure = true\n")},
			}},
		}),
	}
	in.MachineConfig.Spec.KernelType = "realtime"
	in.MachineConfig.Spec.Extensions = []string{"usbguard", "sysstat", "ipsec"}
	_, job := b.context(t, in)
	name, digest := b.execute(t, job)
	image := pull(t, name, digest)
	b.requireSame(t, image, job)
	files := image.files(t)

	const repository = "[coreos-extensions]\nname=CoreOS extensions\nenabled=1\ngpgcheck=0\nskip_if_unavailable=1\nmetadata_expire=1m\n" +
		"baseurl=file:///run/extensions/usr/share/rpm-ostree/extensions/\n"
	const packages = "kernel-rt-core-1.0-1.x86_64.rpm\nkernel-rt-devel-1.0-1.x86_64.rpm\nkernel-rt-modules-1.0-1.x86_64.rpm\nopenvswitch3.5-ipsec-1.0-1.x86_64.rpm\nusbguard-1.0-1.x86_64.rpm\n"
	require.Equal(t, hashOf("rpm-ostree install NetworkManager-libreswan libreswan sysstat usbguard openvswitch3.5-ipsec\n"+repository+packages+
		"rpm-ostree override remove kernel kernel-core kernel-modules --install=kernel-rt-core --install=kernel-rt-modules\n"+repository+packages+
		"update-ca-trust extract\ncustom\nostree container commit\n"), files["/etc/calls"].Hash, "packages first, trust after the config, then custom content, and one commit at the end")
	require.Equal(t, file(0o644, "config"), files["/etc/custom"], "custom content is on top of the config")
	require.Equal(t, file(0o644, bundle), files["/etc/pki/ca-trust/source/anchors/machine-os-trust-bundle.crt"], "certificates and nothing else")
	require.Equal(t, file(0o644, "d /var/log/usbguard 0755 root root - -\n"), files["/usr/lib/tmpfiles.d/machine-os-usbguard.conf"], "a machine makes what the image has below /var")
	require.Equal(t, file(0o644, "d /var/lib/ipsec 0700 root root - -\nd /var/lib/ipsec/nss 0700 root root - -\n"), files["/usr/lib/tmpfiles.d/machine-os-ipsec.conf"])
	require.NotContains(t, files, "/usr/lib/tmpfiles.d/usbguard.conf", "the package's own says something else")
	require.NotContains(t, files, "/etc/yum.repos.d/coreos-extensions.repo", "the repository is there for one step only")
	require.NotContains(t, files, "/run/extensions/usr")
	require.Contains(t, files, "/var/home/core", "the user has a home")
	require.NotContains(t, files, "/var/home/core/.ssh", "a home below /var is the machine's own, and so are the keys in it")
	require.Equal(t, "worker", image.labels(t)["machineconfiguration.openshift.io/pool"], "the labels are on the last stage")
}
