// Package doctor finds what is wrong around the BuildController, whether or not the
// controller runs, and says how to repair it:
//
//	objects of a cluster ─► Examine ─► findings ─► text, JSON, YAML
//
// It is pure, and nothing is ever changed. A finding is something that does not pass by
// itself: what a controller at work is about to do is none, so objects and pools that
// were made or changed within the last minute are left alone. Those who gather the
// objects look twice, since lists of several kinds are not of one moment.
package doctor
