// Package buildtest supports the tests of the BuildController: builders of
// objects, and an in-memory API server with the semantics that the controller
// depends on. It is not part of the controller.
package buildtest
