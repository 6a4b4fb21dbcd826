package inputs

import "embed"

//go:embed assets/apply.sh assets/packages.sh
var scriptFiles embed.FS

// Scripts are the programs that the build runs, by their name in the build's
// inputs. They are part of the fingerprint.
func Scripts() map[string][]byte {
	scripts := map[string][]byte{}
	for _, name := range scriptNames {
		text, err := scriptFiles.ReadFile("assets/" + name)
		if err != nil {
			// They are part of the program.
			panic(err)
		}
		scripts[name] = text
	}
	return scripts
}

var scriptNames = []string{"apply.sh", "packages.sh"}
