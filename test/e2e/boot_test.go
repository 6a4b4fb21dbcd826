package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/devcluster/buildrunner"
)

// unitText is a unit that stays active after it has run the command.
func unitText(command, more string) string {
	return "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c '" + command + "'\n" + more
}

const wanted = "[Install]\nWantedBy=multi-user.target\n"

// bootFacts are what a machine that booted the image is asked for, as shell, with what the
// config says that it answers.
var bootFacts = []struct{ reason, ask, want string }{
	{"a unit that is enabled runs", "systemctl is-enabled enabled.service; systemctl is-active enabled.service", "enabled active"},
	{"with what its drop-in says", "cat /run/enabled", "of the drop-in"},
	{"a unit that is disabled does not", "systemctl is-enabled disabled.service; systemctl is-active disabled.service", "disabled inactive"},
	{"a unit of the base image that is masked cannot", "systemctl is-enabled base.service; systemctl is-active base.service", "masked inactive"},
	{"a unit of the base image that the config enables by name runs", "systemctl is-enabled base-off.service; systemctl is-active base-off.service", "enabled active"},
	{"an instance of a template runs", "systemctl is-enabled echo@one.service; systemctl is-active echo@one.service; cat /run/echo-one", "enabled active one"},
	{"another one does not", "systemctl is-active echo@two.service", "inactive"},
	{"a timer is set", "systemctl is-enabled tick.timer; systemctl is-active tick.timer", "enabled active"},
	{"a preset of the config's own counts", "systemctl is-enabled preset.service; systemctl is-active preset.service", "enabled active"},
	{"a sysctl is in force", "cat /proc/sys/vm/swappiness", "7"},
	{"tmpfiles were made", "stat -c '%A %U %G' /run/site", "drwxr-x--- core core"},
	{"a file has its mode and owner", "stat -c '%a %U %G' /etc/site.conf; cat /etc/site.conf", "640 root mail of the config"},
	{"a link leads where it should", "readlink /etc/site.link", "site.conf"},
	{"a key lets its user in", "stat -c '%a %U' /home/core/.ssh/authorized_keys.d/ignition; cat /home/core/.ssh/authorized_keys.d/ignition", "600 core " + sshKey},
	{"custom content is in force", "systemctl is-active custom.service; cat /etc/custom", "active custom"},
	{"no unit has failed", "systemctl list-units --failed --plain --no-legend", ""},
}

// bootConfig is the config of the facts. The last of its units reports them over the
// serial console, and switches the machine off.
func bootConfig() object {
	var script strings.Builder
	script.WriteString("#!/bin/sh\nexec >/dev/ttyS0 2>&1\n")
	for i, fact := range bootFacts {
		fmt.Fprintf(&script, "echo; echo \"FACT %d [$(echo $(%s))]\"\n", i, fact.ask)
	}
	script.WriteString("echo; echo END OF FACTS\nsystemctl poweroff --force --force\n")
	return object{
		"ignition": object{"version": "3.4.0"},
		"passwd":   object{"users": []object{{"name": "core", "sshAuthorizedKeys": []string{sshKey}}}},
		"storage": object{
			"files": []object{
				{"path": "/etc/boot-facts", "mode": 0o755, "contents": plain(script.String())},
				{"path": "/etc/site.conf", "mode": 0o640, "group": object{"name": "mail"}, "contents": plain("of the config\n")},
				{"path": "/etc/sysctl.d/99-site.conf", "mode": 0o644, "contents": plain("vm.swappiness = 7\n")},
				{"path": "/etc/tmpfiles.d/site.conf", "mode": 0o644, "contents": plain("d /run/site 0750 core core -\n")},
				{"path": "/etc/systemd/system-preset/10-site.preset", "mode": 0o644, "contents": plain("enable preset.service\n")},
			},
			"links": []object{{"path": "/etc/site.link", "target": "site.conf"}},
		},
		"systemd": object{"units": []object{
			{
				"name": "enabled.service", "enabled": true, "contents": unitText("echo $FROM >/run/enabled", wanted),
				"dropins": []object{{"name": "10-from.conf", "contents": "[Service]\nEnvironment=\"FROM=of the drop-in\"\n"}},
			},
			{"name": "disabled.service", "enabled": false, "contents": unitText("true", wanted)},
			{"name": "base.service", "mask": true},
			{"name": "base-off.service", "enabled": true},
			{"name": "preset.service", "contents": unitText("true", wanted)},
			{"name": "echo@.service", "contents": unitText("echo %i >/run/echo-%i", wanted)},
			{"name": "echo@one.service", "enabled": true},
			{"name": "tick.timer", "enabled": true, "contents": "[Timer]\nOnBootSec=1h\n[Install]\nWantedBy=timers.target\n"},
			{"name": "tick.service", "contents": unitText("true", "")},
			// After the target that wants it: everything else has been started by then.
			{"name": "facts.service", "enabled": true, "contents": "[Unit]\nDefaultDependencies=no\nAfter=multi-user.target\n" +
				"[Service]\nType=oneshot\nExecStart=/etc/boot-facts\n" + wanted},
		}},
	}
}

