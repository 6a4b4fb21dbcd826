// Command pictures draws the two pictures of the repository's README, status.svg and dashboard.svg, from one run of the real
// controller on a real API server. Builds are played by a script, so that a run takes about a minute, and needs neither root nor
// packages nor a network.
//
//	script.go      what happens to four pools: a queue, a failure that passes, one that stays, a pool that is held, an image that is
//	               published again, a rebuild
//	scene.go       the cluster, the controller, who plays builds, and who writes on pools besides
//	watch.go       status --watch on a pseudo-terminal; terminal.go is what a terminal makes of its bytes, drawn in status.go
//	scrape.go      /metrics, once a second, read with Prometheus' own parser into Prometheus' own database
//	dashboard.go   the panels of hack/deploy/dashboard.json over that, evaluated by Prometheus' own engine
//
// A dashboard is about hours, and its queries have ranges such as [5m] and [1h]. So the time stamps of what was scraped are
// stretched: a second of the run is told as a minute. The values are as they were: a build of seven seconds counts as one of seven
// seconds, though it lies seven minutes wide. Rates per second are of the told time, and so are a sixtieth of what they were.
// Series that were 0 throughout are left out of panels that have others.
package main
