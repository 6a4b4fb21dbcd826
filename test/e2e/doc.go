// Package e2e makes real OS images, with buildah and Ignition, through the whole
// of the BuildController: the demo is its story, and checks each image itself.
package e2e
