// Package program runs other programs, above all machine-config-controller, for programs that tell a story: it ends them in
// order, keeps what they print, and knows their last words.
package program
