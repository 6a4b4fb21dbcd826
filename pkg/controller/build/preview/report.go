// Package preview tells what the BuildController would build for a pool, and why or
// why not, before anything is created.
//
//	objects ─► build.NewPreview ─► New ─► Report ─► text, YAML, JSON
//
// A report is meant to be pasted into a change request: it holds the content of no
// file, Secret or key.
package preview

import "github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"

// Outcome is what comes of the pool's inputs.
type Outcome string

// Outcomes of a Report.
const (
	// NothingToBuild means: the image of these inputs is published, or is known and
	// only has to be.
	NothingToBuild Outcome = "NothingToBuild"
	// WouldBuild means: a build starts, or one of these inputs is on its way.
	WouldBuild Outcome = "WouldBuild"
	// Blocked means: there is no image of these inputs, and there will be none until
	// someone changes something.
	Blocked Outcome = "Blocked"
)

// Report is what there is to know about a pool's next image.
type Report struct {
	Pool    string  `json:"pool"`
	Outcome Outcome `json:"outcome"`
	// State, Reason and Message are what the pool's condition would say.
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// NotChecked is what was taken for granted.
	NotChecked []string `json:"notChecked,omitempty"`
	// Warnings hold up nothing.
	Warnings []string `json:"warnings,omitempty"`

	// Config is the rendered MachineConfig that the pool wants.
	Config string `json:"config"`
	// Fingerprint identifies the inputs; it is empty, as is all that follows it, where
	// it is not known what to build.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Published is the image on the pool, PublishedConfig what it was built from.
	Published       string `json:"published,omitempty"`
	PublishedConfig string `json:"publishedConfig,omitempty"`

	Image   *Image   `json:"image,omitempty"`
	Content *Content `json:"content,omitempty"`
	// Build is the object that would be created, in the backend's API; nil if nothing is
	// to be.
	Build any `json:"build,omitempty"`
	// Inputs are the Secrets that would be created for the build to read.
	Inputs        []Input `json:"inputs,omitempty"`
	Containerfile string  `json:"containerfile,omitempty"`

	Diff         *Diff         `json:"diff,omitempty"`
	ServerDryRun *ServerDryRun `json:"serverDryRun,omitempty"`

	// request is what the Build is made from, and kind what people call it.
	request *imagebuilder.Request
	kind    string
}

// Image is what an image is made of, besides the content of the config.
type Image struct {
	BaseImage       string   `json:"baseImage"`
	ExtensionsImage string   `json:"extensionsImage,omitempty"`
	Kernel          string   `json:"kernel,omitempty"`
	Extensions      []string `json:"extensions,omitempty"`
	Packages        []string `json:"packages,omitempty"`
	// CustomLines and Certificates count what comes from the ConfigMap with custom
	// content and from the trust bundle.
	CustomLines  int    `json:"customLines"`
	Certificates int    `json:"certificates"`
	PushedTo     string `json:"pushedTo"`
	// Mounted are the objects that the steps of the build see, each with its path.
	Mounted []string `json:"mounted,omitempty"`
}

// Content is what of the config is in the image, and what is not.
type Content struct {
	Ignition string  `json:"ignition"`
	Entries  []Entry `json:"entries"`
	// UnitStates are those of units that the config does not bring: no files.
	UnitStates []UnitState `json:"unitStates,omitempty"`
	// Derived is what the build makes of all that.
	Derived  []Derived `json:"derived,omitempty"`
	Users    []User    `json:"users,omitempty"`
	LeftOut  []LeftOut `json:"leftOut,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Entry is a file, directory, link, unit or drop-in.
type Entry struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	// Mode is in octal; empty for links.
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner"`
	// Bytes is the size of the content; nil for what has none.
	Bytes *int64 `json:"bytes,omitempty"`
	// Notes are further properties, such as "enabled" or "appended".
	Notes []string `json:"notes,omitempty"`
}

// UnitState is what becomes of a unit of the base image, or of an instance of a template:
// enabled, disabled, unmasked.
type UnitState struct {
	Name   string   `json:"name"`
	States []string `json:"states"`
}

// Derived is a path that the build makes, or changes, and what it makes it from.
type Derived struct {
	What string `json:"what"`
	From string `json:"from"`
}

// User is a user with SSH keys, of which only the number is told.
type User struct {
	Name string `json:"name"`
	Keys int    `json:"keys"`
}

// LeftOut is what is left to the node, and why.
type LeftOut struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Finding is where something looks like a credential of that kind.
type Finding struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
}

// Input is a key of a Secret that the build reads.
type Input struct {
	Secret string `json:"secret"`
	Key    string `json:"key"`
	Bytes  int    `json:"bytes"`
}

// Diff is what changes against the image that is published.
type Diff struct {
	// From is the config of that image; empty if none is published.
	From string `json:"from,omitempty"`
	// Unknown says why it cannot be told what changes; empty if it can.
	Unknown string `json:"unknown,omitempty"`
	// Content are the changes to files and units, Users those to SSH keys, Settings
	// those to what else is known of both.
	Content  []Change `json:"content,omitempty"`
	Users    []Change `json:"users,omitempty"`
	Settings []Change `json:"settings,omitempty"`
	LeftOut  []Change `json:"leftOut,omitempty"`
	// Others says whether anything else changed that makes another image of a config.
	Others string `json:"others,omitempty"`
}

// Change is one difference.
type Change struct {
	Action string `json:"action"`
	// What is a path, a user or a setting; Kind tells which kind of entry.
	What string `json:"what"`
	Kind string `json:"kind,omitempty"`
	// Aspects are what of an entry differs, Before and After the values of a setting.
	Aspects []string `json:"aspects,omitempty"`
	Before  string   `json:"before,omitempty"`
	After   string   `json:"after,omitempty"`
}

// ServerDryRun is what the API server says to creating the objects.
type ServerDryRun struct {
	// Skipped says why nothing was asked; empty if something was.
	Skipped string   `json:"skipped,omitempty"`
	Answers []Answer `json:"answers,omitempty"`
}

// Answer is the server's to one object.
type Answer struct {
	Object   string `json:"object"`
	Accepted bool   `json:"accepted"`
	Message  string `json:"message,omitempty"`
}
