// Package inputs turns what administrators and other controllers wrote into
// what an image build needs, or into a Problem that says what to fix: the
// ConfigMap becomes Settings, pullspecs become checked references, Secrets
// become the list of registries that they cover, kernel type and extensions
// become packages, custom content and trust anchors are checked, a Recipe becomes
// the Containerfile, and everything that decides the image becomes a fingerprint.
// What of the rendered MachineConfig itself goes into the image is decided by the
// package content.
//
// The package is pure: no client, no clock, no context. The same inputs give
// the same bytes.
package inputs
