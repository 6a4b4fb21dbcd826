// Package plan decides. Compute turns a Snapshot, which is everything that the
// caches know about one pool, into a Plan: the state that the pool is in, what
// to say of it, and the effects to bring about, in order. It has no client, no
// clock and no memory, so a test can put any situation before it and a reader
// can find every rule here.
//
// Start reading at Compute in plan.go. The checks that can hold a build are lists
// in checks.go; how a build is watched, and what its failure leads to, is in
// follow.go; what is stopped and removed, in tidy.go; every sentence that the pool's
// conditions say, in messages.go. The words, and how they are written and read back, are
// the package ledger's: this one knows no type of an API.
//
//	                       ┌────────────────────── inputs change ─────────────────────┐
//	                       ▼                                                          │
//	opted in ──► Held ──► Pending ──► Building ──► Published ─────────────────────────┤
//	               ▲         ▲  │        │  │                                         │
//	               │         │  └────────┤  ├──► Failed ──── secrets change ──► Held… ┤
//	               │         │           ▼  │                                         │
//	               └──── Retrying ◄──────┘  └──► Interrupted ─────────────────────────┘
//
// What is decided in each situation is listed below, under States.
//
// A claim comes before its build: the ledger.Record of an attempt is on the pool, under
// the pool's resourceVersion, before the build of that name is created. Of two
// controllers only one can write it, after a crash the next one finds it, and no
// name is used for two builds. An outcome comes before cleaning up: what a build
// proved is on the pool, and has been seen there, before the build loses
// anything.
package plan
