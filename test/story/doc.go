// Command story tells what an administrator lives through with one pool, from opting in to deleting it, and with another one that a
// MachineOSConfig opts in, on a real API server with the real controller under the permissions that it ships with. After each chapter
// it shows what kubectl would show of the pool, and checks that this, and what is left in the operator's namespace, is what has to be
// there.
//
// story.go is the table of contents. Builds are played by a script, in Builds for the one pool and in Jobs for the other, so that no
// chapter waits for an image, and no root, no packages and no network are needed; the demo next door makes real ones. Package
// nodecontroller plays who rolls images out, so the second pool's chapters end with nodes that have the image.
package main
