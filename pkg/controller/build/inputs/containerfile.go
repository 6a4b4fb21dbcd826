package inputs

import (
	_ "embed"
	"strings"
	texttemplate "text/template"
)

const (
	// ConfigFile is the name, in the build context, of the Ignition config of
	// the rendered MachineConfig, compressed by gzip.
	ConfigFile = "ignition.json.gz"

	unpackedConfigFile = "ignition.json"
)

//go:embed assets/Containerfile
var containerfileText string

var containerfileTemplate = template(containerfileText)

func template(text string) *texttemplate.Template {
	return texttemplate.Must(texttemplate.New("Containerfile").Parse(text))
}

// Containerfile renders the build's instructions. It contains no heredoc, which
// neither the OpenShift builder nor buildah before 1.33 understands, and no
// value but the base image's pullspec, whose grammar leaves no room for
// whitespace, quotes or variables.
func Containerfile(baseImage string) string {
	var text strings.Builder
	err := containerfileTemplate.Execute(&text, struct{ BaseImage, ConfigFile, UnpackedConfigFile string }{
		BaseImage:          baseImage,
		ConfigFile:         ConfigFile,
		UnpackedConfigFile: unpackedConfigFile,
	})
	if err != nil {
		// The template is part of the program and its data are strings: only
		// a programming error gets here, and every test would.
		panic(err)
	}
	return text.String()
}
