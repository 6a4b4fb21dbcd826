package inputs

import "testing"

// TestR37ValuesAreOfWhatBuildersTake: what a builder refuses, it refuses when the instruction's
// turn comes, which may be the last.
func TestR37ValuesAreOfWhatBuildersTake(t *testing.T) {
	accepted := func(reason, line string) customCase {
		return customCase{reason: reason, text: "FROM configs\n" + line + "\n", want: "FROM configs\n" + line + "\n"}
	}
	refused := func(reason, line, fails string) customCase {
		return customCase{reason: reason, text: "FROM configs\n" + line + "\n", fails: "line 2: " + fails}
	}
	const sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	testCustom(t, map[string]customCase{
		"mode":               accepted("octal", "COPY --chmod=0755 --from=quay.io/a/b:1 /a /a"),
		"mode, symbols":      refused("chmod's own, which builders do not read", "COPY --chmod=u+x --from=quay.io/a/b:1 /a /a", "the flag --chmod of COPY needs an octal number, as in --chmod=0755"),
		"mode, decimal":      refused("no octal number", "ADD --chmod=789 https://example.com/a /a", "the flag --chmod of ADD needs an octal number"),
		"mode, variable":     accepted("what it is, a builder knows", "COPY --chmod=$MODE --from=quay.io/a/b:1 /a /a"),
		"owner":              accepted("a user and a group", "COPY --chown=root:adm --from=quay.io/a/b:1 /a /a"),
		"owner, three":       refused("there are two", "COPY --chown=0:0:0 --from=quay.io/a/b:1 /a /a", "the flag --chown of COPY needs a user, or user:group"),
		"checksum":           accepted("of the file", "ADD --checksum="+sum+" https://example.com/a /a"),
		"checksum, short":    refused("it is cut off", "ADD --checksum=sha256:0123 https://example.com/a /a", "the flag --checksum of ADD needs a digest, as in --checksum=sha256:… with 64 hexadecimal digits"),
		"checksum, bare":     refused("the algorithm is missing", "ADD --checksum="+sum[len("sha256:"):]+" https://example.com/a /a", "the flag --checksum of ADD needs a digest"),
		"network":            accepted("those that builders know", "RUN --network=none true"),
		"network, another":   refused("a name of a network of Docker's", "RUN --network=bridge true", "the flag --network of RUN needs one of default, none, host"),
		"health":             accepted("in a form that builders know", "HEALTHCHECK --interval=5m --timeout=3s --start-period=1s --retries=3 CMD true"),
		"health, none":       accepted("likewise", "HEALTHCHECK none"),
		"health, array":      accepted("likewise", `HEALTHCHECK CMD ["true"]`),
		"health, no unit":    refused("five what", "HEALTHCHECK --interval=5 CMD true", "the flag --interval of HEALTHCHECK needs a duration with a unit, as in --interval=30s"),
		"health, no tries":   refused("none at all", "HEALTHCHECK --retries=0 CMD true", "the flag --retries of HEALTHCHECK needs a number of at least 1"),
		"health, bare":       refused("a slip", "HEALTHCHECK curl -f http://localhost", "HEALTHCHECK needs CMD and a command, or NONE"),
		"health, no command": refused("a slip", "HEALTHCHECK CMD", "HEALTHCHECK needs CMD and a command, or NONE"),
		"health, none of it": refused("one or the other", "HEALTHCHECK NONE true", "HEALTHCHECK needs CMD and a command, or NONE"),
		"health, put off":    refused("it is read then", "ONBUILD HEALTHCHECK true", "HEALTHCHECK needs CMD and a command, or NONE"),
		"signal":             accepted("what systemd wants", "STOPSIGNAL SIGRTMIN+3"),
		"signal, short":      accepted("without its prefix", "STOPSIGNAL term"),
		"signal, number":     accepted("as kill takes it", "STOPSIGNAL 15"),
		"signal, another":    refused("there is none of that name", "STOPSIGNAL SIGSTOPP", "STOPSIGNAL needs the name or number of a signal"),
		"shell":              accepted("an array", `SHELL ["/bin/bash", "-c"]`),
		"shell, bare":        refused("a slip", "SHELL /bin/bash -c", `SHELL needs an array, as in SHELL ["/bin/sh", "-c"]`),
		"volume":             accepted("a directory", "VOLUME /a /b"),
		"volume, empty":      refused("it has no name", `VOLUME ["/a", " "]`, "VOLUME has an empty name"),
	})
}
