package inputs

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	texttemplate "text/template"

	"github.com/distribution/reference"
	"k8s.io/utils/lru"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

// Archive is the name, in the build context, of what the build reads: a gzipped
// tar file in pieces, whose names are this one with a dot and a number behind it.
const Archive = "machine-config.tar.gz"

// Recipe is all that a Containerfile is rendered from.
type Recipe struct {
	// Pool, RenderedConfig and Fingerprint become labels of the image. The
	// fingerprint is empty while it is computed.
	Pool           string
	RenderedConfig string
	Fingerprint    string
	// BaseImage is the pullspec to build on, see ParseBaseImage.
	BaseImage string
	// ExtensionsImage is the pullspec of the image with the packages; it is
	// ignored unless there are any.
	ExtensionsImage string
	Packages        Packages
	Custom          Custom
}

//go:embed assets/os.Containerfile
var recipeText string

var recipeTemplate = parseRecipe(recipeText)

// recipeHash stands for the template, and for how values are laid into it, in
// fingerprints.
var recipeHash = hashRecipe(recipeTemplate)

// hashRecipe hashes what an example with everything in it renders to.
func hashRecipe(template *texttemplate.Template) string {
	text, err := Recipe{
		Pool: "pool", RenderedConfig: "config", Fingerprint: "fingerprint", BaseImage: "example.com/base", ExtensionsImage: "example.com/extensions",
		Packages: Packages{Kernel: KernelTypeRealtime, Extensions: ExtensionNames()}, Custom: Custom{text: "custom", head: "head", body: "body", place: Place{Object: CustomObject, Key: "pool"}},
	}.render(template)
	if err != nil {
		// The template is part of the program.
		panic(err)
	}
	return hashOf(text)
}

func parseRecipe(text string) *texttemplate.Template {
	return texttemplate.Must(texttemplate.New("os.Containerfile").
		Funcs(texttemplate.FuncMap{"label": label, "safe": safe}).Parse(text))
}

var (
	errStructure = errors.New("could not render Containerfile: an input changed its structure")
	errRoot      = errors.New("could not render Containerfile: its last stage is not made from the MachineConfigs")
)

// Containerfile renders the build's instructions. Without custom content it has
// no heredoc. Values are pullspecs,
// names of a fixed list, and label values without special characters, so that none
// can add, remove or change an instruction; that is checked again on the result.
// An error means that a value was not checked before by the functions named in
// Recipe.
func (r Recipe) Containerfile() (string, error) {
	key := r.key()
	if text, known := rendered.Get(key); known {
		return text.(string), nil
	}
	text, err := r.containerfile()
	if err == nil {
		rendered.Add(key, text)
	}
	return text, err
}

// rendered are the last results: while a build runs, its Containerfile is compared with what it
// is to be again and again.
var rendered = lru.New(64)

// key stands for the recipe, and for the template.
func (r Recipe) key() string {
	return hashOf(recipeHash, r.Pool, r.RenderedConfig, r.Fingerprint, r.BaseImage, r.ExtensionsImage, r.Packages.Kernel,
		strings.Join(r.Packages.Extensions, ","), r.Custom.place.Object, r.Custom.place.Key, r.Custom.head, r.Custom.body)
}

func (r Recipe) containerfile() (string, error) {
	text, err := r.render(recipeTemplate)
	if err != nil {
		return "", err
	}
	if err := r.verify(text); err != nil {
		return "", err
	}
	return text, nil
}

// verify reads what is sent once more. Whatever was checked and rewritten before, an image
// without the MachineConfigs must not come of it: the last stage is followed down to ours,
// by names as builders compare them, and nothing behind ours refers to another of our own.
func (r Recipe) verify(text string) error {
	file, problem := containerfile.Parse(text)
	if problem != nil || len(file.Instructions) != r.instructions() {
		return errStructure
	}
	end := ownEnd(file.Stages())
	way := file.Root()
	if end == 0 || way[len(way)-1].Name != stageResult {
		return errRoot
	}
	for _, reference := range file.References() {
		if reference.Index >= end && isOurs(reference.Name) && !strings.HasPrefix(reference.Name, stageNumbered) {
			return errRoot
		}
	}
	return nil
}

// ownEnd is the index behind the last instruction of the stage with the MachineConfigs; 0
// if there is none, or more than one of its name.
func ownEnd(stages []containerfile.Stage) int {
	base, end := "", 0
	for _, stage := range stages {
		switch {
		case stage.Name == stageBase && end == 0:
			base = stage.Base
		case stage.Name == stageResult && end == 0 && stage.Base == base:
			end = stage.End
		case strings.EqualFold(stage.Name, stageResult):
			return 0
		}
	}
	return end
}

func (r Recipe) render(template *texttemplate.Template) (string, error) {
	base, err := ParseBaseImage(r.BaseImage)
	if err != nil {
		return "", fmt.Errorf("could not render Containerfile: base image: %w", err)
	}
	extensions := ""
	if r.Packages.Any() {
		if extensions, err = ParseBaseImage(r.ExtensionsImage); err != nil {
			return "", fmt.Errorf("could not render Containerfile: extensions image: %w", err)
		}
	}
	name, digest := splitDigest(base)
	var text strings.Builder
	err = template.Execute(&text, map[string]any{
		"Archive": Archive, "BaseImage": base, "BaseName": name, "BaseDigest": digest,
		"ExtensionsImage": extensions, "Kernel": r.Packages.kernel(), "Packages": r.Packages.Names(),
		"Newer": r.Packages.Newer(), "Extensions": r.Packages.Extensions,
		"Title": "machine-os-" + r.Pool, "Pool": r.Pool, "RenderedConfig": r.RenderedConfig, "Fingerprint": r.Fingerprint,
		"Head": r.Custom.head, "Custom": r.Custom.body, "CustomObject": r.Custom.place.Object, "CustomKey": r.Custom.place.Key,
	})
	if err != nil {
		return "", fmt.Errorf("could not render Containerfile: %w", err)
	}
	return text.String(), nil
}

// instructions is how many the Containerfile has to have.
func (r Recipe) instructions() int {
	count := 10 + r.Custom.instructions
	if r.Packages.Any() {
		count += 2
	}
	return count
}

// splitDigest splits a pullspec for the base image labels of the OCI image
// specification: the name without the digest, and the digest; empty if unknown.
func splitDigest(pullspec string) (name, digest string) {
	ref, err := reference.ParseNamed(pullspec)
	if err != nil {
		return pullspec, ""
	}
	if digested, ok := ref.(reference.Digested); ok {
		return reference.TrimNamed(ref).Name(), digested.Digest().String()
	}
	return ref.String(), ""
}

// label writes one label of a LABEL instruction.
func label(key, value string) string { return fmt.Sprintf(`%s="%s"`, key, safe(value)) }

const longestLabel = 1024

// safe replaces every character that means something to a Containerfile. Names of
// objects, pullspecs and hashes have none, so those stay as they are.
func safe(value string) string {
	if len(value) > longestLabel {
		value = value[:longestLabel]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-._:/@+", r):
			return r
		}
		return '_'
	}, value)
}
