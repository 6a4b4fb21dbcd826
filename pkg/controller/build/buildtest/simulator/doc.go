// Package simulator plays the lives of pools: the real controller and the real adapter,
// one step at a time, over the in-memory API of package buildtest, while processes crash,
// replies get lost, news comes late and everyone else in the cluster acts.
//
//	schedule.go    which disturbances there are, as text that replays a run
//	scenarios.go   what administrators and the cluster do
//	groups.go      which schedules are run
//	simulation.go  the clock, the steps and the build system
//	program.go     one process: the controller, its caches and its informers
//	jobs.go, machineos.go             the same with Jobs; with MachineOSConfigs in place of labels
//	faults.go, disturbances.go, inputs.go   what goes wrong
//	invariants.go, end.go                   what has to hold after every step, and at the end
//
// There is no goroutine, no sleep and no chance: the same schedule gives the same run.
// TestSimulation runs them; a failure prints the command that shows it again.
package simulator
