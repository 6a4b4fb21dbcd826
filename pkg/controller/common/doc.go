// Package common holds the names of the objects that the BuildController meets and that
// are not its own.
//
// All of them are in the Machine Config Operator's package of the same path, with the same
// values, so that a controller written against this package compiles against that one.
// What is new to the operator is below pkg/controller/build, and none of that is imported
// here.
package common
