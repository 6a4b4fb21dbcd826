package buildrunner

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mount3 = "--mount=type=bind,from=buildrunner-heredocs,source=/3,target=/run/buildrunner-heredocs"

func TestWithoutHeredocs(t *testing.T) {
	for _, tc := range []struct {
		reason, text, want string
		files              []heredocFile
	}{
		{
			reason: "without heredocs nothing changes",
			text:   "# syntax=x\n\nFROM a \\\n  AS b\nRUN cat <<< x\nRUN [\"a\", \"<<E\"]",
			want:   "# syntax=x\n\nFROM a \\\n  AS b\nRUN cat <<< x\nRUN [\"a\", \"<<E\"]",
		},
		{
			reason: "a body is a script, which looks like instructions and is none; its own lines stay as they are",
			text:   "FROM a\n\nRUN <<'EOF'\nFROM b\n# kept\n\n  echo \"$X\" \\\n\nEOF\n# after\nRUN true\n",
			want:   "FROM a\n\nRUN " + mount3 + " . /run/buildrunner-heredocs/script\n# after\nRUN true\n",
			files:  []heredocFile{{"3/script", 0o644, "\nFROM b\n# kept\n\n  echo \"$X\" \\\n\n"}},
		},
		{
			reason: "a body with an interpreter is a program of its own",
			text:   "FROM a\n\nRUN <<EOF\n#!/usr/bin/python3\nprint(1)\nEOF\n",
			want:   "FROM a\n\nRUN " + mount3 + " /run/buildrunner-heredocs/script\n",
			files:  []heredocFile{{"3/script", 0o755, "#!/usr/bin/python3\nprint(1)\n"}},
		},
		{
			reason: "a command with bodies is left to the shell; flags stay flags",
			text:   "FROM a\n\nRUN --network=none cat <<A >/x && \\\n  cat <<-\"B\" >/y\n1\nA\n\t2\n\tB\nUSER x\n",
			want:   "FROM a\n\nRUN --network=none " + mount3 + " . /run/buildrunner-heredocs/script\nUSER x\n",
			files:  []heredocFile{{"3/script", 0o644, "cat <<A >/x &&   cat <<-\"B\" >/y\n1\nA\n2\nB\n"}},
		},
		{
			reason: "files to copy, each under the word that ends it",
			text:   "FROM a\n\nCOPY --chmod=0600 <<one <<-'two' /etc/\nx\none\n\t$y\n\ttwo\n",
			want:   "FROM a\n\nCOPY --chmod=0600 --from=buildrunner-heredocs 3/one 3/two /etc/\n",
			files:  []heredocFile{{"3/one", 0o644, "x\n"}, {"3/two", 0o644, "$y\n"}},
		},
		{
			reason: "an addition of text is a copy, at the end of a file without a line break as well",
			text:   "FROM a\n\nadd <<E /x\n\nE",
			want:   "FROM a\n\nCOPY --from=buildrunner-heredocs 3/E /x\n",
			files:  []heredocFile{{"3/E", 0o644, "\n"}},
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			text, files, err := withoutHeredocs([]byte(tc.text))
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(text))
			assert.Equal(t, tc.files, files)
			again, more, err := withoutHeredocs(text)
			require.NoError(t, err)
			assert.Equal(t, string(text), string(again), "no heredoc is left")
			assert.Empty(t, more)
		})
	}
}

func TestWithoutHeredocsErrors(t *testing.T) {
	for _, tc := range []struct{ reason, text, want string }{
		{"a body without an end", "FROM a\nRUN <<EOF\nx\n", "EOF: unterminated heredoc"},
		{"a variable would not be expanded", "FROM a\nCOPY <<E /x\n$HOME\nE\n", "line 2 of Dockerfile: this build runner does not expand variables"},
		{"files of the context beside a body", "FROM a\nCOPY <<E file /x/\n1\nE\n", "nothing else along"},
		{"an instruction for later builds", "FROM a\nONBUILD RUN <<E\n1\nE\n", "ONBUILD"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, _, err := withoutHeredocs([]byte(tc.text))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestReplacedDockerfile(t *testing.T) {
	const inline = "FROM scratch\n"
	run := func(t *testing.T, text string, phase buildv1.BuildPhase, because buildv1.StatusReason) (*fixture, *buildv1.Build) {
		f := start(t, Options{}, secret("b-1", map[string]string{"archive.00": "x"}), secret("b-2", map[string]string{"Dockerfile": text}))
		f.create(newBuild("b", withDockerfile(inline), withSecret("b-1", ""), withSecret("b-2", "")))
		return f, f.wait("b", is(phase, because))
	}
	t.Run("is built as it is, heredocs and all, from images that nobody pulled before", func(t *testing.T) {
		const text = "FROM base.io/os AS x\nRUN <<E\nFROM not.io/this\nE\nCOPY <<E /x\n1\nE\nFROM base.io/other\n"
		f, _ := run(t, text, buildv1.BuildPhaseComplete, "")
		job := f.executor.Jobs()[0]
		assert.Equal(t, text, string(job.Containerfile()))
		assert.Empty(t, job.Images)
		assert.Equal(t, []string{"base.io/os", "base.io/other"}, job.LateImages)
		assert.NotContains(t, string(job.Containerfile()), "io.openshift.build", "what a Build adds is lost with the inline text")
	})
	t.Run("that is broken fails the build, not the preparation", func(t *testing.T) {
		f, build := run(t, "FROM a\nRUN <<E\n", buildv1.BuildPhaseFailed, buildv1.StatusReasonDockerBuildFailed)
		assert.Contains(t, build.Status.LogSnippet, "unterminated heredoc")
		assert.Empty(t, f.executor.Jobs())
	})
}
