// Package devcluster starts a small cluster inside one process, for tests and for demonstration.
//
// It is a stand-in and never something to run workloads on: it has an API but no nodes, so nothing is scheduled, unless one joins.
//
//	etcd                       embedded, without fsync
//	kube-apiserver             in process, RBAC on, own certificate authority, service-account tokens
//	garbage collector          the one of kube-controller-manager, so that owner references work
//	namespace controller       likewise, so that deleted namespaces go away
//	Jobs, pod GC, nodes, taint eviction, disruption budgets, service accounts, scheduler
//	                           likewise, where Options.Workloads asks for them
//	MachineConfigPool, MachineConfig, ControllerConfig, MachineOSConfig, MachineOSBuild
//	                           the CRDs as the OpenShift API module ships them; package nodecontroller plays who rolls images out
//	Build                      a CRD and an admission plugin that behave like the aggregated API where a client can tell
//	registry                   an OCI registry that demands credentials to push and to pull
//
// Everything listens on loopback, on free ports, and keeps its state under the one directory that the caller gives. A Start
// on a directory that was used before finds its objects, credentials and ports again.
//
// # What the Build stand-in does and does not
//
// Modelled (package buildapi): status is written through the main resource, since there is no status subresource; an empty
// phase becomes New on creation; terminal phases stay; spec is immutable but for output.pushSecret; the Dockerfile limit counts
// bytes; empty kinds of image references become ImageStreamTag; empty names of secrets are refused; status.conditions follow
// the phase; the strategy needs a permission of its own (builds/docker or builds/optimizeddocker), without the binding that
// gives it to everybody by default.
//
// Not modelled: the subresources details, clone and log, the field selectors, validation of strategies other than Docker.
//
// # Restarts
//
// RestartAPIServer and RestartEtcd stop one component and start it again at its old address, for tests of how clients live
// through that. Their process-global state (feature gates, metrics) is the same before and after, which is enough for that
// purpose. Who needs a real crash runs the devcluster command as a child process and kills it: the same directory comes back
// with the same ports and credentials.
package devcluster
