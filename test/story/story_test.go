package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStory tells the whole story, whose claims are what is tested.
func TestStory(t *testing.T) {
	var out strings.Builder
	err := run(t.Context(), []string{"-root", filepath.Join("..", ".."), "-out", t.TempDir()}, &out)
	require.NoError(t, err, out.String())
	for i, c := range chapters {
		require.Contains(t, out.String(), fmt.Sprintf("[%d/%d] %s\n", i+1, len(chapters), c.title))
	}
	require.Contains(t, out.String(), "Nothing of the controller is left.")
}

// TestFailedChapter: a story that goes wrong says where, why, and where to look.
func TestFailedChapter(t *testing.T) {
	var out strings.Builder
	s := &story{dir: "logs", say: telling{&out}}
	err := s.take(t.Context(), 1, chapter{"Opt in", func(*story, context.Context) error { return errors.New("no answer") }})
	require.ErrorContains(t, err, "no answer")
	require.Contains(t, out.String(), fmt.Sprintf("Chapter 2 of %d failed: Opt in.\n      why   no answer\n      logs  logs\n", len(chapters)))
}

func TestRunRefusesUnknownFlags(t *testing.T) {
	require.Error(t, run(t.Context(), []string{"-quick"}, io.Discard))
}
