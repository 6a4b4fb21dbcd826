#!/usr/bin/env bash
# Fetches containerd and runc into a directory, unless they are there or the machine has
# them. They are not installed: that would start a service, and clash with Docker's.
set -euo pipefail
dir=$1
export PATH=$PATH:/usr/sbin:/sbin

have() {
	local program
	for program in containerd containerd-shim-runc-v2 ctr runc; do
		[ -x "$dir/usr/bin/$program" ] || [ -x "$dir/usr/sbin/$program" ] || command -v "$program" >/dev/null || return 1
	done
}
if have; then
	exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	echo "A node needs containerd and runc: install them, or run this on Debian." >&2
	exit 1
fi
echo "Fetching containerd and runc"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
# What apt knows of may be out of date, or nothing at all.
apt-get -qq -o APT::Sandbox::User=root download containerd runc 2>/dev/null || {
	apt-get -qq update
	apt-get -qq -o APT::Sandbox::User=root download containerd runc
}
cd - >/dev/null
mkdir -p "$dir"
for package in "$work"/*.deb; do
	dpkg-deb -x "$package" "$dir"
done
have || { echo "The packages containerd and runc do not have what a node needs." >&2; exit 1; }
