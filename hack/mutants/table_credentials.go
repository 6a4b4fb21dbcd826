package main

// credentialMutants are about credentials: which of them a builder logs in with, and which
// are in what goes into an image. The simulator's Secrets are all as they should be.
var credentialMutants = []mutant{
	{
		name:   "docker-hub-has-one-name",
		why:    "a Secret that kubectl made for Docker Hub holds every pool up for ever",
		file:   "pkg/controller/build/inputs/keyring.go",
		before: "	if len(serving) == 0 && isOfDockerHub(image) &&",
		after:  "	if len(serving) == 0 && image == dockerHub &&",
		unseen: "its registry is no Docker Hub",
	},
	{
		name:   "any-entry-with-a-login",
		why:    "a build runs to its end, and the push goes without the login of a more specific, empty entry",
		file:   "pkg/controller/build/inputs/secret.go",
		before: "	for _, e := range groups[0] {\n		if e.lack == \"\" {",
		after:  "	for _, e := range groups[0] {\n		if e.lack == \"\" || anyLoginIn(groups[1:]) != \"\" {",
		unseen: "its Secrets have one entry",
	},
	{
		name:   "a-token-is-a-login",
		why:    "a build runs to its end before the push with an identity token is refused",
		file:   "pkg/controller/build/inputs/secretentry.go",
		before: "	case user != \"\" && password != \"\":",
		after:  "	case user != \"\" && password != \"\", token:",
		unseen: "its Secrets have passwords",
	},
	{
		name:   "one-format-for-both-keys",
		why:    "a Secret is said to have no entry for the registry, which everybody can see in it",
		file:   "pkg/controller/build/inputs/secret.go",
		before: "		if len(auths) > 0 && !anyLogin(whole) {",
		after:  "		if len(auths) > 0 && len(whole) == 0 {",
		unseen: "its Secrets are of one format",
	},
	{
		name:   "dockers-own-repositories",
		why:    "a build runs to its end before Docker Hub refuses a push to its own repositories",
		file:   "pkg/controller/build/inputs/pullspec.go",
		before: "	if strings.Count(pullspec, \"/\") == 1 && reference.Domain(ref) == hubDomain {",
		after:  "	if strings.Count(pullspec, \"/\") == 0 && reference.Domain(ref) == hubDomain {",
		unseen: "its registry is no Docker Hub",
	},
	{
		name:   "only-whole-words-of-refusals",
		why:    "a push that Quay refuses is tried four times, since the word for it was cut away",
		file:   "pkg/controller/build/imagebuilder/owned/refusals.go",
		before: "	`requested resource is not authorized`,\n",
		after:  "",
		unseen: "its registry refuses nobody",
	},
	{
		name:   "rate-limits-are-refusals",
		why:    "a build is given up because the registry asked to wait",
		file:   "pkg/controller/build/imagebuilder/owned/refusals.go",
		before: "refusals.MatchString(line) && !passing.MatchString(line)",
		after:  "refusals.MatchString(line) || passing.MatchString(line)",
		unseen: "its registry has no limits",
	},
	{
		name:   "proxies-have-no-passwords",
		why:    "the password of the cluster's proxy goes into images in spite of rejectCredentials",
		file:   "pkg/controller/build/inputs/content/forms.go",
		before: "kind: URLPassword, words: []string{\"://\"},",
		after:  "kind: URLPassword, words: []string{\"://\"}, beside: []string{\"git\"},",
		unseen: "its configs have no proxy",
	},
}
