package openshift

import (
	"strings"
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/require"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

func TestFitsInline(t *testing.T) {
	ours, err := inputs.Recipe{BaseImage: testRequest().BaseImage, Pool: "worker"}.Containerfile()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		reason, text string
		want         bool
	}{
		"ours":          {reason: "without custom content everything fits", text: ours, want: true},
		"stub":          {reason: "what stands in for the rest fits itself", text: stub(nil), want: true},
		"60,000 bytes":  {reason: "the API's limit", text: "FROM a\n" + strings.Repeat("#", 59993), want: true},
		"60,001 bytes":  {reason: "the API refuses it", text: "FROM a\n" + strings.Repeat("#", 59994)},
		"heredoc":       {reason: "the builder loses its body", text: "FROM a\nRUN <<EOF\ntrue\nEOF\n"},
		"no heredoc":    {reason: "three of them are not two", text: "FROM a\nRUN cat <<< x\n", want: true},
		"grows in JSON": {reason: "it would not fit into the builder's environment", text: "FROM a\nRUN " + strings.Repeat("<&>", 10000)},
		"no text":       {reason: "what does not parse is not sent", text: ""},
	} {
		t.Run(name, func(t *testing.T) {
			inline, file := deliver(test.text)
			if test.want {
				require.Equal(t, test.text, inline, test.reason)
				require.Nil(t, file)
			} else {
				require.True(t, isStub(inline), test.reason)
				require.Equal(t, test.text, string(file))
			}
		})
	}
}

// TestR02SamePullsAhead: a registry that is down for a while is the same trouble however the
// Containerfile arrives, and whatever names the image. A builder calls it by its name if it
// pulls ahead, which it does for what FROM and COPY --from of the inline text name, letter by
// letter.
func TestR02SamePullsAhead(t *testing.T) {
	base := testRequest().BaseImage
	const tool = "quay.example.com/tool:1"
	for name, test := range map[string]struct {
		reason, custom string
		// want are the images besides the base image; input tells that the Containerfile is one.
		want  []string
		input bool
	}{
		"none":                {reason: "the base image is all there is"},
		"plain":               {reason: "the builder reads it itself", custom: "FROM configs\nRUN true\n"},
		"heredoc":             {reason: "there was nothing to pull ahead", custom: "FROM configs\nRUN <<EOF\ntrue\nEOF\n", input: true},
		"long":                {reason: "likewise", custom: "FROM configs\nRUN true " + strings.Repeat("x", maxInlineBytes) + "\n", input: true},
		"FROM":                {reason: "another stage", custom: "FROM " + tool + " AS tool\nFROM configs\n", want: []string{tool}},
		"FROM, heredoc":       {reason: "another stage", custom: "FROM " + tool + " AS tool\nFROM configs\nRUN <<EOF\ntrue\nEOF\n", want: []string{tool}, input: true},
		"FROM by variable":    {reason: "it is written out", custom: "ARG V=1\nFROM quay.example.com/tool:${V} AS tool\nFROM configs\n", want: []string{tool}},
		"FROM of its name":    {reason: "it would be taken for the stage", custom: "FROM tool AS tool\nFROM configs\n", want: []string{"tool"}},
		"COPY":                {reason: "an image that is no stage", custom: "FROM configs\nCOPY --from=" + tool + " /a /a\n", want: []string{tool}},
		"COPY, heredoc":       {reason: "likewise", custom: "FROM configs\nCOPY --from=" + tool + " /a /a\nRUN <<EOF\ntrue\nEOF\n", want: []string{tool}, input: true},
		"COPY by variable":    {reason: "it is written out", custom: "FROM configs\nARG V=1\nCOPY --from=quay.example.com/tool:$V /a /a\n", want: []string{tool}},
		"COPY by number":      {reason: "a number is no image", custom: "FROM " + tool + "\nFROM configs\nCOPY --from=0 /a /a\n", want: []string{tool}},
		"RUN":                 {reason: "mounts are pulled in the build", custom: "FROM configs\nRUN --mount=type=bind,from=" + tool + ",target=/run/t true\n", want: []string{tool}, input: true},
		"RUN by variable":     {reason: "likewise", custom: "FROM configs\nARG T=" + tool + "\nRUN --mount=type=bind,from=$T,target=/run/t true\n", want: []string{tool}, input: true},
		"RUN, cache":          {reason: "it can begin with files of a stage alone", custom: "FROM " + tool + " AS tool\nFROM configs\nRUN --mount=type=cache,from=tool,target=/run/t true\n", want: []string{tool}},
		"RUN and COPY":        {reason: "COPY has it pulled", custom: "FROM configs\nRUN --mount=type=bind,from=" + tool + ",target=/run/t true\nCOPY --from=" + tool + " /a /a\n", want: []string{tool}},
		"RUN from a stage":    {reason: "a stage is not pulled", custom: "FROM " + tool + " AS tool\nFROM configs\nRUN --mount=type=bind,from=tool,target=/run/t true\n", want: []string{tool}},
		"with tag and digest": {reason: "what pulls ahead would take the tag", custom: "FROM configs\nCOPY --from=" + tool + "@sha256:" + strings.Repeat("2", 64) + " /a /a\n", want: []string{"quay.example.com/tool@sha256:" + strings.Repeat("2", 64)}},
	} {
		t.Run(name, func(t *testing.T) {
			custom, problem := inputs.ParseCustom("worker", test.custom)
			require.Nil(t, problem)
			text, err := inputs.Recipe{BaseImage: base, Pool: "worker", Custom: custom}.Containerfile()
			require.NoError(t, err)
			inline, file := deliver(text)
			require.Equal(t, test.input, file != nil, test.reason)
			require.Equal(t, append([]string{base}, test.want...), ahead(t, inline), test.reason)
			require.NotContains(t, inline, "<<")
			require.LessOrEqual(t, len(inline), maxInlineBytes)

			request := testRequest()
			request.Containerfile = text
			build := buildFor(request)
			require.Equal(t, inline, *build.Spec.Source.Dockerfile)
			build.Status = buildv1.BuildStatus{Phase: buildv1.BuildPhaseFailed, Reason: buildv1.StatusReasonPullBuilderImageFailed}
			require.True(t, observation(build).Transient, "a pull is tried again")
			require.Empty(t, differs(asCached(build), buildFor(request)), "and the Build is told to be ours")
			if test.input {
				require.Empty(t, observation(asCached(build)).Containerfile, "what it is made from is not in the Build")
			}
		})
	}
}

