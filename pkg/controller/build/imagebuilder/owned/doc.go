// Package owned is what all backends have in common that keep their builds as objects in
// the controller's namespace: the metadata by which an object is told to be ours, of which
// backend, pool and build it is, and the Secrets that a build reads its inputs from.
//
// A Mark is one backend's. What bears another one's does not exist for it, so several
// backends work side by side in a namespace.
package owned
