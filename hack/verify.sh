#!/usr/bin/env bash
# Checks what a reviewer should not have to: format, lint, vendored and
# generated files. Every check runs, and each failure says how to mend it.
set -uo pipefail
cd "$(dirname "$0")/.."
lint=$1
failed=0

check() { # name, how to mend it, command...
	local name=$1 mend=$2
	shift 2
	echo "verify: $name"
	if ! "$@"; then
		echo "verify: $name FAILED; to mend it: $mend" >&2
		failed=1
	fi
}

formatted() {
	local unformatted
	unformatted=$(git ls-files -co --exclude-standard -- '*.go' ':!vendor' | xargs -r gofmt -l)
	[ -z "$unformatted" ] || { echo "$unformatted"; return 1; }
}

# A file that is longer is about more than one thing.
short() {
	local long
	long=$(git ls-files -co --exclude-standard -- 'pkg/*.go' 'cmd/*.go' ':!*zz_generated*' | xargs -r wc -l | awk '$2 != "total" && $1 > 400')
	[ -z "$long" ] || { echo "$long"; return 1; }
}

# Runs a command in a copy of the work tree and compares the named paths after.
unchanged_by() { # paths, command
	local paths=$1 command=$2 copy
	copy=$(mktemp -d)
	git ls-files -co --exclude-standard -z | xargs -0 -r cp --parents --no-dereference --target-directory "$copy" 2>/dev/null
	(cd "$copy" && eval "$command") >/dev/null || { rm -rf "$copy"; return 1; }
	local path result=0
	for path in $paths; do
		diff --recursive --brief "$path" "$copy/$path" || result=1
	done
	rm -rf "$copy"
	return $result
}

check "format" "gofmt -w the files above" formatted
check "at most 400 lines a file" "split the files above by what they are about" short
check "vet" "see above" go vet ./...
check "vet of test" "see above" bash -c 'cd test && go vet ./...'
check "vet of test/parsers" "see above" bash -c 'cd test/parsers && go vet ./... && go vet -modfile=oldest.mod ./...'
check "lint" "see above" "$lint" run ./...
check "lint of test" "see above" bash -c "cd test && '$lint' run ./..."
check "lint of test/parsers" "see above" bash -c "cd test/parsers && '$lint' run ./..."
check "vendored modules" "make update" unchanged_by "go.mod go.sum vendor" "go mod tidy && go mod vendor"
check "modules of test" "make update" unchanged_by "test/go.mod test/go.sum" "cd test && go mod tidy"
check "modules of test/parsers" "make update" unchanged_by "test/parsers/go.mod test/parsers/go.sum test/parsers/oldest.mod test/parsers/oldest.sum" \
	"cd test/parsers && go mod tidy && go mod tidy -modfile=oldest.mod"
check "generated files" "make update" unchanged_by "test/devcluster/crds" "cd test && go generate ./devcluster/crds"
exit $failed
