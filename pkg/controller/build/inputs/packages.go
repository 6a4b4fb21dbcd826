package inputs

import (
	"fmt"
	"slices"
	"strings"
)

// Kernels that spec.kernelType of a MachineConfig may name. The empty text means
// KernelTypeDefault.
const (
	KernelTypeDefault  = "default"
	KernelTypeRealtime = "realtime"
	KernelType64kPages = "64k-pages"
)

var kernelTypes = []string{KernelTypeDefault, KernelTypeRealtime, KernelType64kPages}

// Packages is what an image has beyond its base image's packages. The zero value
// means nothing.
type Packages struct {
	// Kernel is KernelTypeRealtime, KernelType64kPages, or empty for the base
	// image's own.
	Kernel string
	// Extensions are names of extensions, sorted and each once.
	Extensions []string
}

// ParsePackages checks spec.kernelType and spec.extensions of the MachineConfig
// of that name. All problems are returned at once, each with the valid names.
func ParsePackages(config, kernelType string, extensions []string) (Packages, []Problem) {
	var packages Packages
	var problems []Problem
	report := func(key, format string, args ...any) {
		problems = append(problems, Problem{Object: MachineConfigObject(config), Key: key, Text: fmt.Sprintf(format, args...)})
	}

	switch {
	case kernelType == "" || kernelType == KernelTypeDefault:
	case slices.Contains(kernelTypes, kernelType):
		packages.Kernel = kernelType
	default:
		report("spec.kernelType", "there is no kernel type %s; valid ones are %s", quote(kernelType), strings.Join(kernelTypes, ", "))
	}

	var unknown []string
	for _, name := range sortedUnique(extensions) {
		if _, ok := extensionTable[name]; ok {
			packages.Extensions = append(packages.Extensions, name)
		} else {
			unknown = append(unknown, quote(name))
		}
	}
	if len(unknown) > 0 {
		report("spec.extensions", "there is no extension %s; valid ones are %s", shorten(strings.Join(unknown, ", ")), strings.Join(ExtensionNames(), ", "))
	}
	if len(problems) > 0 {
		return Packages{}, problems
	}
	return packages, nil
}

// ChooseExtensionsImage gives the pullspec that packages come from, as ParseBaseImage
// does for the base image: that of the rendered MachineConfig of the given name, else
// that of the ControllerConfig. It is empty if there are no packages.
func ChooseExtensionsImage(config, ofConfig, ofController string, packages Packages) (string, *Problem) {
	if !packages.Any() {
		return "", nil
	}
	object, key, pullspec := MachineConfigObject(config), "spec.baseOSExtensionsContainerImage", ofConfig
	if pullspec == "" {
		object, pullspec = ControllerConfigObject, ofController
	}
	if pullspec == "" {
		return "", &Problem{Object: object, Key: key, Text: "is empty, but " + MachineConfigObject(config) +
			" asks for extensions or another kernel, which come from that image; set it, or remove spec.extensions and spec.kernelType"}
	}
	image, err := ParseBaseImage(pullspec)
	if err != nil {
		return "", &Problem{Object: object, Key: key, Text: fmt.Sprintf("%s: %v; use registry/repository@digest", quote(pullspec), err)}
	}
	return image, nil
}

// Any tells whether there is anything to install, so that an extensions image is
// needed.
func (p Packages) Any() bool { return p.Kernel != "" || len(p.Extensions) > 0 }

// Names are the packages of the extensions, sorted and each once. The kernel's
// packages depend on the base image, so the build finds them itself.
func (p Packages) Names() []string {
	return p.collect(func(e extension) []string { return e.packages })
}

// kernel is never empty.
func (p Packages) kernel() string {
	if p.Kernel == "" {
		return KernelTypeDefault
	}
	return p.Kernel
}

func sortedUnique(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// shorten keeps a list of a user's values within what a condition can hold.
func shorten(text string) string {
	if len(text) > longestQuoted {
		return text[:longestQuoted] + "…"
	}
	return text
}
