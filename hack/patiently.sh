#!/usr/bin/env bash
# Runs a command, and says what takes so long if it does: after a few seconds, and then twice
# a minute for how long already. What Go says of each module that it downloads is left out.
set -euo pipefail
what=$1
shift
"$@" 2> >(grep --line-buffered -v '^go: downloading ' >&2) &
command=$!
# Whoever ends this, ends the command.
trap 'kill "$command" 2>/dev/null' INT TERM
{
	# Not longer at once: a sleep outlives whoever waits for it, and holds the terminal.
	while sleep 1; do
		if ((SECONDS == 5)); then
			echo "$what"
		elif ((SECONDS % 30 == 0)); then
			echo "  … $((SECONDS / 60)) min $((SECONDS % 60)) s"
		fi
	done
} >&2 &
teller=$!
result=0
wait "$command" || result=$?
kill "$teller" 2>/dev/null || true
exit $result
