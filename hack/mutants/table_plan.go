package main

// planMutants are about what is decided.
var planMutants = []mutant{
	{
		name: "clean-up-before-record",
		why:  "a crash in between loses a finished image",
		file: "pkg/controller/build/plan/plan.go",
		before: `	p.Effects = []Effect{Publish{Record: record}}
`,
		after: `	for _, b := range d.Builds {
		p.Effects = append(p.Effects, DeleteBuild{Name: b.Name, UID: b.UID})
	}
	p.Effects = append(p.Effects, Publish{Record: record})
`,
	},
	{
		name:   "claim-without-mark",
		why:    "what the pool says of the build before is taken for the new one's, which is then thought to have been deleted",
		file:   "pkg/controller/build/plan/plan.go",
		before: "		Before:      d.Pool.Reported.Mark(),\n",
		after:  "",
	},
	{
		name:   "mark-used-twice",
		why:    "of two attempts that are reported in the same words, the second one seems never to have been reported",
		file:   "pkg/controller/build/ledger/report.go",
		before: `mark(r.Reason, w.LastTransitionTime.Time) != r.Before {`,
		after:  `true {`,
	},
	{
		name: "claim-after-the-build",
		why:  "a second controller, or the same one after a crash, starts a second build",
		file: "pkg/controller/build/plan/plan.go",
		before: `	p.Effects = slices.Concat(d.inspections(), d.beginning(), d.farewell(), creation[:1], []Effect{WriteRecord{Record: record, Rebuild: d.acknowledgement()}},
		d.tidy(record.Build), d.slot(&record), creation[1:])
`,
		after: `	p.Effects = slices.Concat(d.inspections(), d.tidy(record.Build), d.slot(&record), creation,
		[]Effect{WriteRecord{Record: record, Rebuild: d.acknowledgement()}})
`,
	},
	{
		name: "stop-before-the-claim",
		why:  "after a crash in between the stopped build is taken for one that an administrator cancelled",
		file: "pkg/controller/build/plan/plan.go",
		before: `	p.Effects = slices.Concat(d.inspections(), d.beginning(), d.farewell(), creation[:1], []Effect{WriteRecord{Record: record, Rebuild: d.acknowledgement()}},
		d.tidy(record.Build), d.slot(&record), creation[1:])
`,
		after: `	p.Effects = slices.Concat(d.inspections(), creation[:1], d.tidy(record.Build),
		[]Effect{WriteRecord{Record: record, Rebuild: d.acknowledgement()}}, d.slot(&record), creation[1:])
`,
		unseen: "nobody in it changes the mind back at that moment",
	},
	{
		name:   "no-claim-grace",
		why:    "every build is looked for with a request, because the cache cannot have it yet",
		file:   "pkg/controller/build/plan/retry.go",
		before: `	claimGrace = 2 * time.Second`,
		after:  `	claimGrace = 0 * time.Second`,
		unseen: "it costs requests only",
	},
	{
		name: "lag-taken-for-deletion",
		why:  "a build that the cache does not show is started a second time",
		file: "pkg/controller/build/plan/plan.go",
		before: `p.Effects = []Effect{ConfirmBuild{Name: record.Build, Told: tells}, WriteRecord{Record: record, Told: tells}}
		return p
	}
	if h`,
		after: `p.Effects = []Effect{WriteRecord{Record: record, Told: tells}}
		return p
	}
	if h`,
		known: "happy freeze-builds@1",
	},
	{
		name:   "unpublished-image-expires",
		why:    "the only image of the wanted inputs goes while the newest attempt may still fail",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `case hasImage(b) && b.Fingerprint == d.fingerprint && d.Pool.ImageConfig != d.Pool.WantedConfig:`,
		after:  `case false:`,
		known:  "jobs:happy rebuild@4 rebuild@7",
	},
	{
		name: "question-taken-for-an-answer",
		why:  "a pool whose build cannot be asked for makes it again and again, without a pause",
		file: "pkg/controller/build/plan/messages.go",
		before: `	case asked(left).State.IsReported():
		p = Plan{Report: asked(left)}
	case`,
		after: `	case`,
	},
	{
		name:   "name-of-an-earlier-attempt",
		why:    "the API refuses a name that is taken",
		file:   "pkg/controller/build/plan/plan.go",
		before: `d.fingerprint, nonce, attempt),`,
		after:  `d.fingerprint, nonce[:0], 1),`,
	},
	{
		name:   "name-used-twice",
		why:    "a Build fails while the pod of its namesake still terminates",
		file:   "pkg/controller/build/plan/plan.go",
		before: `d.fingerprint, nonce, attempt),`,
		after:  `d.fingerprint, nonce[:0], attempt),`,
	},
	{
		name:   "image-not-put-right",
		why:    "nodes boot what someone wrote over the published image",
		file:   "pkg/controller/build/plan/plan.go",
		before: `	if d.Pool.Image != d.record.Image || d.Pool.ImageConfig != d.record.Config {`,
		after:  `	if d.Pool.ImageConfig != d.record.Config {`,
		known:  "back remove-image@20",
	},
	{
		name:   "image-lost-to-a-rebuild",
		why:    "a rebuild that fails costs the image that was just built",
		file:   "pkg/controller/build/plan/plan.go",
		before: ` && !d.awaitsSight() && !d.isPublishable() {`,
		after:  ` && !d.awaitsSight() {`,
		known:  "rebuild/missing-secret crash@4",
	},
	{
		name:   "rebuild-beside-a-build",
		why:    "a rebuild starts beside a build that is not seen yet",
		file:   "pkg/controller/build/plan/plan.go",
		before: ` && !d.awaitsSight() && !d.isPublishable() {`,
		after:  ` && !d.isPublishable() {`,
		known:  "happy rebuild@2 late@9",
	},
	{
		name:   "deleting-pool-served",
		why:    "a pool that is being deleted gets new builds, and may never go away",
		file:   "pkg/controller/build/plan/plan.go",
		before: `	if !s.Pool.Layered || s.Pool.Deleting {`,
		after:  `	if !s.Pool.Layered {`,
		known:  "not-layered/deleting",
	},
	{
		name:   "retry-without-limit",
		why:    "a build that cannot succeed is tried for ever",
		file:   "pkg/controller/build/plan/follow.go",
		before: `record.Attempt >= d.limits().MaxAttempts {`,
		after:  `record.Attempt < 0 {`,
		unseen: "its builds succeed in the end",
	},
	{
		name:   "retry-unscheduled",
		why:    "the next attempt is announced, and never made",
		file:   "pkg/controller/build/plan/follow.go",
		before: `, RequeueAfter: max(at.Sub(d.Now), time.Millisecond)}`,
		after:  `}`,
	},
	{
		name:   "cancelled-is-transient",
		why:    "the build that an administrator cancelled is started again",
		file:   "pkg/controller/build/plan/follow.go",
		before: `Failure{Reason: b.Reason, Message: b.Message, Interrupted: true}`,
		after:  `Failure{Reason: b.Reason, Message: b.Message, Transient: true}`,
		unseen: "nobody in it cancels a build",
	},
	{
		name:   "stuck-unwatched",
		why:    "a build whose pod is never scheduled is waited for, for ever",
		file:   "pkg/controller/build/plan/follow.go",
		before: "	p.RequeueAfter = again\n",
		after:  "	_ = again\n",
	},
	{
		name:   "ceiling-ignored",
		why:    "inputs that keep changing are never built",
		file:   "pkg/controller/build/plan/quiet.go",
		before: `min(limits.QuietPeriod-d.passed(changed), limits.QuietPeriodCeiling-d.passed(since))`,
		after:  `max(limits.QuietPeriod-d.passed(changed), -d.passed(since))`,
		unseen: "its inputs stop changing long before",
	},
	{
		name:   "conditions-not-exclusive",
		why:    "a pool is said to be building and to have been built",
		file:   "pkg/controller/build/ledger/report.go",
		before: "		result = append(result, wanted[at])\n",
		after: `		if existing[i].Status == corev1.ConditionTrue {
			wanted[at] = existing[i]
		}
		result = append(result, wanted[at])
`,
	},
	{
		name:   "foreign-conditions-dropped",
		why:    "the conditions of other controllers vanish",
		file:   "pkg/controller/build/ledger/report.go",
		before: "			result = append(result, existing[i])\n			continue\n",
		after:  "			continue\n",
	},
	{
		name:   "time-of-every-look",
		why:    "conditions differ with every second, and are written without end",
		file:   "pkg/controller/build/ledger/report.go",
		before: `e.Type == w.Type && e.Status == w.Status {`,
		after:  `e.Type == w.Type && e.Status == w.Status && e.LastTransitionTime.IsZero() {`,
	},
	{
		name:   "cached-pool-changed",
		why:    "after a failed write the cache shows what was never written",
		file:   "pkg/controller/build/ledger/report.go",
		before: "		changed = changed || existing[i] != wanted[at]\n",
		after:  "		changed = changed || existing[i] != wanted[at]\n		existing[i] = wanted[at]\n",
	},
}

