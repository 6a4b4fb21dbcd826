package inputs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCustom(t *testing.T) {
	for name, test := range map[string]struct {
		reason, text string
		// want is the checked text; empty for none.
		want    string
		heredoc bool
		fails   string
	}{
		"none":               {reason: "a pool without a key has none"},
		"only comments":      {reason: "there is nothing to build", text: "# later\n\n"},
		"usual":              {reason: "what administrators of on-cluster layering write", text: "FROM configs AS final\nRUN rpm-ostree install tree && \\\n    ostree container commit\n", want: "FROM configs AS final\nRUN rpm-ostree install tree && \\\n    ostree container commit\n"},
		"no line end":        {reason: "what follows begins a line of its own", text: "FROM configs\nRUN true", want: "FROM configs\nRUN true\n"},
		"other line ends":    {reason: "some editors write those", text: "\ufeffFROM configs\r\nRUN true\r\n", want: "FROM configs\nRUN true\n"},
		"lower case":         {reason: "instructions may be written so", text: "from configs as final\nrun true\n", want: "from configs as final\nrun true\n"},
		"several stages":     {reason: "other stages may be of anything", text: "FROM quay.example.com/tool AS tool\nFROM configs AS mine\nFROM mine\nCOPY --from=tool /a /a\n", want: "FROM quay.example.com/tool AS tool\nFROM configs AS mine\nFROM mine\nCOPY --from=tool /a /a\n"},
		"user in between":    {reason: "what counts is how it ends", text: "FROM configs\nUSER core\nRUN true\nUSER root\n", want: "FROM configs\nUSER core\nRUN true\nUSER root\n"},
		"user of a stage":    {reason: "another stage is another matter", text: "FROM a AS a\nUSER 1\nFROM configs\nRUN true\n", want: "FROM a AS a\nUSER 1\nFROM configs\nRUN true\n"},
		"heredoc":            {reason: "buildah understands them, the OpenShift builder's rewriting does not", text: "FROM configs\nRUN <<EOF\necho FROM x\nEOF\n", want: "FROM configs\nRUN <<EOF\necho FROM x\nEOF\n", heredoc: true},
		"two heredocs":       {reason: "one instruction may have several", text: "FROM configs\nCOPY <<A <<\"B\" /x/\na\nA\nb\nB\n", want: "FROM configs\nCOPY <<A <<\"B\" /x/\na\nA\nb\nB\n", heredoc: true},
		"syntax directive":   {reason: "it is a comment where it stands", text: "# syntax=docker/dockerfile:1\nFROM configs\nRUN true\n", want: "# syntax=docker/dockerfile:1\nFROM configs\nRUN true\n"},
		"only FROM":          {reason: "it changes nothing, and breaks nothing", text: "FROM configs\n", want: "FROM configs\n"},
		"JSON":               {reason: "a form of RUN", text: "FROM configs\nRUN [\"true\"]\n", want: "FROM configs\nRUN [\"true\"]\n"},
		"unknown":            {reason: "the parser would pass over it", text: "FROM configs\n\n# x\nINSTALL tree\n", fails: `line 4: there is no instruction "INSTALL"`},
		"no argument":        {reason: "buildah fails on it", text: "FROM configs\nRUN\n", fails: "line 2: RUN needs an argument"},
		"before FROM":        {reason: "it would become a part of ours", text: "RUN true\nFROM configs\n", fails: "line 1: RUN comes before the first FROM; begin with FROM configs AS final"},
		"no FROM":            {reason: "a single RUN or LABEL is what many have, and goes on top", text: "\n# mine\n  LABEL a=b\nRUN true\n", want: "\n# mine\n  LABEL a=b\nRUN true\n"},
		"no FROM, escape":    {reason: "the directive stays where it counts", text: "# escape=\\\nRUN true\n", want: "# escape=\\\nRUN true\n"},
		"no FROM, a mistake": {reason: "lines are counted as they were written", text: "LABEL a=b\nCOPY a /a\n", fails: "line 2: "},
		"no FROM, user":      {reason: "the end of the build needs root", text: "USER core\n", fails: `the last stage ends as user "core"; end it with USER root`},
		"global ARG":         {reason: "a Containerfile may begin with it", text: "ARG A=1\nFROM configs\n", want: "ARG A=1\nFROM configs\n"},
		"other base":         {reason: "the MachineConfigs would be lost", text: "FROM configs AS a\nFROM quay.example.com/os\nRUN true\n", fails: "line 2: the last stage has to build on what the MachineConfigs made: FROM configs AS final"},
		"base by variable":   {reason: "what it is cannot be told", text: "FROM ${BASE}\n", fails: "line 1: FROM has the variable BASE, which nothing sets"},
		"our stage name":     {reason: "two stages of one name are one too many", text: "FROM quay.example.com/os AS Configs\nFROM configs\n", fails: "line 1: the stage name configs is taken"},
		"malformed FROM":     {reason: "buildah fails on it", text: "FROM configs final\n", fails: "line 1: FROM takes an image, or an image AS a name"},
		"other user":         {reason: "the end of the build needs root", text: "FROM configs\nUSER core:core\n", fails: `line 1: the last stage ends as user "core:core"; end it with USER root`},
		"unterminated":       {reason: "it would swallow what follows", text: "FROM configs\nRUN true\nRUN <<EOF\necho\n", fails: "line 3: a heredoc has no end"},
		"after a heredoc":    {reason: "lines within a heredoc are no instructions", text: "FROM configs\nRUN <<EOF\nLABEL a\nEOF\nLABEL a\n", fails: "line 5: needs a name and a value"},
		"open end":           {reason: "it would swallow what follows", text: "FROM configs\nRUN true \\\n", fails: "line 2: ends in the middle of an instruction; remove the last backslash"},
		"open end, comments": {reason: "comments do not end an instruction", text: "FROM configs\nRUN true \\\n# x\n\n", fails: "line 4: ends in the middle of an instruction"},
		"other escape":       {reason: "it would mean something else where it stands", text: "# escape=`\nFROM configs\n", fails: "line 1: the directive escape has no effect here"},
		"bad label":          {reason: "what is wrong is not quoted: it may be a credential", text: "FROM configs\nLABEL a=b canary\n", fails: "line 2: needs values of the form name=value"},
		"bad JSON":           {reason: "the parser takes it for a shell command", text: "FROM configs\nHEALTHCHECK\n", fails: "line 2: HEALTHCHECK needs an argument"},
		"NUL":                {reason: "no text has it", text: "FROM configs\nRUN \x00\n", fails: "line 2: has a NUL character"},
		"not UTF-8":          {reason: "an API server stores no such text, a file may have it", text: "FROM configs\nRUN \xff\n", fails: "is not valid UTF-8"},
		"letters in a flag":  {reason: "builders read flags byte by byte, and find another name", text: "FROM configs\nRUN --mount=type=cache,target=/é true\n", fails: "line 2: RUN has a flag with a character that is not ASCII, of which builders make others; use ASCII there"},
		"... after the flag": {reason: "there all read them", text: "FROM configs\nRUN --mount=type=tmpfs,target=/a echo --é=à\n", want: "FROM configs\nRUN --mount=type=tmpfs,target=/a echo --é=à\n"},
		"... of a trigger":   {reason: "it is read when it is put off", text: "FROM configs\nONBUILD RUN --mount=type=tmpfs,target=/à true\n", fails: "line 2: RUN has a flag with"},
		"too large":          {reason: "it does not fit into a Secret with the rest", text: "FROM configs\nRUN " + strings.Repeat("x", MaxCustomBytes), fails: "has 524305 bytes; at most 524288 can be built"},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseCustom("worker", test.text)
			if test.fails != "" {
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.String(), "ConfigMap machine-os-builder-custom-containerfile, key worker: "+test.fails, test.reason)
				require.NotContains(t, problem.String(), "canary")
				require.NotContains(t, problem.String(), "\n")
				require.False(t, got.Any())
				return
			}
			require.Nil(t, problem, test.reason)
			require.Equal(t, test.want, got.Text(), test.reason)
			require.Equal(t, test.want != "", got.Any())
			require.Equal(t, test.heredoc, got.heredoc, test.reason)
		})
	}
}
