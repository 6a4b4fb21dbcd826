#!/bin/sh
# Builds and pushes one image with buildah, in a pod, and says in the pod's termination
# message how that ended. README.md beside this file's package is its interface.
#
# It needs a POSIX shell with the usual small tools, buildah, tar and gzip. Credentials are
# in memory only; none is an argument of a program, and none is printed.
set -u
umask 077

root=${MACHINE_OS_ROOT:-/run/machine-os}
message=${TERMINATION_LOG:-/dev/termination-log}
cgroup=${CGROUP_ROOT:-/sys/fs/cgroup}
inputs=$root/inputs
memory=$root/memory
storage=$root/storage
output=$storage/output
step=inputs
child=
log=

# quote turns a line into what stands between the quotation marks of a JSON string.
quote() {
    rest=$1
    quoted=
    while [ -n "$rest" ]; do
        plain=${rest%%[\"\\]*}
        quoted=$quoted$plain
        rest=${rest#"$plain"}
        case $rest in
        \"*) quoted=$quoted'\"' ;;
        \\*) quoted=$quoted'\\' ;;
        esac
        rest=${rest#?}
    done
}

# end reads the last bytes of what a step printed: plain ASCII, as JSON.
end() {
    log=
    [ -s "$output" ] || return 0
    tail -c "$1" "$output" | tr '\r\t' '\n ' | tr -cd '\n\040-\176' >"$storage/end"
    while IFS= read -r line || [ -n "$line" ]; do
        [ -n "$line" ] || continue
        quote "$line"
        log=$log$quoted'\n'
    done <"$storage/end"
}

# report writes why there is no image to where the kubelet reads it: 4096 bytes at most.
report() {
    # Quoting may double what it quotes.
    end 3000
    [ ${#log} -le 3300 ] || end 1500
    quote "$(printf '%.500s' "$2")"
    printf '{"step":"%s","reason":"%s","message":"%s","log":"%s"}\n' "$step" "$1" "$quoted" "$log" >"$message"
}

# fail ends with a code, a reason and a sentence.
fail() {
    report "$2" "$3"
    printf 'machine-os: %s\n' "$3"
    exit "$1"
}

# told ends whatever the pod was told to end for. A build that goes on to its end must not
# be taken for one that succeeded: the pod's end would count as the build's.
told() {
    trap '' TERM INT HUP
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
    report Terminated 'the pod was told to end, and ended the build'
    exit 143
}
trap told TERM INT HUP

# run runs a program, whose words go to the container's log, and the last of them into the
# message, should it fail. The shell has to be able to wait for it: only then are signals
# heard meanwhile.
run() {
    : >"$output"
    rm -f "$storage/words"
    mkfifo "$storage/words"
    tee -a "$output" <"$storage/words" &
    printer=$!
    "$@" >"$storage/words" 2>&1 &
    child=$!
    wait "$child"
    status=$?
    child=
    wait "$printer"
    return "$status"
}

# killed_for_memory tells whether the kernel has ended a process of the container for its
# memory. That the container itself lives on hides it from the kubelet.
killed_for_memory() {
    for file in "$cgroup/memory.events" "$cgroup/memory/memory.oom_control"; do
        [ -r "$file" ] || continue
        while read -r key count; do
            [ "$key" != oom_kill ] || [ "$count" = 0 ] || return 0
        done <"$file"
    done
    return 1
}

# blame ends for a program that failed: with what is wrong with the machine if that is it,
# and else with what the step is about.
blame() {
    if killed_for_memory; then
        fail 41 OOMKilled "a process of the build was killed, because the container has no more memory"
    fi
    case $(tail -c 3000 "$output") in
    *'no space left on device'*) fail 40 NoSpace "the build has no more space on the node's disk" ;;
    esac
    fail "$@"
}

# inner reads what a file has between the outermost braces; empty if there are none.
inner() {
    object=$(cat "$1")
    case $object in
    *'{'*'}'*) ;;
    *) object= && return ;;
    esac
    object=${object#*'{'}
    object=${object%'}'*}
    case $object in
    *[![:space:]]*) ;;
    *) object= ;;
    esac
}

# login writes one file of credentials out of the Secrets in these directories, of which the
# last one counts most. Objects that are there twice are merged by who reads them, and of
# entries that are there twice the last one counts; so nothing here has to understand them.
login() {
    file=$1
    shift
    all=
    for directory in "$@"; do
        for key in config.json .dockerconfigjson .dockercfg; do
            [ -f "$directory/$key" ] || continue
            inner "$directory/$key"
            [ -n "$object" ] || continue
            [ "$key" != .dockercfg ] || object="\"auths\":{$object}"
            all=$all${all:+,}$object
            break
        done
    done
    object=
    printf '{%s}' "$all" >"$file"
}

# builder is buildah on the storage of this pod.
builder() {
    run buildah --root "$storage/$driver/root" --runroot "$storage/$driver/run" --storage-driver "$driver" "$@"
}

command -v buildah >/dev/null 2>&1 || fail 12 BuilderImageUnusable "the builder image has no buildah; see jobBuilderImage in ConfigMap machine-os-builder-config"
for directory in context home/.config/containers/certs.d tmp volumes archive; do
    mkdir -p "$storage/$directory" || fail 40 NoSpace "could not make a directory on the node's disk"
done
# The volume itself belongs to root, whoever we are, and buildah takes only what is its user's.
mkdir -p "$memory/run" || fail 40 NoSpace "could not make a directory in memory"
export HOME="$storage/home" TMPDIR="$storage/tmp" XDG_RUNTIME_DIR="$memory/run"
unset XDG_CONFIG_HOME XDG_DATA_HOME REGISTRY_AUTH_FILE DOCKER_CONFIG

# What is built is what the Job says: its environment cannot be changed afterwards.
sum=$(sha256sum <"$inputs/Containerfile") || fail 10 InputsInvalid "could not read the Containerfile among the inputs"
[ "${sum%% *}" = "${CONTAINERFILE_SHA256:-}" ] || fail 10 InputsInvalid "the Containerfile among the inputs is not the one that the Job was made for"

# The proxy, for this shell's programs and for the steps of the build, as some read it in
# capital letters and some in small ones. It is no argument, so no image tells of it.
if [ -f "$inputs/proxy" ]; then
    while IFS='=' read -r name value || [ -n "$name" ]; do
        case $name in
        HTTP_PROXY) export HTTP_PROXY="$value" http_proxy="$value" ;;
        HTTPS_PROXY) export HTTPS_PROXY="$value" https_proxy="$value" ;;
        NO_PROXY) export NO_PROXY="$value" no_proxy="$value" ;;
        esac
    done <"$inputs/proxy"
