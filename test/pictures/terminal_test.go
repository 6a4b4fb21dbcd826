package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/test/svg"
)

func TestScreen(t *testing.T) {
	plain := func(column int, text string) piece { return piece{column: column, text: text} }
	for name, test := range map[string]struct {
		reason, output string
		width          int
		want           [][]piece
	}{
		"nothing": {reason: "nothing was written", output: "", want: [][]piece{}},
		"columns": {
			reason: "fonts differ, columns do not", output: "POOL     STATE\r\nworker   Building now\r\n",
			want: [][]piece{{plain(0, "POOL"), plain(9, "STATE")}, {plain(0, "worker"), plain(9, "Building now")}},
		},
		"colours": {
			reason: "what the command paints", output: "a \x1b[31mFailed\x1b[0m b\r\n",
			want: [][]piece{{plain(0, "a"), {2, look{colour: svg.Red}, "Failed"}, plain(9, "b")}},
		},
		"bold and back": {
			reason: "codes come together, too", output: "\x1b[1;32mx\x1b[22my\x1b[39mz\x1b[m",
			want: [][]piece{{{0, look{svg.Green, true}, "x"}, {1, look{colour: svg.Green}, "y"}, plain(2, "z")}},
		},
		"overwritten": {reason: "a carriage return goes to the beginning", output: "12%\r100%", want: [][]piece{{plain(0, "100%")}}},
		"empty line":  {reason: "those between are seen, those after are not", output: "a\r\n\r\nb\r\n\r\n", want: [][]piece{{plain(0, "a")}, nil, {plain(0, "b")}}},
		"long line":   {reason: "a terminal goes on in the next line", output: "abcde", width: 3, want: [][]piece{{plain(0, "abc")}, {plain(0, "de")}}},
		"full line":   {reason: "the next line begins with the next character", output: "abc\r\nd", width: 3, want: [][]piece{{plain(0, "abc")}, {plain(0, "d")}}},
		"no ASCII":    {reason: "a character is one, whatever its bytes", output: "rendered…  é", want: [][]piece{{plain(0, "rendered…"), plain(11, "é")}}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.width == 0 {
				test.width = 80
			}
			lines, err := screenOf([]byte(test.output), test.width)
			require.NoError(t, err)
			require.Equal(t, test.want, lines, test.reason)
		})
	}
}

func TestScreenRefuses(t *testing.T) {
	for output, want := range map[string]string{
		"\x1b[2J":      "does more than to colour",
		"\x1b[35mx":    "pictures have no such colour",
		"\x1b]0;title": "could not read the escape sequence",
		"\x1b[3":       "could not read the escape sequence",
		"\x1b":         "could not read the escape sequence",
		"a\tb":         "is no text",
		"\xff":         "is no text",
	} {
		_, err := screenOf([]byte(output), 80)
		require.ErrorContains(t, err, want, "%q", output)
	}
}

func TestStatusPicture(t *testing.T) {
	picture, err := drawStatus([]byte("POOL     STATE\r\nworker   \x1b[32mPublished\x1b[0m   a<b\r\n"))
	require.NoError(t, err)
	for _, want := range []string{"$ " + statusCommand, ">POOL</tspan>", `<tspan class="green" x="`, "a&lt;b"} {
		require.Contains(t, picture, want)
	}
	require.Equal(t, 3, strings.Count(picture, `class="code"`), "the command, and two lines")
	_, err = drawStatus(nil)
	require.ErrorContains(t, err, "wrote nothing")
}
