package content

import (
	"path"
	"strings"

	"github.com/coreos/ignition/v2/config/v3_5/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// place is a directory, or a file, that is the machine's own.
type place struct {
	path string
	// real is where the path leads to on RHCOS, if elsewhere.
	real string
	why  string
}

const (
	whyVar     = "a machine keeps /var from image to image"
	whyRuntime = "it is made anew at each boot"
	whyBoot    = "it is on a partition of the machine's own"
)

// places are the same for every base image, so that what an image gets can be told
// before it is built. They are those of RHCOS, see the file system layout in the
// documentation of ostree ("Adapting existing mainstream distributions"): all state
// is below /var, and the traditional places for it are symbolic links into it.
var places = []place{
	{path: "/var", why: whyVar},
	{path: "/home", real: "/var/home", why: whyVar},
	{path: "/root", real: "/var/roothome", why: whyVar},
	{path: "/opt", real: "/var/opt", why: whyVar},
	{path: "/srv", real: "/var/srv", why: whyVar},
	{path: "/mnt", real: "/var/mnt", why: whyVar},
	{path: "/usr/local", real: "/var/usrlocal", why: whyVar},
	{path: "/usr/tmp", real: "/var/tmp", why: whyVar},
	{path: "/media", real: "/run/media", why: whyRuntime},
	{path: "/run", why: whyRuntime},
	{path: "/tmp", why: whyRuntime},
	{path: "/proc", why: whyRuntime},
	{path: "/sys", why: whyRuntime},
	{path: "/dev", why: whyRuntime},
	{path: "/boot", why: whyBoot},
	{path: "/sysroot", why: whyBoot},
	{path: "/ostree", real: "/sysroot/ostree", why: whyBoot},
	// A token that the operator renews every few hours and its agent writes.
	{path: "/etc/mco/internal-registry-pull-secret.json", why: "it is a credential that the node's agent renews"},
	// The build writes it, from the config that is in the image.
	{path: currentConfigPath, why: "it records what the image was made from"},
}

const currentConfigPath = "/etc/machine-config-daemon/currentconfig"

// machineLocal tells why a path is not part of an image; empty if it is.
func machineLocal(name string) string {
	name = path.Clean("/" + name)
	for _, p := range places {
		if name != p.path && !strings.HasPrefix(name, p.path+"/") {
			continue
		}
		if p.real != "" {
			return p.path + " leads to " + p.real + ", and " + p.why
		}
		return p.why
	}
	return ""
}

// unsupported lists the sections that only a machine can have.
func (f *filter) unsupported(config *types.Config) *inputs.Problem {
	for _, section := range []struct {
		name  string
		count int
		why   string
	}{
		{"storage.disks", len(config.Storage.Disks), "an image has no disks"},
		{"storage.filesystems", len(config.Storage.Filesystems), "an image has no file systems of its own"},
		{"storage.luks", len(config.Storage.Luks), "an image has no disks to encrypt"},
		{"storage.raid", len(config.Storage.Raid), "an image has no disks to combine"},
		{"kernelArguments", len(config.KernelArguments.ShouldExist) + len(config.KernelArguments.ShouldNotExist), "an image has no boot loader entries"},
		{"passwd.groups", len(config.Passwd.Groups), "users and groups are the machine's"},
	} {
		if section.count > 0 {
			f.leaveOut(section.name, section.why)
		}
	}
	return nil
}
