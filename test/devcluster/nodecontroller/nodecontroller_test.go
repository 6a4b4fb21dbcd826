package nodecontroller

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRealize(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		is     map[string]string
		want   map[string]any
	}{
		"new":     {reason: "the node controller comes first", is: nil},
		"done":    {reason: "both agree", is: map[string]string{DesiredConfig: "c", DesiredImage: "i", CurrentConfig: "c", CurrentImage: "i"}},
		"behind":  {reason: "the image moves with the config", is: map[string]string{DesiredConfig: "c", DesiredImage: "i", CurrentConfig: "b"}, want: map[string]any{CurrentConfig: "c", CurrentImage: "i", State: Done}},
		"back":    {reason: "without an image the node is on the base", is: map[string]string{DesiredConfig: "c", CurrentConfig: "c", CurrentImage: "i"}, want: map[string]any{CurrentConfig: "c", CurrentImage: nil, State: Done}},
		"rebuilt": {reason: "the config alone does not tell", is: map[string]string{DesiredConfig: "c", DesiredImage: "j", CurrentConfig: "c", CurrentImage: "i"}, want: map[string]any{CurrentConfig: "c", CurrentImage: "j", State: Done}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, realize(test.is), test.reason)
		})
	}
}
