// Package ledger is what stands on objects that people read: the states and reasons
// that there are, the record of the newest attempt, how both are written, and the only
// place where they are read back.
//
//	Report ─► conditions and one event        reasons.go, states.go: the words
//	Record ─► annotations                     record.go
//	                       │
//	                       ▼
//	            a MachineConfigPool
//	                       │
//	                       ▼
//	Read ─► Pool, Reported                        pool.go, reported.go
//
// It is pure. Prose is written here and never parsed: what a later sync or a command has
// to know is in the record, or in a field of a condition. Which attempt a condition is
// of, for example, is told by Record.Before.
package ledger
