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

# The same goes for presets that the config brings itself. What comes of one depends on
# all presets there are, so systemd is asked for each unit that one of them names.
if [ -f "$inputs/preset-files" ] && command -v systemctl >/dev/null 2>&1; then
	while IFS= read -r presets; do
		while read -r verb unit instances; do
			case $verb in enable | disable | ignore) ;; *) continue ;; esac
			case $unit in
			*[*?[]*) units=$(SYSTEMD_OFFLINE=1 systemctl list-unit-files --no-legend --no-pager "$unit" | while read -r name rest; do echo "$name"; done) ;;
			*@.*)
				units=
				for instance in $instances; do
					units="$units ${unit%%@*}@$instance.${unit##*.}"
				done
				;;
			*) units=$unit ;;
			esac
			for name in $units; do
				SYSTEMD_OFFLINE=1 systemctl preset "$name" </dev/null >/dev/null 2>&1 ||
					echo "could not preset unit $name in the image: that is left to the machine"
			done
		done <"$presets"
	done <"$inputs/preset-files"
fi

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

# derives tells whether something is to be made from files of the config, which a machine
# does at its first boot only.
derives() { [ -f "$inputs/derive" ] && grep -qx "$1" "$inputs/derive"; }

have() { command -v "$1" >/dev/null 2>&1; }

# The cluster's own certificate authorities, in a file that nobody else has.
if [ -f "$inputs/trust-bundle.pem" ]; then
	anchors=/etc/pki/ca-trust/source/anchors
	if ! have update-ca-trust && have update-ca-certificates; then
		anchors=/usr/local/share/ca-certificates
	fi
	name=machine-os-trust-bundle
	while [ -e "$anchors/$name.crt" ] || [ -L "$anchors/$name.crt" ]; do
		name=$name-
	done
	install -D -m 0644 "$inputs/trust-bundle.pem" "$anchors/$name.crt"
fi
if [ -f "$inputs/trust-bundle.pem" ] || derives trust; then
	if have update-ca-trust; then
		update-ca-trust extract
	elif have update-ca-certificates; then
		update-ca-certificates
	else
		echo "the base image has no tool to update trust anchors: only their source is in the image"
	fi
fi

if derives libraries && have ldconfig; then
	# Its notes for itself are below /var, and differ each time.
	notes=/var/cache/ldconfig/aux-cache
	[ ! -f "$notes" ] || cp -p "$notes" /run/aux-cache
	ldconfig
	rm -f "$notes"
	[ ! -f /run/aux-cache ] || mv /run/aux-cache "$notes"
fi
if derives hwdb && have systemd-hwdb; then
	systemd-hwdb update
fi
if derives dconf && have dconf; then
	dconf update
fi
if derives modules && have depmod; then
	for kernel in /usr/lib/modules/*/modules.builtin; do
		[ ! -f "$kernel" ] || depmod -a "$(basename "$(dirname "$kernel")")"
	done
fi
