#!/bin/sh
# Switches the kernel and installs packages:
#   packages.sh <kernel type> [@extension...] [package...] [+package that may be missing...]
# The packages come from the extensions image, which is mounted; no network is needed.
set -eu
inputs=$(dirname "$0")
kernel=$1
shift
rpms=/run/extensions/usr/share/rpm-ostree/extensions
definition=/etc/yum.repos.d/coreos-extensions.repo

fail() {
	echo "$*" >&2
	exit 1
}

# available tells whether the extensions image has a package of that name.
available() {
	[ -n "$(find "$rpms" -name "$1-[0-9]*.rpm" -print -quit)" ]
}

command -v rpm-ostree >/dev/null 2>&1 || fail "the base image has no rpm-ostree: extensions and kernel types need one that has"
[ -d "$rpms" ] || fail "the extensions image has no directory ${rpms#/run/extensions}"

# Where an administrator's repositories are mounted over the image's, this one has to
# be among them.
wrote=
saved=
if [ -e "$definition" ] && ! grep -qs "^baseurl=file://$rpms" "$definition"; then
	# The base image's own is put back in the end.
	saved=/run/${definition##*/}
	cp -p "$definition" "$saved"
fi
if ! grep -qs "^baseurl=file://$rpms" "$definition"; then
	mkdir -p "${definition%/*}"
	printf '%s\n' '[coreos-extensions]' 'name=CoreOS extensions' 'enabled=1' 'gpgcheck=0' \
		'skip_if_unavailable=1' 'metadata_expire=1m' "baseurl=file://$rpms/" >"$definition" ||
		fail "could not write $definition"
	wrote=1
fi

case $kernel in
default) kind= ;;
realtime) kind=kernel-rt ;;
64k-pages)
	[ "$(uname -m)" = aarch64 ] || fail "the kernel type 64k-pages exists on aarch64 only, not on $(uname -m)"
	kind=kernel-64k
	;;
*) fail "there is no kernel type $kernel" ;;
esac

extensions=
packages=
for argument in "$@"; do
	case $argument in
	@*) extensions="$extensions ${argument#@}" ;;
	+*)
		# Older extensions images lack it, and the extension does without.
		if available "${argument#+}"; then
			packages="$packages ${argument#+}"
		fi
		;;
	*) packages="$packages $argument" ;;
	esac
done
if [ -n "$packages" ]; then
	# shellcheck disable=SC2086 # they are words
	rpm-ostree install $packages
fi
# What an image has below /var does not reach a machine, so systemd makes it there.
for extension in $extensions; do
	if [ -f "$inputs/without-$extension" ]; then
		while read -r file; do
			rm -f "$file"
		done <"$inputs/without-$extension"
	fi
	if [ -f "$inputs/tmpfiles-$extension" ]; then
		mkdir -p /usr/lib/tmpfiles.d
		cp "$inputs/tmpfiles-$extension" "/usr/lib/tmpfiles.d/machine-os-$extension.conf"
		chmod 0644 "/usr/lib/tmpfiles.d/machine-os-$extension.conf"
	fi
done
if [ -n "$kind" ]; then
	available "$kind-core" || fail "the extensions image has no package $kind-core"
	# Which packages a kernel consists of differs between releases.
	set --
	for part in "" -core -modules -modules-core -modules-extra; do
		if rpm -q "kernel$part" >/dev/null 2>&1; then
			set -- "$@" "kernel$part"
		fi
	done
	for part in -core -modules -modules-core -modules-extra -kvm; do
		if available "$kind$part"; then
			set -- "$@" "--install=$kind$part"
		fi
	done
	rpm-ostree override remove "$@"
fi

if [ -n "$wrote" ]; then
	rm "$definition"
fi
if [ -n "$saved" ]; then
	mv "$saved" "$definition"
fi
