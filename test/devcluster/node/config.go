package node

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"sigs.k8s.io/yaml"
)

const (
	// containerdSocket is in the node's private /run: paths of sockets have to be short.
	containerdSocket = "/run/containerd/containerd.sock"
	// HelperImage is on the node from the start. Its entry point is the helper, see there for what a container can do with it.
	HelperImage = "localhost/devcluster/helper:1"
)

// containerdConfig has pods' sandboxes made of our own image, so that a node needs no registry, and leaves the OOM score of its pods
// alone where it may not be lowered, as in many sandboxes. Networks are the host's.
const containerdConfig = `version = 2
root = "%[1]s/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.tracing", "io.containerd.internal.v1.opt"]
[grpc]
  address = "` + containerdSocket + `"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + HelperImage + `"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_selinux = false
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%[1]s/cni/bin"
    conf_dir = "%[1]s/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "%[2]s"
`

// network is there because containerd says that a node without any is not ready.
const network = `{"cniVersion": "1.0.0", "name": "none", "plugins": [{"type": "loopback"}]}`

// kubeletConfig is for a node on a machine that has other things to do: nothing listens outside of loopback, no rules of a firewall are
// made, disks may be nearly full. It speaks up, and measures what volumes hold, more often than others, so that tests learn soon that
// it is gone and back, or has had enough.
func (n *Node) kubeletConfig() ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"address": "127.0.0.1", "port": n.port, "readOnlyPort": 0, "healthzPort": 0,
		"failCgroupV1": false, "failSwapOn": false,
		"cgroupDriver": "cgroupfs", "cgroupRoot": "/" + cgroup, "cgroupsPerQOS": true, "enforceNodeAllocatable": []string{"pods"},
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"podLogsDir":               n.path("pod-logs"),
		"volumePluginDir":          n.path("volume-plugins"),
		"resolvConf":               n.path("resolv.conf"),
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false}, "webhook": map[string]any{"enabled": true},
			"x509": map[string]any{"clientCAFile": n.opts.CAFile},
		},
		"authorization":                map[string]any{"mode": "Webhook"},
		"evictionHard":                 map[string]any{"memory.available": "100Mi", "nodefs.available": "200Mi", "nodefs.inodesFree": "1%", "imagefs.available": "200Mi"},
		"imageGCHighThresholdPercent":  100,
		"makeIPTablesUtilChains":       false,
		"enableControllerAttachDetach": false,
		"nodeStatusUpdateFrequency":    "2s", "nodeLeaseDurationSeconds": 12, "syncFrequency": "10s", "volumeStatsAggPeriod": "5s",
		"logging": map[string]any{"verbosity": 2},
	})
}

// writeHelperImage writes an archive with an image of the helper alone, in the form in which docker saves images.
func (n *Node) writeHelperImage(path string) error {
	program, err := os.ReadFile(n.opts.Helper)
	if err != nil {
		return fmt.Errorf("could not read helper: %w", err)
	}
	layer, err := archive(map[string][]byte{"helper": program}, "helper")
	if err != nil {
		return err
	}
	digest := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/helper"}, "Cmd": []string{"pause"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(digest[:])}},
	})
	if err != nil {
		return fmt.Errorf("could not encode image: %w", err)
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{HelperImage}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return fmt.Errorf("could not encode image: %w", err)
	}
	content, err := archive(map[string][]byte{"layer.tar": layer, "config.json": config, "manifest.json": manifest}, "layer.tar", "config.json", "manifest.json")
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

func archive(files map[string][]byte, order ...string) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, name := range order {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(files[name]))}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("could not pack %s: %w", name, err)
		}
		if _, err := writer.Write(files[name]); err != nil {
			return nil, fmt.Errorf("could not pack %s: %w", name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("could not pack: %w", err)
	}
	return out.Bytes(), nil
}

// writeFiles writes what kubelet and containerd read.
func (n *Node) writeFiles() error {
	for _, dir := range []string{"containerd", "kubelet", "cni/bin", "pod-logs", "volume-plugins"} {
		if err := os.MkdirAll(n.path(dir), 0o755); err != nil {
			return fmt.Errorf("could not create directory: %w", err)
		}
	}
	kubelet, err := n.kubeletConfig()
	if err != nil {
		return fmt.Errorf("could not encode the kubelet's configuration: %w", err)
	}
	// The machine's own is often a link into /run, which a node has for itself.
	resolv, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		resolv = nil
	}
	for name, content := range map[string][]byte{
		"containerd.toml":   fmt.Appendf(nil, containerdConfig, n.opts.Dir, n.runc),
		"cni/none.conflist": []byte(network),
		"kubelet.yaml":      kubelet,
		"resolv.conf":       resolv,
	} {
		if err := os.WriteFile(n.path(name), content, 0o644); err != nil {
			return fmt.Errorf("could not write configuration: %w", err)
		}
	}
	return n.writeHelperImage(n.path("helper.tar"))
}

func (n *Node) path(name string) string { return filepath.Join(n.opts.Dir, name) }
