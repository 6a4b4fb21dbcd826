//go:build !race

package build

// underRaceDetector tells that allocations and times are not those that ship.
const underRaceDetector = false
