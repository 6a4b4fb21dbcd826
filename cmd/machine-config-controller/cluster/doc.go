// Package cluster is what the commands for people have in common: the flags by which they
// find a cluster, its clients, the objects that a decision depends on, the forms of their
// output, and how they end.
package cluster
