// Package clients makes clients of a cluster's APIs, as the operator's own package of
// that name does.
package clients
