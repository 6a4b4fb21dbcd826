package program

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCleanups(t *testing.T) {
	var c Cleanups
	var undone []int
	failure := errors.New("it does not end")
	for i := range 3 {
		c.Add(func() error {
			undone = append(undone, i)
			if i == 1 {
				return failure
			}
			return nil
		})
	}
	require.ErrorIs(t, c.Run(), failure)
	require.Equal(t, []int{2, 1, 0}, undone, "the last first, and whatever fails")
	require.NoError(t, c.Run())
	require.Len(t, undone, 3, "once")
}
