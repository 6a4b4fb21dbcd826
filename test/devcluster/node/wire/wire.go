// Package wire is what a node's driver and its helper say to each other: a JSON object a line, requests to the helper's input, events
// from its output. The end of the input is the end of the node.
package wire

import "syscall"

// Request asks for one thing; what is nil is not asked for.
type Request struct {
	Start  *Start  `json:"start,omitempty"`
	Signal *Signal `json:"signal,omitempty"`
}

// Start starts a process in the node's namespaces.
type Start struct {
	// Name is what events call it. A name can be used again when its process has ended.
	Name string   `json:"name"`
	Args []string `json:"args"`
	Env  []string `json:"env"`
	// Log is the file that both outputs are appended to.
	Log string `json:"log"`
}

// Signal sends a signal to a process that was started.
type Signal struct {
	Name   string         `json:"name"`
	Signal syscall.Signal `json:"signal"`
}

// Init is the name of the helper itself in events: of the first, which says that the namespaces are ready, and of an error before it.
const Init = "init"

// Event says what became of a process.
type Event struct {
	Name string `json:"name"`
	// Ended says that it is gone, with Status in words; otherwise it has been started.
	Ended  bool   `json:"ended,omitempty"`
	Code   int    `json:"code,omitempty"`
	Status string `json:"status,omitempty"`
	// Error says why a request could not be fulfilled.
	Error string `json:"error,omitempty"`
}

// Config is what the helper is started with, as JSON in its second argument.
type Config struct {
	// Dir is the node's directory.
	Dir string `json:"dir"`
	// Cgroup is the name of the node's cgroup at the top of every hierarchy.
	Cgroup string `json:"cgroup"`
	// Socket is the abstract socket that is held while the node exists: one machine has one node.
	Socket string `json:"socket"`
}
