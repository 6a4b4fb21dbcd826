package main

// refusalMutants are bugs in what is said of, and done after, what the cluster refuses.
var refusalMutants = []mutant{
	{
		name:   "refused-in-the-log-only",
		why:    "an administrator who takes a permission away sees a pool that waits for nothing",
		file:   "pkg/controller/build/errors.go",
		before: `	if isRefusal(err) {`,
		after:  `	if isRefusal(err) && errors.Is(err, errStale) {`,
		unseen: "it gives the pool two minutes, after one of which everything that lasts is said",
	},
	{
		name:   "refused-and-yet-done",
		why:    "the pool says that a Build was created which the cluster refused to create",
		file:   "pkg/controller/build/plan/messages.go",
		before: `	case !p.State.IsReported() || slices.ContainsFunc(left, func(effect Effect) bool { return !removes(effect) }):`,
		after:  `	case !p.State.IsReported() || len(left) > 99 && slices.ContainsFunc(left, func(effect Effect) bool { return !removes(effect) }):`,
		unseen: "it reads what is refused, and not what is said beside",
	},
	{
		name:   "patience-without-end",
		why:    "a webhook that is down for hours is in the log only",
		file:   "pkg/controller/build/memory.go",
		before: `	return max(lastingAfter-now.Sub(r.failing), 0)`,
		after:  `	return lastingAfter`,
		known:  "churn deny-down@5",
	},
	{
		name:   "status-refused-in-silence",
		why:    "a pool whose status cannot be written says nothing at all",
		file:   "pkg/controller/build/sync.go",
		before: `			ctrl.reporter.announceRefusal(pool, refusal(reportErr))`,
		after:  `			_ = refusal(reportErr)`,
		known:  "happy deny-forbidden@7",
	},
	{
		name:   "the-future-is-waited-for",
		why:    "after a clock was set back, pools wait for hours",
		file:   "pkg/controller/build/plan/clocks.go",
		before: `	if !at.After(s.Now) {`,
		after:  `	if !at.IsZero() {`,
		known:  "retry clock-back@2",
	},
	{
		name:   "slots-for-nobody",
		why:    "a Build of a pool that is gone keeps all others from building",
		file:   "pkg/controller/build/slots.go",
		before: `if b.Foreign != "" || s.serves != nil && !s.serves(b.PoolUID) {`,
		after:  `if b.Foreign != "" && s.serves != nil && !s.serves(b.PoolUID) {`,
		unseen: "its garbage collector works",
	},
}
