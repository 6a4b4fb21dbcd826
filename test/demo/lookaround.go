package main

import (
	"fmt"
	"os/exec"
	"strings"

	"github.com/openshift/machine-config-operator/test/devcluster"
)

// poolColumns are what matters here: the usual columns are about nodes, and there are none.
const poolColumns = `POOL:.metadata.name,CONFIG:.spec.configuration.name,IMAGE:.metadata.annotations.machineconfiguration\.openshift\.io/desired-os-image`

// lookAround tells how to go on by oneself, in lines that can be pasted.
func (d *demo) lookAround() string {
	registry := d.cluster.Registry()
	var text strings.Builder
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) }

	put("Everything stays up until Ctrl-C. From another terminal:")
	put("")
	if _, err := exec.LookPath("kubectl"); err != nil {
		put("  apt-get install kubernetes-client   # there is no kubectl on this machine")
	}
	put("  export KUBECONFIG=%s", d.cluster.KubeconfigPath())
	put("  kubectl describe machineconfigpool %s", poolWorker)
	put("  kubectl get machineconfigpools -o custom-columns='%s'", poolColumns)
	put("  kubectl describe machineosconfig %s", poolInfra)
	put("  kubectl get machineosbuilds")
	if d.opts.jobs {
		put("  kubectl -n %s get jobs,pods", devcluster.Namespace)
		put("  kubectl get nodes -o wide")
	} else {
		put("  kubectl -n %s get builds,jobs", devcluster.Namespace)
	}
	put("  kubectl -n default get events --watch")
	put("")
	for _, r := range d.built {
		put("  skopeo inspect --tls-verify=false --authfile %s docker://%s", registry.AuthFile(), r.Image)
	}
	put("")
	put("  less %s   # log of the controller", d.path(logController))
	if d.opts.jobs {
		put("  ls %s   # what the node writes, with the logs of pods", d.path(dirNode))
	} else {
		put("  ls %s   # logs of the builds", d.path(dirBuildLogs))
	}
	return text.String()
}
