// Package docs compares what is written about the controller, and the manifests that ship, with the code. Such tests read files
// from all over the repository, so they cannot stand next to the code: that has to build and to pass its tests in another tree, too.
package docs
