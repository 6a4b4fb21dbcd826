package main

// writtenMutants are about what administrators write: what of it counts, and what is said
// of the rest. The simulator's administrators make no such mistakes.
var writtenMutants = []mutant{
	{
		name:   "binary-data-out-of-the-cache",
		why:    "custom content with a byte that is not UTF-8 is left out of the image without a word",
		file:   "pkg/controller/common/layering.go",
		before: "	if configMap.Name == constants.ConfigMapName || configMap.Name == inputs.CustomConfigMapName {\n		return\n",
		after:  "	if configMap.Name == constants.ConfigMapName || configMap.Name == inputs.CustomConfigMapName {\n		configMap.BinaryData = nil\n		return\n",
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
		file:   "pkg/controller/build/memory.go",
		before: "	r.announced = text\n",
		after:  "",
		unseen: "it looks at no events",
	},
}
