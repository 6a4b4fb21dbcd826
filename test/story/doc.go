// Command story tells what an administrator lives through with one pool, from opting in to deleting it, on a real API server with
// the real controller under the permissions that it ships with. After each chapter it shows what kubectl would show of the pool, and
// checks that this, and what is left in the operator's namespace, is what has to be there.
//
// story.go is the table of contents. Builds are played by a script, so that no chapter waits for an image, and no root, no
// packages and no network are needed; the demo next door makes real ones.
package main
