package cluster

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestR52ColoursAreForTerminals: what goes into a file, a pipe or a log has none.
func TestR52ColoursAreForTerminals(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = reader.Close() }()
	defer func() { _ = writer.Close() }()
	file, err := os.Create(t.TempDir() + "/file")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.Equal(t, Terminal{}, TerminalOf(writer), "a pipe")
	require.Equal(t, Terminal{}, TerminalOf(file), "a file")
	require.Equal(t, Terminal{}, TerminalOf(&bytes.Buffer{}), "a test")
	require.Equal(t, Terminal{}, TerminalOf(&Outlet{File: writer}), "what the program writes to")
	for name, test := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"any":            {env: map[string]string{"TERM": "xterm-256color"}, want: true},
		"no TERM":        {want: true},
		"NO_COLOR":       {env: map[string]string{"NO_COLOR": "1", "TERM": "xterm"}},
		"NO_COLOR=0":     {env: map[string]string{"NO_COLOR": "0"}},
		"NO_COLOR empty": {env: map[string]string{"NO_COLOR": ""}, want: true},
		"dumb":           {env: map[string]string{"TERM": "dumb"}},
	} {
		require.Equal(t, test.want, coloursWanted(func(key string) string { return test.env[key] }), name)
	}
	require.Equal(t, "\x1b[31mno\x1b[0m", Terminal{Colours: true}.Paint("no", Red))
	require.Equal(t, "no", Terminal{}.Paint("no", Red))
	painted := Terminal{Colours: true}.PaintLines("a\nb\n", func(line string) Colour { return map[string]Colour{"b": Green}[line] })
	require.Equal(t, "a\n\x1b[32mb\x1b[0m\n", painted)
}

// TestR52NobodyReadsOn: | head has what it wants, which is no error of ours.
func TestR52NobodyReadsOn(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = writer.Close() }()
	closed := 0
	out := &Outlet{File: writer, Closed: func() { closed++ }}
	n, err := out.Write([]byte("first\n"))
	require.NoError(t, err)
	require.Equal(t, 6, n)
	require.Zero(t, closed)
	require.NoError(t, reader.Close())
	for range 2 {
		n, err = out.Write([]byte("second\n"))
		require.NoError(t, err)
		require.Equal(t, 7, n)
	}
	require.Equal(t, 1, closed, "a watch ends by it")
	require.NoError(t, writer.Close())
	_, err = (&Outlet{File: writer}).Write([]byte("x"))
	require.Error(t, err, "other errors are errors: a disk may be full")
}
