// Package baseos makes a base OS image to build on where there is no RHCOS: a small Debian root file system with the real Ignition at
// the path that RHCOS has it, the user core, systemd and jq.
//
// Ignition is built from its module, because the one that Debian packages is too old for configs of spec 3.4. The root file system is
// kept as a tarball in a cache directory, named after all that decides its content; so is the image made from it. Only the first run
// needs a Debian mirror and minutes of time.
package baseos
