// Package node runs a real Kubernetes node beside a devcluster: kubelet, containerd and runc, in namespaces of their own on this
// machine. Pods that use the host's network run as they would anywhere.
//
// # What it does to the machine
//
// All processes of the node, those of its pods included, are in one PID namespace whose first process ends when the driver does,
// however that ends; the kernel then ends the others. They share a mount namespace, so that mounts go the same way, in which
// /run, /var/lib and /var/log are private, and the kernel's settings that a kubelet insists on are files that say what it wants to
// read. What is left are cgroups, all below one of a name of its own, which are removed by a process that outlives the driver, or,
// should that be killed as well, by the next node's. Everything else is in Options.Dir.
//
// # What it needs
//
// Root; Debian's containerd and runc, or the machine's own (hack/fetch-containerd.sh); cgroups with the controllers cpu, cpuset,
// memory and pids; an overlay file system. Check says in one line what of it is missing.
package node