// ahead are the images that a builder pulls before it builds: the words of FROM and the
// values of COPY --from, unless a stage up to there has the name.
func ahead(t *testing.T, text string) []string {
	t.Helper()
	file, problem := containerfile.Parse(text)
	require.Nil(t, problem)
	stages, pulled := map[string]bool{"scratch": true}, map[string]bool{}
	var images []string
	pull := func(name string) {
		if !stages[name] && !pulled[name] {
			pulled[name] = true
			images = append(images, name)
		}
	}
	for _, instruction := range file.Instructions {
		switch instruction.Name {
		case "from":
			if len(instruction.Args) == 3 {
				stages[instruction.Args[2]] = true
			}
			pull(instruction.Args[0])
		case "copy":
			for _, flag := range instruction.Flags {
				if flag.Name == "from" {
					pull(flag.Value)
				}
			}
		}
	}
	return images
}

// TestR02StubIsNoContainerfile: text that anyone can write is not taken for a stub if
// something could come of it.
func TestR02StubIsNoContainerfile(t *testing.T) {
	file, problem := containerfile.Parse("FROM a\nFROM b\n")
	require.Nil(t, problem)
	for name, test := range map[string]struct {
		reason, text string
		want         bool
	}{
		"ours":             {reason: "what we write", text: stub(file), want: true},
		"without images":   {reason: "likewise", text: stub(nil), want: true},
		"of older ones":    {reason: "their Builds are adopted after an upgrade", text: "FROM scratch\n", want: true},
		"with an image":    {reason: "an image would come of it", text: stubComment + "FROM evil.example.com/os\n"},
		"with a step":      {reason: "likewise", text: stubComment + "FROM a\nRUN true\n" + stubEnd},
		"without comment":  {reason: "somebody wrote it", text: "FROM a\n" + stubEnd},
		"with a name":      {reason: "no stub of ours has one", text: stubComment + "FROM a AS b\n" + stubEnd},
		"of another form":  {reason: "likewise", text: stubComment + "from a\n" + stubEnd},
		"a Containerfile":  {reason: "it is one", text: "FROM a\nRUN true\n"},
		"nothing":          {reason: "no Build has it", text: ""},
		"in several lines": {reason: "likewise", text: stubComment + "FROM \\\na\n" + stubEnd},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, isStub(test.text), test.reason) })
	}
}

// FuzzFitsInline: what fits is within the limits and has no heredoc.
func FuzzFitsInline(f *testing.F) {
	f.Add("FROM a\nRUN <<EOF\nEOF\n")
	f.Add("FROM a\nRUN [\"a\"] <<EOF\n")
	f.Add("FROM a\n#" + strings.Repeat("<", 100))
	f.Fuzz(func(t *testing.T, text string) {
		inline, delivered := deliver(text)
		if delivered != nil {
			require.True(t, isStub(inline))
			return
		}
		require.LessOrEqual(t, len(inline), maxInlineBytes)
		file, problem := containerfile.Parse(inline)
		require.Nil(t, problem)
		for _, instruction := range file.Instructions {
			require.Empty(t, instruction.Heredocs, "an inline heredoc loses its body")
		}
	})
}
