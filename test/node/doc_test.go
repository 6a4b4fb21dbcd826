// Package node_test shows what Kubernetes says of builds in Jobs: on a real node, and on a played one, by the same scripts. What a
// script expects is what was seen on the real one; the Job backend's table of phases relies on it.
package node_test
