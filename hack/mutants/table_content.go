package main

// contentMutants are about what of a config goes into an image, and how. The simulator
// makes no images.
var contentMutants = []mutant{
	{
		name:   "hosts-written-by-a-step",
		why:    "a config with /etc/hosts is never built: the builder has its own mounted there",
		file:   "pkg/controller/build/inputs/content/mounted.go",
		before: `{{path: "/etc/hosts"}, {path: "/etc/resolv.conf"}}`,
		after:  `{{path: "/etc/resolv.conf"}}`,
		unseen: "it looks at no content",
	},
	{
		name:   "volumes-in-the-way",
		why:    "a pool that was built cannot be any more once somebody makes the entitlement's Secret",
		file:   "pkg/controller/build/inputs/content/mounted.go",
		before: "	for _, volume := range all.Volumes() {\n",
		after:  "	for _, volume := range all.Volumes()[:0] {\n",
		unseen: "it looks at no content",
	},
	{
		name:   "agents-records-in-the-image",
		why:    "the node's agent takes for applied what the image does not have",
		file:   "pkg/controller/build/inputs/content/lefttonode.go",
		before: "	{path: \"/etc/machine-config-daemon\", why: whyAgent},\n",
		after:  "",
		unseen: "it looks at no content",
	},
	{
		name:   "anchors-not-trusted",
		why:    "certificates of the config are on machines, and not trusted",
		file:   "pkg/controller/build/inputs/content/derived.go",
		before: `below: []string{"/etc/pki/ca-trust/source", `,
		after:  `below: []string{`,
		unseen: "it looks at no content",
	},
	{
		name:   "hash-not-compared",
		why:    "a wrong hash is found out after minutes, in the build",
		file:   "pkg/controller/build/inputs/content/read.go",
		before: "		case !stated.holds():\n",
		after:  "		case stated.function != \"\" && err != nil:\n",
		unseen: "it looks at no content",
	},
	{
		name:   "owners-of-the-config-in-the-image",
		why:    "the build looks for users that only machines have",
		file:   "pkg/controller/build/inputs/content/owners.go",
		before: "		found.users[user.Name] = true\n",
		after:  "",
		unseen: "it looks at no content",
	},
	{
		name:   "states-of-units-as-files",
		why:    "the preview lists files that are not in the image",
		file:   "pkg/controller/build/inputs/content/units.go",
		before: "		case !util.NilOrEmpty(unit.Contents):\n			f.add(entry)\n",
		after:  "		case !util.NilOrEmpty(unit.Contents) || unit.Enabled != nil:\n			f.add(entry)\n",
		unseen: "it looks at no content",
	},
}
