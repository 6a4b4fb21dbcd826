package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

const (
	poolWorker = "worker"
	poolInfra  = "infra"

	sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/l+OS4rjKN7XPRGzYywCDSimnavMMow3Fymkw21+bF core@demo"

	sysctlBefore = 262144
	sysctlAfter  = 524288
	// motdPath is a file that only the changed config has.
	motdPath = "/etc/motd.d/50-maintenance"
)

//go:embed assets
var assets embed.FS

// asset returns an embedded file; a missing one is a mistake of the program, which every test shows.
func asset(name string) string {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err)
	}
	return string(content)
}

// rendered is a rendered config with its name, which follows from pool and content, as those of the render controller.
type rendered struct {
	pool, name string
	raw        []byte
}

// render makes the config of a pool. A changed one differs in a sysctl and has one file more.
func render(pool string, changed bool) (rendered, error) {
	raw, err := json.Marshal(ignitionFor(pool, changed))
	if err != nil {
		return rendered{}, fmt.Errorf("could not encode config of pool %s: %w", pool, err)
	}
	sum := sha256.Sum256(append([]byte(pool+"\x00"), raw...))
	return rendered{pool: pool, name: "rendered-" + pool + "-" + hex.EncodeToString(sum[:16]), raw: raw}, nil
}

func ignitionFor(pool string, changed bool) ignitionConfig {
	maps := sysctlBefore
	if changed {
		maps = sysctlAfter
	}
	kubelet := asset("kubelet.conf")
	if pool == poolInfra {
		kubelet = strings.Replace(kubelet, "maxPods: 250", "maxPods: 100", 1) +
			"registerWithTaints:\n- key: node-role.kubernetes.io/infra\n  effect: NoSchedule\n"
	}
	var config ignitionConfig
	config.Ignition.Version = "3.4.0"
	config.Passwd.Users = []ignitionUser{{Name: "core", SSHAuthorizedKeys: []string{sshKey}}}
	config.Storage.Files = []ignitionFile{
		{Path: "/etc/kubernetes/kubelet.conf", Mode: 0o644, Contents: inline(kubelet)},
		{Path: "/etc/containers/registries.conf", Mode: 0o644, Contents: inlineCompressed(asset("registries.conf"))},
		{Path: "/etc/sysctl.d/90-" + pool + ".conf", Mode: 0o644, Contents: inlinePlain(sysctls(maps))},
		{Path: "/etc/node-report/credentials", Mode: 0o600, User: &ignitionOwner{Name: "daemon"}, Contents: inline("REPORT_USER=" + pool + "\n")},
		{Path: "/etc/node-report/report.sh", Mode: 0o755, Contents: inline(asset("node-report.sh"))},
	}
	if changed {
		config.Storage.Files = append(config.Storage.Files,
			ignitionFile{Path: motdPath, Mode: 0o644, Contents: inlinePlain("Maintenance: Sundays, 02:00 to 04:00 UTC\n")})
	}
	// A rendered config replaces what the base OS brings along.
	for i := range config.Storage.Files {
		config.Storage.Files[i].Overwrite = true
	}
	config.Systemd.Units = []ignitionUnit{
		{
			Name: "kubelet.service", Enabled: ptr.To(true), Contents: asset("kubelet.service"),
			Dropins: []ignitionDropin{{Name: "20-logging.conf", Contents: asset("kubelet-logging.conf")}},
		},
		{Name: "node-report.service", Contents: asset("node-report.service")},
		{Name: "node-report.timer", Enabled: ptr.To(true), Contents: asset("node-report.timer")},
		{Name: "rpcbind.service", Mask: true},
	}
	return config
}

func sysctls(maxMapCount int) string {
	return fmt.Sprintf("vm.max_map_count=%d\nnet.ipv4.tcp_keepalive_time=600\n", maxMapCount)
}

// machineConfig is the object for a rendered config, owned by its pool as the render controller makes them.
func (r rendered) machineConfig(pool *mcfgv1.MachineConfigPool, baseImage string) *mcfgv1.MachineConfig {
	return &mcfgv1.MachineConfig{
		ObjectMeta: metav1.ObjectMeta{
			Name:            r.name,
			Annotations:     map[string]string{"machineconfiguration.openshift.io/generated-by-controller-version": "demo"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(pool, mcfgv1.SchemeGroupVersion.WithKind("MachineConfigPool"))},
		},
		Spec: mcfgv1.MachineConfigSpec{
			OSImageURL:      baseImage,
			Config:          runtime.RawExtension{Raw: r.raw},
			KernelArguments: []string{},
			Extensions:      []string{},
			KernelType:      "default",
		},
	}
}
