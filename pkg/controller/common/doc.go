// Package common holds what the controllers of the machine-config-controller
// share: the names of the objects that they meet, predicates on pools, and the
// ControllerContext that carries clients and informer factories to them.
//
// The names are those that the Machine Config Operator's package of the same
// path already uses, so that a controller written against this package
// compiles against that one. What is new to it lives in layering.go.
package common
