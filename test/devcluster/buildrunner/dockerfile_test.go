package buildrunner

import (
	"testing"

	buildv1 "github.com/openshift/api/build/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const automatic = `ENV "OPENSHIFT_BUILD_NAME"="b" "OPENSHIFT_BUILD_NAMESPACE"="ns"` + "\n" +
	`LABEL "io.openshift.build.name"="b" "io.openshift.build.namespace"="ns"`

func TestRewriteDockerfile(t *testing.T) {
	for _, tc := range []struct {
		reason   string
		text     string
		strategy buildv1.DockerBuildStrategy
		labels   []buildv1.ImageLabel
		want     string
	}{
		{
			reason: "the build's name goes into the image",
			text:   "FROM a\n",
			want:   "FROM a\n" + automatic + "\n",
		},
		{
			reason: "comments go, continuations are joined, comments and empty lines inside them do not count",
			text:   "# syntax=x\nFROM a\n# c\nRUN one && \\\n  # not this\n\n  two\n",
			want:   "FROM a\nRUN one &&   two\n" + automatic + "\n",
		},
		{
			reason: "another escape character is honoured",
			text:   "# escape=`\nFROM a\nRUN one `\n two\n",
			want:   "FROM a\nRUN one  two\n" + automatic + "\n",
		},
		{
			reason:   "env follows every FROM",
			text:     "from a AS x\nFROM b\nCOPY --from=x /a /b\n",
			strategy: buildv1.DockerBuildStrategy{Env: []corev1.EnvVar{{Name: "K", Value: `a "b" $c \`}}},
			want: "FROM a AS x\nENV \"K\"=\"a \\\"b\\\" \\$c \\\\\"\nFROM b\nENV \"K\"=\"a \\\"b\\\" \\$c \\\\\"\n" +
				"COPY --from=x /a /b\n" + automatic + "\n",
		},
		{
			reason:   "from replaces the image of the last stage only and keeps flags and alias",
			text:     "FROM a AS x\nFROM --platform=linux/amd64 b AS y\n",
			strategy: buildv1.DockerBuildStrategy{From: &corev1.ObjectReference{Kind: "DockerImage", Name: "r.io/c@sha256:1"}},
			want:     "FROM a AS x\nFROM --platform=linux/amd64 r.io/c@sha256:1 AS y\n" + automatic + "\n",
		},
		{
			reason: "image labels come last, so that they win",
			text:   "FROM a",
			labels: []buildv1.ImageLabel{{Name: "io.openshift.build.name", Value: "mine"}},
			want:   "FROM a\n" + automatic + ` "io.openshift.build.name"="mine"` + "\n",
		},
		{
			reason: "here-strings and process substitution are no heredocs",
			text:   "FROM a\nRUN cat <<< x && tool <(cat y) && echo '<<EOF'\n",
			want:   "FROM a\nRUN cat <<< x && tool <(cat y) && echo '<<EOF'\n" + automatic + "\n",
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			parsed, err := parseDockerfile(tc.text)
			require.NoError(t, err)
			require.False(t, parsed.heredoc)
			build := &buildv1.Build{ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: "ns"}}
			build.Spec.Strategy.DockerStrategy = &tc.strategy
			build.Spec.Output.ImageLabels = tc.labels
			rewriteDockerfile(parsed, build)
			assert.Equal(t, tc.want, parsed.String())
		})
	}
}

func TestParseDockerfileLosesHeredocBodies(t *testing.T) {
	for _, text := range []string{
		"FROM a\nRUN <<EOF\necho hi\nEOF\nRUN true\n",
		"FROM a\nCOPY <<'EOF' /x\necho hi\nEOF\nRUN true\n",
		"FROM a\nRUN cat <<-EOF > /x\n\techo hi\n\tEOF\nRUN true\n",
	} {
		parsed, err := parseDockerfile(text)
		require.NoError(t, err)
		assert.True(t, parsed.heredoc)
		assert.NotContains(t, parsed.String(), "echo hi")
		assert.Contains(t, parsed.String(), "RUN true")
	}
}

func TestParseDockerfileErrors(t *testing.T) {
	for _, tc := range []struct{ reason, text, want string }{
		{"an empty Dockerfile passes validation and fails here", "", "no instructions"},
		{"comments are not instructions", "# only\n", "no instructions"},
		{"ENV needs a value", "FROM a\nENV X\n", "two arguments"},
		{"FROM needs an image", "FROM\n", "at least one argument"},
		{"an open heredoc", "FROM a\nRUN <<EOF\necho\n", "unterminated heredoc"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := parseDockerfile(tc.text)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestImages(t *testing.T) {
	for _, tc := range []struct {
		reason, text string
		args         map[string]string
		want         []string
	}{
		{"scratch is not an image", "FROM scratch\n", nil, nil},
		{"stages are not images, by name or number", "FROM a AS one\nFROM One\nCOPY --from=0 / /\nCOPY --from=one / /\n", nil, []string{"a"}},
		{"images of COPY are pulled too, each once", "FROM a\nCOPY --from=r.io/b:1 / /\nFROM a\n", nil, []string{"a", "r.io/b:1"}},
		{"images of RUN --mount are not", "FROM a\nRUN --mount=type=bind,from=c true\n", nil, []string{"a"}},
		{"build arguments beat defaults", "ARG B=x\nARG T=1\nFROM ${B}:$T\n", map[string]string{"B": "y"}, []string{"y:1"}},
		{"a default in the reference", "ARG B\nFROM ${B:-r.io/z}\n", nil, []string{"r.io/z"}},
		{"flags are skipped", "FROM --platform=linux/amd64 a AS b\n", nil, []string{"a"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			parsed, err := parseDockerfile(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, parsed.images(tc.args))
		})
	}
}
