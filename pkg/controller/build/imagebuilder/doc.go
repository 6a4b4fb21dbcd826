// Package imagebuilder is the contract between the BuildController and whatever
// runs its image builds. The controller decides which build there should be; a
// backend makes it so. Backends are in sub-packages: openshift creates Builds of
// the OpenShift Build API, fake keeps builds in memory for tests.
//
// The contract has no pool object, no type of a backend and no loop of its own.
// contract_test.go runs the same test against every backend, so what the fake
// promises the others keep.
package imagebuilder
