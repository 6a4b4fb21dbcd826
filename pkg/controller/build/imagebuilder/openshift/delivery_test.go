package openshift

import (
	"strings"
	"testing"

	"github.com/openshift/imagebuilder/dockerfile/parser"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

func TestFitsInline(t *testing.T) {
	ours, err := inputs.Recipe{BaseImage: testRequest().BaseImage, Pool: "worker"}.Containerfile()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		reason, text string
		want         bool
	}{
		"ours":          {reason: "without custom content everything fits", text: ours, want: true},
		"stub":          {reason: "what stands in for the rest fits itself", text: inlineStub, want: true},
		"60,000 bytes":  {reason: "the API's limit", text: "FROM a\n" + strings.Repeat("#", 59993), want: true},
		"60,001 bytes":  {reason: "the API refuses it", text: "FROM a\n" + strings.Repeat("#", 59994)},
		"heredoc":       {reason: "the builder loses its body", text: "FROM a\nRUN <<EOF\ntrue\nEOF\n"},
		"no heredoc":    {reason: "three of them are not two", text: "FROM a\nRUN cat <<< x\n", want: true},
		"grows in JSON": {reason: "it would not fit into the builder's environment", text: "FROM a\nRUN " + strings.Repeat("<&>", 10000)},
		"no text":       {reason: "what does not parse is not sent", text: ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, fitsInline(test.text), test.reason)
			inline, file := deliver(test.text)
			if test.want {
				require.Equal(t, test.text, inline, test.reason)
				require.Nil(t, file)
			} else {
				require.Equal(t, inlineStub, inline, test.reason)
				require.Equal(t, test.text, string(file))
			}
		})
	}
}

// FuzzFitsInline: what fits is within the limits and has no heredoc.
func FuzzFitsInline(f *testing.F) {
	f.Add("FROM a\nRUN <<EOF\nEOF\n")
	f.Add("FROM a\nRUN [\"a\"] <<EOF\n")
	f.Add("FROM a\n#" + strings.Repeat("<", 100))
	f.Fuzz(func(t *testing.T, text string) {
		if !fitsInline(text) {
			return
		}
		require.LessOrEqual(t, len(text), maxInlineBytes)
		parsed, err := parser.Parse(strings.NewReader(text))
		require.NoError(t, err)
		for _, node := range parsed.AST.Children {
			require.Empty(t, node.Heredocs, "an inline heredoc loses its body")
		}
	})
}
