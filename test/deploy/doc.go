// Package deploy reads what hack/deploy ships, as kubectl would apply it, and says what of it is wrong: permissions that are not
// needed, and settings of pods that are less strict than they could be. Its tests change one rule or one field at a time and
// see that it is noticed.
package deploy