fi

# What the build reads. The kubelet's files are links, which a build would copy as such.
umask 022
for file in "$inputs"/*; do
    case ${file##*/} in
    Containerfile | build.sh | proxy | registry-ca.*) ;;
    *) cp -L "$file" "$storage/context/" || fail 10 InputsInvalid "could not copy the inputs" ;;
    esac
done
volumes=
for volume in ${VOLUMES:-}; do
    name=${volume%%:*}
    mkdir -p "$storage/volumes/$name" && cp -rL "$root/volumes/$name/." "$storage/volumes/$name/" || fail 10 InputsInvalid "could not copy the files of $name"
    # No name and no path has a space.
    volumes="$volumes --volume $storage/volumes/$name:${volume#*:}:ro,z"
done
umask 077

# Mirrors, policy and certificates that the nodes have. None of them has to be there.
cat "$storage"/context/machine-config.tar.gz.* 2>/dev/null | gzip -d 2>/dev/null |
    tar -x -f - -C "$storage/archive" registries.conf policy.json trust-bundle.pem >/dev/null 2>&1
for file in registries.conf policy.json; do
    [ ! -f "$storage/archive/$file" ] || cp "$storage/archive/$file" "$storage/home/.config/containers/$file"
done
certificates=
if [ -f "$storage/archive/trust-bundle.pem" ]; then
    mkdir -p "$storage/certificates"
    cp "$storage/archive/trust-bundle.pem" "$storage/certificates/"
    certificates=$storage/certificates
fi
[ -z "$certificates" ] || export SSL_CERT_DIR="$certificates"
if [ -f "$root/service-ca/service-ca.crt" ]; then
    for host in image-registry.openshift-image-registry.svc:5000 image-registry.openshift-image-registry.svc.cluster.local:5000; do
        mkdir -p "$storage/home/.config/containers/certs.d/$host"
        cp -L "$root/service-ca/service-ca.crt" "$storage/home/.config/containers/certs.d/$host/ca.crt"
    done
fi

# What nodes trust for single registries. The key of an input has two dots for a colon.
for file in "$inputs"/registry-ca.*; do
    [ -f "$file" ] || continue
    host=${file##*/registry-ca.}
    case $host in
    *..*) host=${host%%..*}:${host#*..} ;;
    esac
    mkdir -p "$storage/home/.config/containers/certs.d/$host"
    cp -L "$file" "$storage/home/.config/containers/certs.d/$host/cluster.crt"
done

# What the push needs is not offered to pulls: an entry for a part of a registry would hide
# the one for the whole of it, and the other way round.
login "$memory/pull.json" "$root/credentials/cluster" "$root/credentials/pull"
login "$memory/push.json" "$root/credentials/push"

# A copy of every layer is what the other driver makes; this one needs a kernel that lets it.
driver=vfs
if buildah --root "$storage/overlay/root" --runroot "$storage/overlay/run" --storage-driver overlay info >/dev/null 2>&1; then
    driver=overlay
fi

step=pull
for image in ${IMAGES:-}; do
    printf 'machine-os: pulling %s\n' "$image"
    why="could not pull $image"
    [ "$(cat "$memory/pull.json")" != '{}' ] ||
        why="$why, without any credentials: baseImagePullSecretName is not set, and there is no Secret global-pull-secret-copy"
    builder pull --authfile "$memory/pull.json" "$image" || blame 11 PullImageFailed "$why"
done

step=build
printf 'machine-os: building\n'
why="a step of the Containerfile failed"
case $(cat "$inputs/Containerfile") in
*'<<'*)
    version=$(buildah --version 2>/dev/null)
    version=${version#buildah version }
    version=${version%% *}
    case $version in
    1.[0-9].* | 1.[12][0-9].* | 1.3[0-2].*)
        why="$why. It seems to have heredocs, and buildah $version of the builder image reads no heredocs: they need 1.33; see jobBuilderImage in ConfigMap machine-os-builder-config"
        ;;
    esac
    ;;
esac
# shellcheck disable=SC2086 # the volumes are words
builder bud --isolation chroot --format docker --pull=false --no-cache --layers=false --authfile "$memory/pull.json" \
    $volumes --file "$inputs/Containerfile" --tag localhost/machine-os "$storage/context" ||
    blame 20 BuildStepFailed "$why"

step=push
printf 'machine-os: pushing %s\n' "$OUTPUT"
builder push --authfile "$memory/push.json" --digestfile "$storage/digest" localhost/machine-os "docker://$OUTPUT" ||
    blame 30 PushImageFailed "could not push $OUTPUT"
read -r digest <"$storage/digest" || [ -n "${digest:-}" ] || fail 30 PushImageFailed "the image was pushed, and buildah did not tell its digest"
printf '{"digest":"%s"}\n' "$digest" >"$message" || exit 1
