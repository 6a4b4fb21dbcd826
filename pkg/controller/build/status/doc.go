// Package status tells where pools stand, for people and for tools, from what the
// pools, and the builds as far as they may be read, say of themselves:
//
//	objects ─► Of ─► Pool, one for each pool ─► Cells, JSON, YAML
//
// It is pure. What a pool's conditions say is only taken for its state if it fits what
// the pool wants now: while no controller is at work, conditions speak of the past, and
// a pool is shown as not reported on rather than as well.
package status
