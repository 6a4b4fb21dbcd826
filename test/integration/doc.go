// Package integration runs the real machine-config-controller binary, under the
// permissions that it ships with, against a real API server with the real
// garbage collector. Builds are played by the devcluster's scripted runner.
package integration
