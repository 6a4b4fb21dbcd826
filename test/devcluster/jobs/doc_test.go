// Package jobs holds the Job controller that the simulation plays against Kubernetes' own: the same scripts are played on both, and
// what the Job and its pods go through has to be the same. Nodes are played by the scripts, on both.
package jobs
