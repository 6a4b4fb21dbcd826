package inputs

import (
	"embed"
	"maps"
	"slices"
)

//go:embed assets/apply.sh assets/mounted.sh assets/packages.sh
var scriptFiles embed.FS

var scriptNames = []string{"apply.sh", "mounted.sh", "packages.sh"}

// scriptTexts are the scripts in the order of their names.
var scriptTexts = readScripts()

// scriptsHash stands for all of them, and what they read, in fingerprints.
var scriptsHash = hashScripts()

func hashScripts() string {
	parts := append(slices.Clone(scriptTexts), scriptNames...)
	files := extensionFiles()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		parts = append(parts, name, files[name])
	}
	return hashOf(parts...)
}

// Scripts are the programs that the build runs, by their name in the build's
// inputs. They are part of the fingerprint.
func Scripts() map[string][]byte {
	scripts := map[string][]byte{}
	for i, name := range scriptNames {
		scripts[name] = []byte(scriptTexts[i])
	}
	return scripts
}

// ScriptFiles are what the programs read besides the pool's own content, by their name.
func ScriptFiles() map[string][]byte {
	files := map[string][]byte{}
	for name, text := range extensionFiles() {
		files[name] = []byte(text)
	}
	return files
}

func readScripts() []string {
	var texts []string
	for _, name := range scriptNames {
		text, err := scriptFiles.ReadFile("assets/" + name)
		if err != nil {
			// They are part of the program.
			panic(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}
