// Package integration runs the real machine-config-controller binary, under the
// permissions that it ships with, against a real API server with the real
// garbage collector. Builds are played by the devcluster's scripted runner.
//
// Tests of what happens under faults have a witness, which holds every version of
// every pool and Build against what is promised, and a proxy between controller
// and API server, which can cut connections and tell when to kill.
package integration
