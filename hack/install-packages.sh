#!/usr/bin/env bash
# Installs what building images needs, as far as it is missing. Debian only.
set -euo pipefail

packages=(buildah ca-certificates debootstrap gcc gzip libc6-dev qemu-system-x86 skopeo tar)

missing=()
for package in "${packages[@]}"; do
	if ! dpkg-query --show --showformat '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii'; then
		missing+=("$package")
	fi
done
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "Building images needs the Debian packages ${missing[*]}: install them, or run this as root on Debian." >&2
	exit 1
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
