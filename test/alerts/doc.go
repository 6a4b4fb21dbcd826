// Package alerts checks the alert rules of the BuildController with the code that
// evaluates them in a cluster: their syntax, that they ask for what the controller tells,
// and that each fires for the case it is for and for no other.
package alerts
