package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/openshift/machine-config-operator/test/devcluster"
	"github.com/openshift/machine-config-operator/test/devcluster/node/wire"
)

const (
	// Name is the node's. The API server finds its kubelet by it.
	Name = "localhost"

	cgroup = "devcluster-node"
	// private are the directories that a node sees its own of.
	private = "/run /var/lib /var/log"

	pollInterval = 50 * time.Millisecond
)

// Options say what a node is made of; all but Packages are required.
type Options struct {
	// Dir holds everything that the node writes. What an earlier node left there is removed.
	Dir string
	// Kubelet and Helper are the programs, see BuildTools.
	Kubelet, Helper string
	// Packages is the directory that has containerd and runc in usr/bin and usr/sbin; where it has not, they are the machine's.
	Packages string
	// Kubeconfig is for the kubelet, Config for us, CAFile is the authority of those who may speak with the kubelet.
	Kubeconfig string
	Config     *rest.Config
	CAFile     string
}

// Node is a running node.
type Node struct {
	opts       Options
	port       int
	containerd string
	runc       string
	client     kubernetes.Interface

	supervisor *supervisor
	// runtime and kubelet are nil while they are stopped.
	runtime, kubelet *process
}

// Join starts a node of the cluster, which has to have workloads. Of the options it takes programs and directory.
func Join(ctx context.Context, cluster *devcluster.Cluster, opts Options) (*Node, error) {
	var err error
	if opts.Kubeconfig, err = cluster.KubeletKubeconfig(Name); err != nil {
		return nil, err
	}
	opts.Config, opts.CAFile = cluster.RESTConfig(), cluster.CAFile()
	return Start(ctx, opts)
}

// Start starts a node and returns when it is ready for pods. The context bounds the start only.
func Start(ctx context.Context, opts Options) (*Node, error) {
	n := &Node{opts: opts}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("could not start a node: %w", err), n.Stop())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context) error {
	if err := n.prepare(ctx); err != nil {
		return err
	}
	var err error
	if n.client, err = kubernetes.NewForConfig(n.opts.Config); err != nil {
		return fmt.Errorf("could not create client: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("could not find a free port: %w", err)
	}
	n.port = listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return err
	}
	if err := n.writeFiles(); err != nil {
		return err
	}
	if err := n.StartContainerd(ctx); err != nil {
		return err
	}
	if err := n.Import(ctx, n.path("helper.tar")); err != nil {
		return err
	}
	if err := n.StartKubelet(ctx); err != nil {
		return err
	}
	return n.WaitReady(ctx)
}

// prepare finds the programs and makes the namespaces: all that a machine may refuse.
func (n *Node) prepare(ctx context.Context) error {
	var err error
	if n.opts.Dir, err = filepath.Abs(n.opts.Dir); err != nil {
		return fmt.Errorf("could not resolve directory: %w", err)
	}
	if n.opts.Packages != "" {
		if n.opts.Packages, err = filepath.Abs(n.opts.Packages); err != nil {
			return fmt.Errorf("could not resolve directory: %w", err)
		}
	}
	for _, program := range []*string{&n.opts.Kubelet, &n.opts.Helper} {
		if *program, err = filepath.Abs(*program); err != nil {
			return fmt.Errorf("could not resolve program: %w", err)
		}
	}
	if os.Geteuid() != 0 {
		return errors.New("it needs root")
	}
	for dir := range strings.FieldsSeq(private) {
		if strings.HasPrefix(n.opts.Dir+"/", dir+"/") {
			return fmt.Errorf("its directory %s cannot be below %s, of which a node has its own", n.opts.Dir, dir)
		}
	}
	if n.containerd, err = n.find("containerd"); err != nil {
		return err
	}
	if n.runc, err = n.find("runc"); err != nil {
		return err
	}
	if err := os.MkdirAll(n.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("could not create directory: %w", err)
	}
	config := wire.Config{Dir: n.opts.Dir, Cgroup: cgroup, Socket: cgroup}
	if n.supervisor, err = startSupervisor(ctx, n.opts.Helper, config); err != nil {
		return err
	}
	return n.removeLeftOvers()
}

// find looks for a program in Packages, then on the machine.
func (n *Node) find(name string) (string, error) {
	for _, dir := range []string{"usr/bin", "usr/sbin"} {
		path := filepath.Join(n.opts.Packages, dir, name)
		if _, err := os.Stat(path); n.opts.Packages != "" && err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("it needs %s: hack/fetch-containerd.sh fetches it on Debian", name)
	}
	return filepath.Abs(path)
}

