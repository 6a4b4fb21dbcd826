package main

// writtenMutants are about what administrators write: what of it counts, and what is said
// of the rest. The simulator's administrators make no such mistakes.
var writtenMutants = []mutant{
	{
		name:   "binary-data-out-of-the-cache",
		why:    "custom content with a byte that is not UTF-8 is left out of the image without a word",
		file:   "pkg/controller/build/watched.go",
		before: "	if known >= 0 && watchedObjects[known].values {\n		return\n",
		after:  "	if known >= 0 && watchedObjects[known].values {\n		configMap.BinaryData = nil\n		return\n",
		unseen: "its administrators write UTF-8",
	},
	{
		name:   "binary-data-for-absent",
		why:    "custom content with a byte that is not UTF-8 is left out of the image without a word",
		file:   "pkg/controller/build/inputs/misplaced.go",
		before: "	if content, ok := configMap.BinaryData[pool]; ok {",
		after:  "	if content, ok := configMap.BinaryData[pool]; ok && utf8.Valid(content) {",
		unseen: "its administrators write UTF-8",
	},
	{
		name:   "notices-over-and-over",
		why:    "a misspelt label makes an event at every change of the pool",
		file:   "pkg/controller/build/notices.go",
		before: "	r.ignored = text\n",
		after:  "",
		unseen: "it looks at no events",
	},
	{
		name:   "joined-certificates-vanish",
		why:    "of two bundles that the operator put together, the second one loses its first certificate",
		file:   "pkg/controller/build/inputs/pemblocks.go",
		before: "strings.HasSuffix(text[last:word], \"-----\") {",
		after:  "strings.HasSuffix(text[:word], \"\\n-----\") {",
		unseen: "it has no trust bundles",
	},
	{
		name:   "strict-about-certificates",
		why:    "a corporate certificate with a serial number below zero keeps every pool from being built",
		file:   "pkg/controller/build/inputs/trust.go",
		before: "err != nil && !looksLikeCertificate(b.content) {",
		after:  "err != nil {",
		unseen: "it has no trust bundles",
	},
	{
		name:   "only-false-says-no",
		why:    "a pool whose label says no is built, and its nodes reboot into the image",
		file:   "pkg/controller/build/ledger/pool.go",
		before: "	return known && !yes\n",
		after:  "	return known && !yes && value == \"false\"\n",
		unseen: "its administrators take the label away, or write false",
	},
	{
		name:   "ports-and-addresses-unchecked",
		why:    "a registry by its IPv6 address is refused by the API of Builds again and again, and the pool says that the backend is to blame",
		file:   "pkg/controller/build/inputs/pullspec.go",
		before: "	if strings.HasPrefix(host, \"[\") {",
		after:  "	if strings.HasPrefix(host, \"[\") && len(name) > longestOutput {",
		unseen: "its registry has a name",
	},
	{
		name:   "ends-judged-in-halves",
		why:    "a push that was refused is tried again, since the log that says so comes a moment later",
		file:   "pkg/controller/build/plan/whole.go",
		before: "	left := wholeWithin\n",
		after:  "	left := min(wholeWithin, 0)\n",
		unseen: "its build system writes an end in one step",
	},
}
