// Package inputs turns what administrators and other controllers wrote into
// what an image build needs, or into a Problem that says what to fix: the
// ConfigMap becomes Settings, pullspecs become checked references, Secrets
// become the list of registries that they cover, the rendered MachineConfig
// becomes the files of the build context, and everything that decides the
// image becomes a fingerprint.
//
// The package is pure: no client, no clock, no context. The same inputs give
// the same bytes.
package inputs
