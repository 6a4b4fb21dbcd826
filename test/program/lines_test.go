package program

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLastLine(t *testing.T) {
	var notes []string
	l := &LastLine{Note: func(line string) { notes = append(notes, line) }}
	_, err := l.Write([]byte("one\r10%\r\n\ngo: downloading example.com/module v1.0.0\ntw"))
	require.NoError(t, err)
	assert.Equal(t, "tw", l.Text())
	_, err = l.Write([]byte("o\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "10%", "two"}, notes)
	assert.Equal(t, "two", l.Text())
}
