package main

// containerfileMutants are about how a Containerfile is read. The simulator's builds are
// played, and read none.
var containerfileMutants = []mutant{
	{
		name:   "names-in-any-case",
		why:    "a stage's name in another case is an image that is pulled, without the MachineConfigs",
		file:   "pkg/controller/build/inputs/customstages.go",
		before: "		case stage.name != name:\n",
		after:  "		case stage.name != name && stage.name == \"\":\n",
		unseen: readsNone,
	},
	{
		name:   "root-is-not-followed",
		why:    "a mistake in what is rewritten publishes an image without the MachineConfigs",
		file:   "pkg/controller/build/inputs/recipe.go",
		before: "	if end == 0 || way[len(way)-1].Name != stageResult {",
		after:  "	if end == 0 || len(way) == 0 {",
		unseen: readsNone,
	},
	{
		name:   "numbers-count-ours",
		why:    "COPY --from=0 takes a file of the base image",
		file:   "pkg/controller/build/inputs/customcontext.go",
		before: "	if reason == \"\" && \"--from=\"+name != i.Text[flag.Start:flag.End] {",
		after:  "	if reason == \"\" && \"--from=\"+name != i.Text[flag.Start:flag.End] && name != flag.Value && flag.Value > \"9\" {",
		unseen: readsNone,
	},
	{
		name:   "inputs-can-be-copied",
		why:    "custom content copies the rendered config, with its credentials, into the image",
		file:   "pkg/controller/build/inputs/customstages.go",
		before: "return name == stageInputs || ",
		after:  "return ",
		unseen: readsNone,
	},
	{
		name:   "context-in-json",
		why:    "COPY in its JSON form fails after minutes, or takes our inputs",
		file:   "pkg/controller/build/inputs/customcontext.go",
		before: "	case from < 0 && len(sources) > len(i.Heredocs):",
		after:  "	case from < 0 && len(sources) > len(i.Heredocs) && !i.JSON:",
		unseen: readsNone,
	},
	{
		name:   "mount-of-the-context",
		why:    "a RUN mounts our inputs",
		file:   "pkg/controller/build/inputs/customcontext.go",
		before: "		if kind == \"bind\" {",
		after:  "		if kind == \"bind\" && len(mount) < 2 {",
		unseen: readsNone,
	},
	{
		name:   "variables-are-lost",
		why:    "an ARG before the first FROM is in the middle of the Containerfile, where no FROM sees it",
		file:   "pkg/controller/build/inputs/recipe.go",
		before: "\"Head\": r.Custom.head,",
		after:  "\"Head\": \"\",",
		unseen: readsNone,
	},
	{
		name:   "unset-is-empty",
		why:    "FROM tools:${VERSION} without a VERSION pulls whatever is the newest",
		file:   "pkg/controller/build/inputs/customstages.go",
		before: "by == \"FROM\":\n		return \"\", by",
		after:  "by == \"FROM\":\n		return expanded, \"\" // by",
		unseen: readsNone,
	},
}

const readsNone = "its builds read no Containerfile"
