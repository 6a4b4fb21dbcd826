// Package caches holds the informers that the BuildController reads from. They are its
// own, since they drop what it never reads, which others that share a factory may.
package caches
