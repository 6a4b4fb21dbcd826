package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompareImages(t *testing.T) {
	file := func(text string) imageFile { return imageFile{mode: 0o644, content: []byte(text)} }
	before := map[string]imageFile{"same": file("1"), "text": file("a=1\nb=1\n"), "gone": file(""), "mode": file("x"), "etc/hosts": file("1")}
	after := map[string]imageFile{"same": file("1"), "text": file("a=2\nb=1\n"), "new": file(""), "mode": {mode: 0o600, content: []byte("x")}, "etc/hosts": file("2")}
	assert.Equal(t, []difference{
		{sign: '-', path: "gone"}, {sign: '~', path: "mode"}, {sign: '+', path: "new"}, {sign: '~', path: "text", lines: []string{"- a=1", "+ a=2"}},
	}, compareImages(before, after))
	assert.Empty(t, changedLines([]byte("1"), []byte(strings.Repeat("x", 100))), "nobody reads that")
}

func TestSmallOrSum(t *testing.T) {
	small, err := smallOrSum(strings.NewReader("small"))
	require.NoError(t, err)
	assert.Equal(t, "small", string(small))
	large, err := smallOrSum(strings.NewReader(strings.Repeat("x", smallFile+1)))
	require.NoError(t, err)
	other, err := smallOrSum(strings.NewReader(strings.Repeat("x", smallFile) + "y"))
	require.NoError(t, err)
	assert.Less(t, len(large), 100)
	assert.NotEqual(t, large, other)
}
