// Command demo shows the main job of the BuildController from end to end, on real parts, to somebody who has never seen it:
// pools that opt in, one by its label and one by a MachineOSConfig, get an OS image made of their rendered config, and a changed
// config gets them another one.
//
// story.go is the table of contents. Real are the API server, the RBAC that the controller ships with, the controller's
// binary, the builds by buildah, the base OS with Ignition, the registry and its credentials. Stand-ins are what plays the
// rest of OpenShift: package devcluster for the Build API, package buildrunner for what runs Builds, package playednode for the node
// on which Jobs run their own script with this machine's buildah, and this program for
// the render controller. With -image-builder Job, Jobs build for both pools, on a real Kubernetes node. No node is a machine of a pool, so nobody boots the images; instead their content is compared with the config.
//
// Everything is written below the output directory, and ends with this program.
package main
