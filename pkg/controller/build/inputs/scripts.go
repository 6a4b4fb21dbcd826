package inputs

import "embed"

//go:embed assets/apply.sh assets/mounted.sh assets/packages.sh
var scriptFiles embed.FS

var scriptNames = []string{"apply.sh", "mounted.sh", "packages.sh"}

// scriptTexts are the scripts in the order of their names.
var scriptTexts = readScripts()

// scriptsHash stands for all of them in fingerprints.
var scriptsHash = hashOf(append(scriptTexts, scriptNames...)...)

// Scripts are the programs that the build runs, by their name in the build's
// inputs. They are part of the fingerprint.
func Scripts() map[string][]byte {
	scripts := map[string][]byte{}
	for i, name := range scriptNames {
		scripts[name] = []byte(scriptTexts[i])
	}
	return scripts
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
