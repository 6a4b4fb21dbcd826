package parsers

import (
	"math/rand/v2"
	"strings"
)

// pieces are what texts are generated from: what Containerfiles are made of, and what parsers
// differ in.
var pieces = []string{
	"FROM configs\n", "FROM configs AS a\n", "FROM a.example.com/b:1 AS b\n", "FROM a\n", "FROM A\n", "from b as c\n", "FROM ${X}\n", "ARG X=configs\n", "ARG X\n", "ARG X=1 Y=2\n",
	"RUN ", "RUN true\n", "run ", "COPY ", "ADD ", "ENV A=1 B='2 3'\n", "ENV A 1\t2\n", "LABEL a=b\n", "USER root\n", "WORKDIR /x\n", "SHELL [\"/bin/sh\", \"-c\"]\n", "ONBUILD RUN true\n", "ONBUILD ",
	"HEALTHCHECK NONE\n", "HEALTHCHECK --interval=5s CMD true\n", "CMD [\"a\", \"b\"]\n", "ENTRYPOINT a b\n", "EXPOSE 1 2\n", "VOLUME /a /b\n", "STOPSIGNAL 9\n",
	"--from=0 ", "--from=a ", "--from=\"b\" ", "--from='a' ", "--from=\\a ", "--mount=type=bind,from=a,target=/a ", "--mount=type=cache,target=/c ", "--chmod=0644 ", "--chown=0:0 ", "--chown=é:à ", "-- ",
	"<<EOF", "<< EOF", "<<-EOF", "<<'EOF'", "<<\"EOF\"", "<<<EOF", "cat<<EOF", "3<<EOF", "<<EO'F'", "<<A", "<<-", "<<", "EOF\n", "\tEOF\n", "A\n", "EOF \n",
	"$(( 1 << 2 ))", "$((1<<2))", "((", "))", "$(", ")", "(", "${Y}", "${Y:-z}", "${Y#z}", "${Y:- <<A }", "$Y", "$", "$$", "\\$",
	"'", "\"", "\\", "\\\n", " \\\n", "\\ \n", "\n", "\n\n", "# x\n", "#", " # y\n", "\r\n", "\t", " ", " ", "  ", "true", "a", "/a", "/b", "x=y", "=", ";", "&&", "|", "[\"a\", \"b\"]", "[", "]", ",",
	"https://example.com/x ", "\u00a0", "é", "\u2028", "\v", "# escape=\\\n", "# escape=`\n", "`\n", "# syntax=docker/dockerfile:1\n",
}

// words are what may stand in a RUN, and ends what may end a heredoc of it.
var (
	words = []string{
		"true", "cat", "sh", "echo", "x=1", "$x", "${x}", "${x:-y}", "${x#y}", "$(date)", "'a b'", "\"a b\"", "\"<<EOF\"", "'<< EOF'", "\\\"", "don't",
		"<<EOF", "<<-EOF", "<<'EOF'", "<<\"A\"", "<<A", "<< EOF", "<<<EOF", "3<<A", "cat<<EOF", "$(( 1 << 2 ))", "$((1<<2))", "((1<<2))", "&&", "|", ">/x", ">/x<<EOF", "# c", "\\\n", "\\\n# c\n", "\\\n\n",
	}
	ends  = []string{"EOF\n", "A\n", "\tEOF\n", "a\nEOF\n", "$x\nEOF\nA\n", "don't\nEOF\n", "a \\\nEOF\n", "FROM a\nA\nEOF\n"}
	heads = []string{
		"FROM configs AS final\n", "FROM configs\n", "FROM a.example.com/b:1 AS b\nFROM configs AS c\n", "FROM a.example.com/b AS b\nRUN true\nFROM b\nFROM configs AS A\nFROM A\n",
		"ARG X=1\nFROM a.example.com/b:${X}\nFROM configs\nCOPY --from=0 /a /b\n", "ARG X=configs\nARG Y=$X\nFROM ${Y:-z} AS final\nARG X\n", "FROM b AS b\nFROM configs\nCOPY --from=b /a /b\n", "",
	}
)

func one(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

// generate makes a text. Many begin in a way that custom content is accepted with.
func generate(random *rand.Rand) string {
	var text strings.Builder
	text.WriteString(one(random, heads))
	for range random.IntN(5) {
		switch random.IntN(5) {
		case 0, 1:
			text.WriteString(one(random, []string{"RUN ", "run\t", "RUN --mount=type=cache,target=/c ", "RUN --mount=target=/b,from=0 "}))
			for range 1 + random.IntN(4) {
				text.WriteString(one(random, words) + one(random, []string{" ", " ", " ", "\t", ""}))
			}
			text.WriteString("\n")
			if random.IntN(2) == 0 {
				text.WriteString(one(random, ends))
			}
		case 2:
			text.WriteString(one(random, []string{"COPY ", "ADD ", "COPY --chmod=0644 "}) + one(random, words) + " /x\n" + one(random, ends))
		case 3:
			text.WriteString(one(random, pieces))
		default:
			for range 1 + random.IntN(8) {
				text.WriteString(one(random, pieces))
			}
			text.WriteString("\n")
		}
	}
	return text.String()
}