// removeLeftOvers empties the directory. Nobody uses it any more: the supervisor made sure that ours is the only node, and mounts
// were in a namespace that went with the processes.
func (n *Node) removeLeftOvers() error {
	entries, err := os.ReadDir(n.opts.Dir)
	if err != nil {
		return fmt.Errorf("could not look for what an earlier node left: %w", err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(n.path(entry.Name())); err != nil {
			return fmt.Errorf("could not remove what an earlier node left: %w", err)
		}
	}
	return nil
}

// StartContainerd starts containerd and returns when it answers.
func (n *Node) StartContainerd(ctx context.Context) error {
	// containerd finds its shim, and ours comes first, by the path.
	path := "PATH=" + filepath.Dir(n.containerd) + ":" + filepath.Dir(n.runc) + ":" + os.Getenv("PATH")
	p, err := n.supervisor.start(ctx, wire.Start{
		Name: "containerd", Log: n.path("containerd.log"), Env: []string{path},
		Args: []string{n.containerd, "--config", n.path("containerd.toml")},
	})
	if err != nil {
		return err
	}
	n.runtime = p
	err = wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		if isClosed(p.ended) {
			return false, fmt.Errorf("containerd ended with %s, see %s", p.event.Status, n.path("containerd.log"))
		}
		return n.ctr(ctx, "version") == nil, nil
	})
	if err != nil {
		return fmt.Errorf("could not wait for containerd: %w", err)
	}
	return nil
}

func (n *Node) ctr(ctx context.Context, args ...string) error {
	args = append([]string{filepath.Join(filepath.Dir(n.containerd), "ctr"), "--address", containerdSocket, "--namespace", "k8s.io"}, args...)
	return n.supervisor.run(ctx, wire.Start{Name: "ctr", Args: args, Log: n.path("ctr.log")})
}

// Import takes an archive of images, as docker or OCI write them, to the node.
func (n *Node) Import(ctx context.Context, archive string) error {
	if err := n.ctr(ctx, "images", "import", archive); err != nil {
		return fmt.Errorf("could not import image: %w", err)
	}
	return nil
}

// StartKubelet starts the kubelet and does not wait for anything.
func (n *Node) StartKubelet(ctx context.Context) (err error) {
	n.kubelet, err = n.supervisor.start(ctx, wire.Start{
		Name: "kubelet", Log: n.path("kubelet.log"),
		Args: []string{
			n.opts.Kubelet, "--config", n.path("kubelet.yaml"), "--kubeconfig", n.opts.Kubeconfig,
			"--hostname-override", Name, "--root-dir", n.path("kubelet"), "--cert-dir", n.path("kubelet/pki"),
		},
	})
	return err
}

// KillKubelet ends the kubelet as a crash does. Pods run on.
func (n *Node) KillKubelet(ctx context.Context) error {
	return n.supervisor.end(ctx, n.kubelet, syscall.SIGKILL)
}

// KillContainerd ends containerd as a crash does. Pods run on.
func (n *Node) KillContainerd(ctx context.Context) error {
	return n.supervisor.end(ctx, n.runtime, syscall.SIGKILL)
}

// WaitReady waits until pods can be scheduled to the node.
func (n *Node) WaitReady(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		if isClosed(n.kubelet.ended) {
			return false, fmt.Errorf("the kubelet ended with %s, see %s", n.kubelet.event.Status, n.path("kubelet.log"))
		}
		node, err := n.client.CoreV1().Nodes().Get(ctx, Name, metav1.GetOptions{})
		return err == nil && ready(node), nil
	})
	if err != nil {
		return fmt.Errorf("could not wait for the node to be ready: %w", err)
	}
	return nil
}

func ready(node *corev1.Node) bool {
	if len(node.Spec.Taints) > 0 {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Stop ends the node at once, with all pods on it, and returns when nothing of it is left on the machine but Dir.
func (n *Node) Stop() error {
	if n.supervisor == nil {
		return nil
	}
	return n.supervisor.stop()
}

// Check says in one line why this machine cannot run a node; nil if it can.
func Check(ctx context.Context, opts Options) error {
	n := &Node{opts: opts}
	return errors.Join(n.prepare(ctx), n.Stop())
}
