package main

// peopleMutants are about the commands for people: how they find a cluster, what they say of
// its answers, and what they read and write. The simulator has no people.
var peopleMutants = []mutant{
	{
		name:   "listed-file-that-is-gone",
		why:    "KUBECONFIG that names no file leads to an account of the pod, or to localhost",
		file:   "cmd/machine-config-controller/cluster/connection.go",
		before: "!slices.ContainsFunc(filepath.SplitList(listed), exists) {",
		after:  "!slices.ContainsFunc(filepath.SplitList(listed), exists) && false {",
		unseen: "it has no kubeconfig",
	},
	{
		name:   "no-context-is-localhost",
		why:    "a kubeconfig without a current-context leads to localhost:8080",
		file:   "cmd/machine-config-controller/cluster/connection.go",
		before: "	case raw.CurrentContext == \"\":\n",
		after:  "	case raw.CurrentContext == \"\" && len(raw.Contexts) == 0:\n",
		unseen: "it has no kubeconfig",
	},
	{
		name:   "watch-that-begins-never",
		why:    "status --watch waits for ever for a server that takes the connection and says nothing",
		file:   "cmd/machine-config-controller/cluster/clients.go",
		before: "	lasting.Wrap(answers.bound)\n",
		after:  "",
		unseen: "it has no HTTP",
	},
	{
		name:   "watch-that-a-timeout-ends",
		why:    "every watch ends after --request-timeout",
		file:   "cmd/machine-config-controller/cluster/answers.go",
		before: "	if requestOf(request).Verb == \"watch\" {\n		timer.Stop()\n	}\n",
		after:  "",
		unseen: "it has no HTTP",
	},
	{
		name:   "refusal-for-silence",
		why:    "credentials that were taken away are told as a server that does not answer",
		file:   "cmd/machine-config-controller/cluster/verdict.go",
		before: "	if status := apierrors.APIStatus(nil); errors.As(err, &status) {\n",
		after:  "	if status := apierrors.APIStatus(nil); errors.As(err, &status) && status.Status().Code != http.StatusUnauthorized {\n",
		unseen: "it has no HTTP",
	},
	{
		name:   "only-lists-are-refused",
		why:    "a Role that permits to list pools and not to watch them leaves the rows as they are, without a word",
		file:   "cmd/machine-config-controller/status/answers.go",
		before: "	default:\n		news = refused\n",
		after:  "	default:\n",
		unseen: "it has no HTTP",
	},
	{
		name:   "doubt-is-no-refusal",
		why:    "after an outage each request is told as refused once more",
		file:   "cmd/machine-config-controller/status/answers.go",
		before: "		w.clients.Doubt()\n",
		after:  "		w.cut = false\n",
		unseen: "it has no HTTP",
	},
}
