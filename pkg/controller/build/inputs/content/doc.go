// Package content decides what of a rendered MachineConfig goes into an OS image,
// and packs it up for the build.
//
// An image is the same for every machine that boots it. What a machine keeps for
// itself does not belong there, nor does what an image cannot express: those parts
// of the config are left to the node, whose agent applies them, and are listed.
// What remains is looked through for credentials, since whoever may pull the image
// can read it.
//
//	rendered MachineConfig ─► Parse ─► Content ─► Pack ─► Archive ─► Secrets
//	                                      │
//	                                      └─► entries, left out, findings: for people
//
// The package is pure, like its parent. Neither a Content, save for its Ignition
// field and the keys, nor a message holds the content of a file.
package content