const bootCustom = `FROM configs AS final
RUN echo custom >/etc/custom && systemctl enable custom.service
`

// bootLimit is for a machine whose processor is played by software on one that is busy.
// Where nothing else runs, it takes ten seconds.
const bootLimit = 3 * time.Minute

// TestImageBoots boots an image that was built for a config, with a kernel that it has,
// and compares what is in force with what the config says.
func TestImageBoots(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the machine that is played is an x86_64 one")
	}
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("booting an image needs qemu-system-x86_64 (on Debian: apt-get install qemu-system-x86)")
	}
	b := startBuilds(t)
	base := b.bootBase(t)
	_, image := b.build(t, input{BaseImage: base, Custom: bootCustom, MachineConfig: machineConfig(t, bootConfig()), singleLayer: true})

	dir := t.TempDir()
	disk, kernel := filepath.Join(dir, "image.cpio"), filepath.Join(dir, "vmlinuz")
	image.writeArchive(t, disk, map[string]string{kernelPath: kernel})
	console := boot(t, qemu, kernel, disk)
	require.Contains(t, console, "END OF FACTS", "the machine did not come so far; its console:\n%s", console)
	for i, fact := range bootFacts {
		_, after, found := strings.Cut(console, fmt.Sprintf("FACT %d [", i))
		require.True(t, found, fact.reason)
		got, _, _ := strings.Cut(after, "]")
		require.Equal(t, fact.want, got, "%s: %s", fact.reason, fact.ask)
	}
}

// kernelPath is where images of this kind have their kernel.
const kernelPath = "/usr/lib/modules/vmlinuz"

// bootBase makes a base image with a kernel, and with units that a config can be about.
func (b *builds) bootBase(t *testing.T) string {
	t.Helper()
	kernel, err := os.ReadFile(debianKernel(t))
	require.NoError(t, err)
	job := buildrunner.Job{
		Dockerfile: fmt.Appendf(nil, "FROM %s\nCOPY root/ /\nRUN systemctl enable base.service\n", b.base), Images: []string{b.base}, SingleLayer: true,
		Sources: []buildrunner.SourceFile{
			{Path: "root" + kernelPath, Data: kernel},
			{Path: "root/usr/lib/systemd/system/base.service", Data: []byte(unitText("true", wanted))},
			{Path: "root/usr/lib/systemd/system/base-off.service", Data: []byte(unitText("true", wanted))},
			{Path: "root/usr/lib/systemd/system/custom.service", Data: []byte(unitText("true", wanted))},
		},
	}
	repository, digest := b.execute(t, job)
	return repository + "@" + digest
}

// debianKernel downloads a kernel that has what a virtual machine takes built in, unless
// that was done before.
func debianKernel(t *testing.T) string {
	t.Helper()
	cache, err := filepath.Abs(filepath.Join(root, "_output", "cache", "kernel"))
	require.NoError(t, err)
	kernel := filepath.Join(cache, "vmlinuz")
	if _, err := os.Stat(kernel); err == nil {
		return kernel
	}
	require.NoError(t, os.MkdirAll(cache, 0o755))
	download := exec.CommandContext(t.Context(), "sh", "-ec", `
work=$(mktemp -d)
cd "$work"
find_it() { apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1; }
package=$(find_it)
[ -n "$package" ] || { apt-get -qq update; package=$(find_it); }
apt-get -qq -o APT::Sandbox::User=root download "$package" || { apt-get -qq update; apt-get -qq -o APT::Sandbox::User=root download "$package"; }
dpkg-deb -x "$package"_*.deb .
mv boot/vmlinuz-* "$0.new"
mv "$0.new" "$0"
rm -r "$work"`, kernel)
	download.Stdout, download.Stderr = t.Output(), t.Output()
	require.NoError(t, download.Run(), "could not download a kernel")
	return kernel
}

// boot runs the machine until it switches itself off, and gives what it wrote to its
// serial console. The image is the root file system, in memory: what is built into the
// kernel finds no disk.
func boot(t *testing.T, qemu, kernel, archive string) string {
	t.Helper()
	console := filepath.Join(t.TempDir(), "console.log")
	machine := exec.CommandContext(t.Context(), "timeout", "--signal=KILL", fmt.Sprint(bootLimit.Seconds()), qemu,
		"-accel", "tcg,thread=multi", "-smp", "2", "-m", "2048", "-nic", "none", "-display", "none", "-no-reboot", "-serial", "file:"+console, "-monitor", "none",
		"-kernel", kernel, "-initrd", archive,
		// The base image has systemd, and no link to it for other programs to find it by.
		// Without udev there is no device for the terminal on the console to wait for.
		"-append", "console=ttyS0 rdinit=/usr/lib/systemd/systemd panic=-1 systemd.mask=serial-getty@ttyS0.service systemd.show_status=no")
	machine.Stdout, machine.Stderr = t.Output(), t.Output()
	began := time.Now()
	err := machine.Run()
	text, readErr := os.ReadFile(console)
	require.NoError(t, readErr)
	require.NoError(t, err, "the machine did not switch itself off within %s; its console:\n%s", bootLimit, text)
	t.Logf("the machine ran for %s", time.Since(began).Round(time.Second))
	return string(text)
}
