#!/bin/sh
# Applies what a MachineConfig says to the root file system of the build stage that
# this runs in. The files it reads lie next to it.
set -eu
inputs=$(dirname "$0")

# machine_local tells of a path that lies, once symbolic links are followed, where an
# image has nothing of its own to keep.
machine_local() {
	case $(readlink -m "$1") in
	/ | /var | /var/* | /run | /run/* | /tmp | /tmp/* | /sysroot | /sysroot/*) return 0 ;;
	esac
	return 1
}

# Ignition decides by the name it is called by what to do: as ignition-apply it writes
# files, links and units into the running root.
mkdir /run/ignition-name
ln -s /usr/lib/dracut/modules.d/30ignition/ignition /run/ignition-name/ignition-apply
/run/ignition-name/ignition-apply --ignore-unsupported "$inputs/ignition.json"
rm -r /run/ignition-name

# It cannot be given the enablement of instances of units, for it would ask the running
# systemd for its version, and there is none.
if [ -f "$inputs/presets" ]; then
	install -d -m 0755 /etc/systemd/system-preset
	cat "$inputs/presets" >>/etc/systemd/system-preset/20-ignition.preset
	chmod 0644 /etc/systemd/system-preset/20-ignition.preset
fi

# To enable a unit Ignition only writes a preset, for the first boot. A machine that
# changes from one image to the next has had its first boot, so it is done here.
for verb in disable enable; do
	if [ -f "$inputs/$verb" ] && command -v systemctl >/dev/null 2>&1; then
		while read -r unit; do
			SYSTEMD_OFFLINE=1 systemctl "$verb" "$unit" ||
				echo "could not $verb unit $unit in the image: that is left to the machine"
		done <"$inputs/$verb"
	fi
done

# Ignition applies no users to an image. Their keys go where it would put them on a
# machine, if the image has the user and the home.
for keys in "$inputs"/ssh/*; do
	[ -f "$keys" ] || continue
	user=${keys##*/}
	if ! entry=$(getent passwd "$user"); then
		echo "user $user is not in the image: the SSH keys are left to the machine"
		continue
	fi
	owner=$(echo "$entry" | cut -d: -f3)
	group=$(echo "$entry" | cut -d: -f4)
	home=$(echo "$entry" | cut -d: -f6)
	fragments=$home/.ssh/authorized_keys.d
	if [ ! -d "$home" ] || machine_local "$home" || machine_local "$fragments"; then
		echo "the home of user $user is not in the image: the SSH keys are left to the machine"
		continue
	fi
	for dir in "$home/.ssh" "$fragments"; do
		[ -d "$dir" ] || install -d -m 0700 -o "$owner" -g "$group" "$dir"
	done
	install -m 0600 -o "$owner" -g "$group" "$keys" "$fragments/ignition"
done

# What the node's agent is to take for the config that is on the disk.
install -d -m 0755 /etc/machine-config-daemon
install -m 0600 "$inputs/currentconfig.json" /etc/machine-config-daemon/currentconfig

# The cluster's own certificate authorities.
if [ -f "$inputs/trust-bundle.pem" ]; then
	if command -v update-ca-trust >/dev/null 2>&1; then
		install -D -m 0644 "$inputs/trust-bundle.pem" /etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt
		update-ca-trust extract
	elif command -v update-ca-certificates >/dev/null 2>&1; then
		install -D -m 0644 "$inputs/trust-bundle.pem" /usr/local/share/ca-certificates/openshift-config-user-ca-bundle.crt
		update-ca-certificates
	else
		install -D -m 0644 "$inputs/trust-bundle.pem" /etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt
		echo "the base image has no tool to update trust anchors: only their source is in the image"
	fi
fi
