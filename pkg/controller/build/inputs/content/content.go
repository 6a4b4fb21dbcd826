package content

import "fmt"

// Content is what a rendered MachineConfig says about an image.
type Content struct {
	// Version is the version of the Ignition specification that the config is
	// written in, such as 3.4.0.
	Version string
	// Entries is what it makes in the image, sorted by path.
	Entries []Entry
	// UnitStates is what it says of units that it does not bring, sorted by name.
	UnitStates []UnitState
	// Derived is what the build makes of all that, sorted.
	Derived []Derived
	// Users are those with SSH keys, sorted by name.
	Users []User
	// LeftOut is what the image does not get, sorted.
	LeftOut []LeftOut
	// Warnings are sentences about what is legal and hardly meant.
	Warnings []string
	// Findings is what looks like a credential in what the image gets, sorted.
	Findings []Finding

	// toApply is what Ignition applies, as JSON of that version; apart and presets are what
	// it cannot be given.
	toApply []byte
	apart   apart
	presets string
	// derivations are the names of what is to be derived, presetFiles the paths of presets,
	// both sorted.
	derivations []string
	presetFiles []string
	// forBuilder is what builders read, too.
	forBuilder []file
}

// Kind is what kind of thing an Entry is.
type Kind string

// Kinds of entries, named as in the Ignition specification.
const (
	KindFile      Kind = "file"
	KindDirectory Kind = "directory"
	KindLink      Kind = "link"
	KindUnit      Kind = "unit"
	KindDropIn    Kind = "drop-in"
)

// Entry is one thing that the config makes in the image. It has no content.
type Entry struct {
	Kind Kind `json:"kind"`
	// Path is absolute and clean. Units and drop-ins are below /etc/systemd/system.
	Path string `json:"path"`
	// Mode is the permission bits: those in the config, else 0644 for files and
	// 0755 for directories, which Ignition gives to new ones. It is 0 for links.
	Mode uint32 `json:"mode"`
	// User and Group own the entry, as name or number; "root" if the config does
	// not say.
	User  string `json:"user"`
	Group string `json:"group"`
	// Size is in bytes, after decompression; Hash is the SHA-256, in hexadecimal, of
	// that content. Both are empty for what has no content.
	Size int64  `json:"size,omitempty"`
	Hash string `json:"hash,omitempty"`
	// Appends tells that the content goes behind what the base image has at the
	// path, so that size and hash are those of the addition.
	Appends bool `json:"appends,omitempty"`
	// Overwrite tells that whatever the base image has at the path is removed.
	Overwrite bool `json:"overwrite,omitempty"`
	// KeepsMode and KeepsOwner tell that mode or owner are the base image's, if it has
	// something at the path; what is said of them is of something new.
	KeepsMode  bool `json:"keepsMode,omitempty"`
	KeepsOwner bool `json:"keepsOwner,omitempty"`
	// Target is where a link leads to; Hard tells that it is a hard link.
	Target string `json:"target,omitempty"`
	Hard   bool   `json:"hard,omitempty"`
	// Enabled is whether a unit starts at boot; nil if the config does not say.
	Enabled *bool `json:"enabled,omitempty"`
	// Masked is whether a unit cannot be started; nil if the config does not say.
	Masked *bool `json:"masked,omitempty"`
}

// User is a user with SSH keys. They are in the image only if the base image has
// the user, and the user's home is not one of a machine's own places: on RHCOS it
// is, so there the node writes them.
type User struct {
	Name string `json:"name"`
	// Keys is the number of keys, Hash the SHA-256, in hexadecimal, of their file.
	Keys int    `json:"keys"`
	Hash string `json:"hash"`

	authorized []byte
}

// LeftOut is a part of the config that is not in the image.
type LeftOut struct {
	// What is a path, or a section such as storage.disks.
	What string `json:"what"`
	// Why is a clause that goes on from "left to the node: ".
	Why string `json:"why"`
}

// String renders it for people.
func (l LeftOut) String() string { return l.What + " is left to the node: " + l.Why }

// Credential is a kind of credential.
type Credential string

// The kinds that are looked for.
const (
	PrivateKey          Credential = "private key"
	RegistryCredentials Credential = "registry credentials"
	PasswordHash        Credential = "password hash"
	URLPassword         Credential = "password in a URL"
	Password            Credential = "password"
	Token               Credential = "token"
	CloudKey            Credential = "cloud access key"
)

// Finding is a place in the image that looks like it holds a credential.
type Finding struct {
	// Path is the path in the image, or the name of what else is looked through.
	Path string     `json:"path"`
	Kind Credential `json:"kind"`
}

// String renders it for people; it has no content.
func (f Finding) String() string { return fmt.Sprintf("%s (%s)", f.Path, f.Kind) }
