package content

import (
	"path"
	"strings"

	"github.com/coreos/ignition/v2/config/v3_5/types"
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

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
	// What follows tells a component of the node what it did there. In an image it
	// would take it for its own: the agent, say, finds the rendered config's name in its
	// currentconfig, and never writes what is left to the node.
	{path: "/etc/machine-config-daemon", why: whyAgent},
	{path: "/etc/ignition-machine-config-encapsulated.json", why: whyAgent},
	{path: "/etc/.ignition-result.json", why: "Ignition records there that it has run on a machine"},
	{path: "/etc/.updated", why: "systemd records there what a machine has seen"},
	{path: "/etc/machine-id", why: "every machine makes its own"},
	{path: "/etc/hostname", why: "a name is one machine's own"},
	{path: presetFile, why: "Ignition notes there which units of the config start"},
	// What tools of the base image make of other files when an image is built.
	{path: "/etc/pki/ca-trust/extracted", why: whyDerived + "trust anchors"},
	{path: "/etc/ld.so.cache", why: whyDerived + "the libraries"},
	{path: "/etc/udev/hwdb.bin", why: whyDerived + "hwdb.d"},
}

const (
	whyAgent   = "the node's agent records there what it has applied"
	whyDerived = "it is made from "
)

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

// LeftOutOf lists what of a MachineConfig, besides its Ignition config, is left to
// the node.
func LeftOutOf(spec *mcfgv1.MachineConfigSpec) []LeftOut {
	var leftOut []LeftOut
	if len(spec.KernelArguments) > 0 {
		leftOut = append(leftOut, LeftOut{What: "spec.kernelArguments", Why: "an image has no boot loader entries"})
	}
	if spec.FIPS {
		leftOut = append(leftOut, LeftOut{What: "spec.fips", Why: "a machine enters FIPS mode when it is installed"})
	}
	return leftOut
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
