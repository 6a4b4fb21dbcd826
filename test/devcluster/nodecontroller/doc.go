// Package nodecontroller plays, on a devcluster, those who roll images out: the operator's node controller, which says on nodes what
// they are to be, and the daemon of each node, which makes it so. What is rolled out, and when, is decided by package rollout, the
// witness of the controller's own tests.
//
// Nodes belong to the pool whose nodeSelector they match. One node of a pool changes at a time, and is done at once: nothing is
// drained, and nothing boots.
//
// # What it does not do
//
// The pool's status; taints; maxUnavailable; nodes of several pools; anything about nodes that have no annotations yet but to give
// them some.
package nodecontroller
