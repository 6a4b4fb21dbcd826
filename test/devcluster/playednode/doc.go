// Package playednode is a node of a devcluster on which nothing runs: it takes the pods that the scheduler gives it, and tells the API
// what a kubelet would tell, in the words that were seen on a real one. What containers do is played by an Executor, in this process.
//
// It is for all that has to be fast, or to run where no real node can. The controllers are Kubernetes' own, and test/node holds the
// played node against a real one by the same scripts.
//
// # What it does not do
//
// Init containers; more than one container in a pod; probes; logs over the API; pulls: of an image it asks its registry for the
// manifest, and takes the ones in Options.Images for granted. What is full is said at once, where a kubelet takes up to a minute.
package playednode
