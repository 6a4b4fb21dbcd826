package inputs

import "testing"

// TestR03TextOfHeredocs: older builders replace variables in the text of RUN, where newer
// ones leave them to the shell.
func TestR03TextOfHeredocs(t *testing.T) {
	testCustom(t, map[string]customCase{
		"a script":             {reason: "what administrators write", text: "FROM configs\nRUN <<EOF\nfor x in a b; do echo $x; done\nEOF\n", want: "RUN <<'EOF'\nfor x in a b; do echo $x; done\nEOF\n"},
		"a script, quoted":     {reason: "nothing is replaced", text: "FROM configs\nRUN <<'EOF'\necho $x\nEOF\n", want: "RUN <<'EOF'\necho $x\nEOF\n"},
		"a script, plain":      {reason: "there is nothing to replace", text: "FROM configs\nRUN <<EOF\ntrue\nEOF\n", want: "RUN <<EOF\ntrue\nEOF\n"},
		"a script, tabs":       {reason: "a form of its own", text: "FROM configs\nRUN <<-EOF\n\techo $x\n\tEOF\n", want: "RUN <<-'EOF'\n\techo $x\n\tEOF\n"},
		"a script, mounts":     {reason: "flags come before", text: "FROM configs\nRUN --mount=type=tmpfs,target=/tmp <<EOF\necho $x\nEOF\n", want: "RUN --mount=type=tmpfs,target=/tmp <<'EOF'\necho $x\nEOF\n"},
		"a script, apostrophe": {reason: "older builders look for its pair", text: "FROM configs\nRUN <<EOF\necho \"it's\" # don't\nEOF\n", want: "RUN <<'EOF'\n"},
		"for a command":        {reason: "the shell was to replace it", text: "FROM configs\nRUN cat <<EOF >/etc/x\n$HOME\nEOF\n", fails: "line 2: RUN has a heredoc with a variable in it, which older builders replace before a shell sees it; quote its name, as in <<'EOF'"},
		"for a command, plain": {reason: "there is nothing to replace", text: "FROM configs\nRUN cat <<EOF >/etc/x\na\nEOF\n", want: "RUN cat <<EOF >/etc/x\na\nEOF\n"},
		"command, apostrophe":  {reason: "older builders look for its pair", text: "FROM configs\nRUN cat <<EOF >/etc/x\ndon't\nEOF\n", want: "RUN cat <<'EOF' >/etc/x\ndon't\nEOF\n"},
		"command, substituted": {reason: "only a shell knows it", text: "FROM configs\nRUN cat <<EOF >/etc/x\n$(date) \\$x\nEOF\n", want: "RUN cat <<EOF >/etc/x\n$(date) \\$x\nEOF\n"},
		"command, both":        {reason: "older builders fail on it", text: "FROM configs\nRUN cat <<EOF >/etc/x\n$(date) don't\nEOF\n", fails: "line 2: has a heredoc that builders cannot read"},
		"command, quoted":      {reason: "nothing is replaced", text: "FROM configs\nRUN cat <<'EOF' >/etc/x\n$HOME\nEOF\n", want: "RUN cat <<'EOF' >/etc/x\n$HOME\nEOF\n"},
		"a file":               {reason: "all builders replace variables in it", text: "FROM configs\nARG A=1\nCOPY <<EOF /etc/x\n$A ${A:-2}\nEOF\n", want: "COPY <<EOF /etc/x\n$A ${A:-2}\nEOF\n"},
		"a file, apostrophe":   {reason: "all builders look for its pair", text: "FROM configs\nCOPY <<EOF /etc/x\ndon't\nEOF\n", want: "COPY <<'EOF' /etc/x\ndon't\nEOF\n"},
		"a file, both":         {reason: "there is no way to write that", text: "FROM configs\nCOPY <<EOF /etc/x\n$A don't\nEOF\n", fails: "line 2: has a heredoc that builders cannot read"},
		"a file, modifiers":    {reason: "older builders do not know them", text: "FROM configs\nCOPY <<EOF /etc/x\n${A#1}\nEOF\n", fails: "line 2: has a heredoc that builders cannot read"},
		"two files":            {reason: "each has a name", text: "FROM configs\nCOPY <<A <<B /etc/\n'\nA\n\"\nB\n", want: "COPY <<'A' <<'B' /etc/\n'\nA\n\"\nB\n"},
		"ADD":                  {reason: "as COPY does", text: "FROM configs\nADD <<EOF /etc/x\n'\nEOF\n", want: "ADD <<'EOF' /etc/x\n'\nEOF\n"},
		"lines in between":     {reason: "what is joined is written in one", text: "FROM configs\nRUN \\\n# x\n<<EOF\n$x\nEOF\nRUN true\n", want: "RUN <<'EOF'\n$x\nEOF\nRUN true\n"},
	})
}
