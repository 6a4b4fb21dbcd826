#!/bin/sh
# Applies what a MachineConfig says to paths that no step of a build can write to, since
# something is mounted over them: it makes them below the directory mounted, from where
# they are copied. What the base image has there is seen in its own root file system,
# which is mounted at /run/base.
set -eu
inputs=$(dirname "$0")
base=/run/base
mounted=$inputs/mounted

# take brings along what the base image has at a path, and makes the directories on the
# way look as they do there: copying a directory changes the one that it is copied to.
take() {
	way=
	rest=${1#/}
	while [ "$rest" != "${rest#*/}" ]; do
		way=$way/${rest%%/*}
		rest=${rest#*/}
		if [ -L "$base$way" ]; then
			echo "the base image has a symbolic link at $way, through which $1 cannot be made while an image is built" >&2
			exit 1
		fi
		like "$way"
	done
	if [ -L "$base$1" ] || [ -f "$base$1" ]; then
		cp -a "$base$1" "$mounted$1"
	else
		like "$1"
	fi
}

like() {
	if [ -d "$base$1" ]; then
		mkdir -p "$mounted$1"
		chmod --reference="$base$1" "$mounted$1"
		chown --reference="$base$1" "$mounted$1"
	fi
}

mkdir "$mounted"
[ -f "$inputs/mounted.json" ] || exit 0
while IFS= read -r path; do
	take "$path"
done <"$inputs/mounted.paths"
mkdir /run/ignition-name
ln -s /usr/lib/dracut/modules.d/30ignition/ignition /run/ignition-name/ignition-apply
/run/ignition-name/ignition-apply --ignore-unsupported --root "$mounted" "$inputs/mounted.json"
rm -r /run/ignition-name

# Names of owners are those of the whole image, which Ignition does not see here.
if [ -f "$inputs/mounted.owners" ]; then
	while IFS= read -r owner && IFS= read -r path; do
		chown -h "$owner" "$mounted$path"
	done <"$inputs/mounted.owners"
fi
