#!/usr/bin/env bash
# Runs every fuzz target for the given time or number of inputs, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time=$1
# The root's packages, and those of the module test. That of the parsers comes below.
for module in . test; do
	tree=$([ "$module" = . ] && echo pkg || echo .)
	cd "$module"
	grep --recursive --exclude-dir=parsers --include='*_test.go' --only-matching --with-filename --extended-regexp '^func Fuzz[A-Za-z0-9]+' "$tree" |
		sed 's/:func /:/' | sort | while IFS=: read -r file target; do
		echo "fuzz: $target"
		${GOTEST:-go test} -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$(dirname "$file")" </dev/null
	done
	cd - >/dev/null
done
# The module with other parsers has a module file for each of them.
for file in go.mod oldest.mod; do
	echo "fuzz: FuzzR03Parsers ($file)"
	(cd test/parsers && ${GOTEST:-go test} -modfile="$file" -run '^$' -fuzz '^FuzzR03Parsers$' -fuzztime "$time" . </dev/null)
done