// tidyMutants are about what is stopped, removed and remembered.
var tidyMutants = []mutant{
	{
		name:   "inputs-left-behind",
		why:    "the credentials in a rendered config stay for good",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `		case b.HasInputs:`,
		after:  `		case b.HasInputs && !kept:`,
	},
	{
		name:   "superseded-build-runs-on",
		why:    "builds that nobody wants keep the nodes busy",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `			if !b.Stopping {`,
		after:  `			if b.Stopping && kept {`,
	},
	{
		name:   "any-build-adopted",
		why:    "the image of other inputs is published",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `if b.Fingerprint != d.fingerprint || !isWorthFollowing(b) || d.unlike(b) != "" {`,
		after:  `if !isWorthFollowing(b) {`,
	},
	{
		name:   "older-build-adopted",
		why:    "the published image goes back to an older one",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `	return b.Created.After(other.Created)`,
		after:  `	return b.Created.Before(other.Created)`,
		unseen: "it never has two complete builds and no record",
	},
	{
		name:   "retention-of-the-newest",
		why:    "the build that the pool's record is of is removed to make room",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `		case b.Name == keep || b.Name == newestOf(d.Pool.Record):`,
		after:  `		case b.Name == "":`,
		unseen: "it makes fewer builds than are kept",
	},
	{
		name:   "retention-unrecorded",
		why:    "a build is removed though its image is not on record",
		file:   "pkg/controller/build/plan/tidy.go",
		before: `hasImage(b) && d.Pool.Record.Holds(b.Image)`,
		after:  `hasImage(b)`,
		unseen: "it makes fewer builds than are kept",
	},
	{
		name:   "history-of-any-config",
		why:    "an earlier image of another config is published",
		file:   "pkg/controller/build/ledger/record.go",
		before: `		if r.History[i].Fingerprint == fingerprint {`,
		after:  `		if r.History[i].Fingerprint != "" {`,
		known:  "churn jump@10",
	},
}
