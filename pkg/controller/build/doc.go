// Package build is the BuildController. For every MachineConfigPool that opted
// in by the label machineconfiguration.openshift.io/layering-enabled, it has the
// pool's rendered MachineConfig built into an OS image by a builder backend, and
// publishes the image's pullspec, by digest, on the pool.
//
// Where to start reading: syncMachineConfigPool in sync.go is the whole
// controller in five steps.
//
//	event ─► handlers.go ─► pool name ─► queue ─► observe.go   caches → plan.Snapshot
//	                                              plan/        Snapshot → plan.Plan, pure
//	                                              execute.go   effects → API calls, in order
//	                                              report.go    conditions and event, one write
//	                                              errors.go    what the queue does next
//
// The controller is level-triggered: what it does depends on what is, never on
// what changed. A handler only says which pool to look at.
//
// # Who owns what
//
//	object                                   read    written
//	MachineConfigPool annotations            all     desired-os-image, desired-os-image-config, os-image-build,
//	                                                 rebuild-observed
//	MachineConfigPool conditions             all     BuildPending, Building, BuildSuccess, BuildFailed,
//	                                                 BuildInterrupted, ImageBuildDegraded
//	MachineConfig, ControllerConfig          yes     never
//	ConfigMap machine-os-builder-config      yes     never
//	Secrets named by it                      yes     never
//	Builds and Secrets labelled as ours      yes     created, cancelled, deleted
//
// # Order of effects
//
// For one image the API sees, in this order: GET of the rendered MachineConfig;
// PATCH of the pool (the claim); POST of the inputs' Secret; POST of the Build;
// PATCH of the pool's status, pending and then building; PATCH of the pool's
// annotations (the image); PATCH of its status; DELETE of the Secret. Each pool
// write carries the resourceVersion that the decision was made on. A crash
// between any two leaves a state from which the next sync goes on.
//
// # Words
//
// A sync observes a snapshot, computes a plan, executes its effects and reports.
// The wanted config is what the pool's spec asks for, the recorded one what the
// newest attempt was for. A hold is a reason not to start a build that is due. A
// build of inputs that are not wanted any more is superseded; one that is found
// without being on record is adopted. The phase is the build's, the state ours.
package build
