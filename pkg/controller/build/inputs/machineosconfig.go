package inputs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// MachineOSConfig is what the spec of a MachineOSConfig says of what is built.
type MachineOSConfig struct {
	// Name is the object's.
	Name        string
	BuilderType string
	PullSecret  string
	PushSecret  string
	// PushSpec has a tag, which means nothing.
	PushSpec string
	// Containerfiles are texts by architecture.
	Containerfiles map[string]string
}

const (
	// BuilderTypeJob is the one type of builder that there is.
	BuilderTypeJob = "Job"
	// AnyArchitecture is that of the Containerfile which is built.
	AnyArchitecture = "NoArch"
	// GlobalPullSecretName is the operator's copy of the cluster's pull secret, which pools
	// that a MachineOSConfig opts in have unless it names another one.
	GlobalPullSecretName = "global-pull-secret-copy"
)

// place is a field of the object.
func (c *MachineOSConfig) place(field string) Place {
	return Place{Object: MachineOSConfigObject(c.Name), Key: field, Field: true}
}

// Settings checks what the spec says, together with what the ConfigMap, nil for none, says
// of limits and details.
func (c *MachineOSConfig) Settings(configMap *corev1.ConfigMap) (Settings, []Problem) {
	// The same values are checked in the same way, wherever they are written.
	merged := &corev1.ConfigMap{Data: map[string]string{}}
	if configMap != nil {
		maps.Copy(merged.Data, configMap.Data)
		merged.BinaryData = maps.Clone(configMap.BinaryData)
	}
	for key, value := range map[string]string{
		constants.BaseImagePullSecretKey: c.PullSecret, constants.FinalImagePushSecretKey: c.PushSecret, constants.FinalImagePullspecKey: c.PushSpec,
		constants.ImageBuilderKey: constants.BackendJob,
	} {
		merged.Data[key] = value
		delete(merged.BinaryData, key)
	}
	settings, problems := ReadSettings(merged)
	for i := range problems {
		if field, ok := fieldOf[problems[i].Key]; ok {
			problems[i] = c.place(field).problem(problems[i].Text)
		}
	}
	if c.BuilderType != BuilderTypeJob {
		problems = append(problems, c.place(FieldBuilderType).problem(fmt.Sprintf("%s is no type of builder that is known; the one there is is %s", quote(c.BuilderType), BuilderTypeJob)))
	}
	if repository := settings.FinalImageRepository; len(problems) == 0 && !takesDigest.MatchString(repository) {
		problems = append(problems, c.place(FieldPushSpec).problem(fmt.Sprintf(
			"%s can be pushed to, and the image could never be written to the status, which takes a host name with a dot, at most one name between it and the repository, and letters, digits, dashes and underscores in that; use registry/organisation/repository",
			quote(repository))))
	}
	if len(problems) > 0 {
		settings = Settings{Limits: settings.Limits}
	}
	if valueOf(merged.Data, constants.BuildForKey) == "" {
		settings.BuildFor = constants.BuildForImageChanges
	}
	settings.MachineOSConfig = c.Name
	return settings, problems
}

// CheckPreBuilt checks the image that the annotation names to begin with.
func (c *MachineOSConfig) CheckPreBuilt(image string) (string, *Problem) {
	trouble := func(text string) (string, *Problem) {
		p := c.place(FieldPreBuilt).problem(text)
		return "", &p
	}
	pullspec, err := ParseBaseImage(strings.TrimSpace(image))
	name, digest, _ := strings.Cut(pullspec, "@")
	switch {
	case err != nil || !strings.HasPrefix(digest, "sha256:"):
		return trouble(fmt.Sprintf("%s names no image by its digest, which nodes need; write registry/organisation/repository@sha256:…, or take the annotation away to have the image built", quote(image)))
	case !takesDigest.MatchString(name):
		return trouble(fmt.Sprintf("%s could never be written to the status, which takes a host name with a dot, and at most one name between it and the repository; copy the image to registry/organisation/repository, or take the annotation away to have one built", quote(image)))
	}
	return pullspec, nil
}

// PreBuiltMissing is what is wrong with an image that its registry does not have.
func (c *MachineOSConfig) PreBuiltMissing(image string) *Problem {
	p := c.place(FieldPreBuilt).problem("names " + image + ", and the registry says that it does not have it; push it there, name another one, or take the annotation away to have the image built")
	return &p
}

// takesDigest is what the API takes for the repository of an image by its digest. Of what is
// to be pushed to it takes more.
var takesDigest = regexp.MustCompile(`^(?:[[:alnum:]-]+\.)+[[:alnum:]-]+(?::\d{2,5})?/(?:[\w-]{0,61}/)?[\w.-]+$`)

// Custom checks the Containerfile that is built.
func (c *MachineOSConfig) Custom() (Custom, *Problem) {
	return parseCustom(c.place(FieldContainerfile+"["+AnyArchitecture+"].content"), c.Containerfiles[AnyArchitecture])
}

// PreBuiltUnused says that the annotation comes too late.
func (c *MachineOSConfig) PreBuiltUnused() *Problem {
	p := c.place(FieldPreBuilt).problem("is not acted on, since the object has an image already; take it away")
	return &p
}

// Unused says which Containerfiles are not built; nil for none.
func (c *MachineOSConfig) Unused() *Problem {
	var others []string
	for _, architecture := range slices.Sorted(maps.Keys(c.Containerfiles)) {
		if architecture != AnyArchitecture {
			others = append(others, architecture)
		}
	}
	if len(others) == 0 {
		return nil
	}
	p := c.place(FieldContainerfile).problem(fmt.Sprintf("has text for %s, which is not built; only that for %s is", strings.Join(others, ", "), AnyArchitecture))
	return &p
}

// Version stands for everything that the spec says.
func (c *MachineOSConfig) Version() string {
	parts := []string{c.Name, c.BuilderType, c.PullSecret, c.PushSecret, c.PushSpec}
	for _, architecture := range slices.Sorted(maps.Keys(c.Containerfiles)) {
		parts = append(parts, architecture, c.Containerfiles[architecture])
	}
	return hashOf(parts...)
}

const (
	// longestTag bounds the tag of an image, which is the name of its MachineOSBuild.
	longestTag   = 128
	buildNameTag = 32
)

// Source stands for the object, and for everything that its spec says.
func (c *MachineOSConfig) Source(uid string) string { return hashOf(uid, c.Version()) }

// MachineOSBuildName is the name of the MachineOSBuild, and the tag of the image, for the
// rendered config: the same again whenever the same is wanted of the same object.
func (c *MachineOSConfig) MachineOSBuildName(uid, config string) string {
	head := c.Name
	if longest := longestTag - buildNameTag - 1; len(head) > longest {
		head = strings.TrimRight(head[:longest], "-.")
	}
	return head + "-" + hashOf(uid, c.Version(), config)[:buildNameTag]
}
