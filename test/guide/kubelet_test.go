package guide

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/openshift/machine-config-operator/test/deploy"
	"github.com/openshift/machine-config-operator/test/devcluster"
)

// kubelet runs the controller's Deployment, for a devcluster has nobody who would: so
// many processes as there are replicas, with the arguments of the container, under
// the pod's service account. Of the image it only takes note.
type kubelet struct {
	t       *testing.T
	cluster *devcluster.Cluster
	kube    kubernetes.Interface
	binary  string
	dir     string

	running []*replica
	// ran are the images, in the order of their first start.
	ran []string
}

type replica struct {
	cmd   *exec.Cmd
	log   string
	image string
	ended chan struct{}
}

// run follows the Deployment until the context ends.
func (k *kubelet) run(ctx context.Context) {
	defer k.scale(ctx, nil)
	options := metav1.ListOptions{FieldSelector: "metadata.name=" + deploy.Name}
	changes, err := k.kube.AppsV1().Deployments(devcluster.Namespace).Watch(ctx, options)
	if !assert.NoError(k.t, err) {
		return
	}
	defer changes.Stop()
	for change := range changes.ResultChan() {
		deployment, ok := change.Object.(*appsv1.Deployment)
		switch {
		case ctx.Err() != nil:
			return
		case !ok:
			assert.Fail(k.t, "the watch of Deployments ended", "%v", change.Object)
			return
		case change.Type == watch.Deleted:
			k.scale(ctx, nil)
		case deployment.Generation != deployment.Status.ObservedGeneration:
			k.scale(ctx, deployment)
			k.report(ctx, deployment)
		}
	}
}

// scale replaces what does not run as the Deployment says, one after the other.
func (k *kubelet) scale(ctx context.Context, deployment *appsv1.Deployment) {
	image, count := "", 0
	var args []string
	if deployment != nil {
		container := deployment.Spec.Template.Spec.Containers[0]
		image, args, count = container.Image, container.Args, int(*deployment.Spec.Replicas)
	}
	for i := len(k.running) - 1; i >= 0; i-- {
		if r := k.running[i]; i >= count || r.image != image {
			r.stop()
			k.running = slices.Delete(k.running, i, i+1)
			if len(k.running) < count {
				k.start(ctx, deployment, image, args)
			}
		}
	}
	for len(k.running) < count {
		k.start(ctx, deployment, image, args)
	}
}

func (k *kubelet) start(ctx context.Context, deployment *appsv1.Deployment, image string, args []string) {
	r, err := k.launch(ctx, deployment.Spec.Template.Spec.ServiceAccountName, image, args)
	if !assert.NoError(k.t, err) {
		return
	}
	k.running = append(k.running, r)
	if !slices.Contains(k.ran, image) {
		k.ran = append(k.ran, image)
	}
}

func (k *kubelet) launch(ctx context.Context, account, image string, args []string) (*replica, error) {
	kubeconfig, err := k.cluster.Kubeconfig(ctx, devcluster.Namespace, account)
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(k.dir, "replica-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	r := &replica{log: log.Name(), image: image, ended: make(chan struct{})}
	// A pod has addresses of its own, and two of them do not share one.
	args = append(slices.Clone(args), "--kubeconfig="+kubeconfig, "--bind-address=127.0.0.1:0", "--health-bind-address=127.0.0.1:0")
	r.cmd = exec.Command(k.binary, args...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = r.cmd.Wait()
		close(r.ended)
	}()
	return r, r.awaitReady(ctx)
}

var servingHealth = regexp.MustCompile(`"Serving health" address="([^"]+)"`)

func (r *replica) awaitReady(ctx context.Context) error {
	for ctx.Err() == nil {
		text, err := os.ReadFile(r.log)
		if err != nil {
			return err
		}
		if match := servingHealth.FindSubmatch(text); match != nil {
			response, err := http.Get("http://" + string(match[1]) + "/readyz")
			if err == nil {
				_ = response.Body.Close()
				if response.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
		select {
		case <-r.ended:
			return fmt.Errorf("the controller ended:\n%s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("the controller did not become ready")
}

func (r *replica) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(30 * time.Second):
		_ = r.cmd.Process.Kill()
		<-r.ended
	}
}

// report does what the Deployment's controller would.
func (k *kubelet) report(ctx context.Context, deployment *appsv1.Deployment) {
	deployment = deployment.DeepCopy()
	count := int32(len(k.running))
	deployment.Status = appsv1.DeploymentStatus{
		ObservedGeneration: deployment.Generation, Replicas: count, UpdatedReplicas: count, ReadyReplicas: count, AvailableReplicas: count,
	}
	_, err := k.kube.AppsV1().Deployments(deployment.Namespace).UpdateStatus(ctx, deployment, metav1.UpdateOptions{})
	assert.NoError(k.t, err)
}

// logs is the end of what the replicas logged.
func (k *kubelet) logs() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(k.dir, "replica-*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		fmt.Fprintf(&all, "%s:\n%s\n", file, text[max(0, len(text)-4000):])
	}
	return all.String()
}
