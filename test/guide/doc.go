// Package guide runs the commands of the operator's guide, hack/deploy/README.md, in their order, and checks what else it says.
package guide
