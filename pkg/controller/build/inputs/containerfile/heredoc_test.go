package containerfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestR03HeredocsAsAllBuildersSeeThem: a shell knows more ways to write a heredoc than
// builders, which take its lines for instructions then.
func TestR03HeredocsAsAllBuildersSeeThem(t *testing.T) {
	for name, test := range map[string]struct {
		reason, text string
		// want are the names of the heredocs of the first instruction, fails is a reason.
		want  string
		fails string
	}{
		"usual":                    {reason: "what all know", text: "RUN <<EOF\ntrue\nEOF\n", want: "EOF"},
		"for a command":            {reason: "likewise", text: "RUN sh <<EOF\ntrue\nEOF\n", want: "EOF"},
		"blank before the name":    {reason: "builders up to 4.22 see none", text: "RUN sh << EOF\ntrue\nEOF\n", fails: reasonBlank},
		"tab before the name":      {reason: "likewise", text: "RUN sh <<\tEOF\ntrue\nEOF\n", fails: reasonBlank},
		"blank, tabs":              {reason: "likewise", text: "RUN sh <<- EOF\n\ttrue\n\tEOF\n", fails: reasonBlank},
		"blank, quotes":            {reason: "likewise", text: "RUN cat << 'EOF'\nRUN x\nEOF\n", fails: reasonBlank},
		"blank, no lines":          {reason: "the shell would wait for them", text: "RUN sh << EOF\n", fails: reasonBlank},
		"blank, COPY":              {reason: "it would be a file", text: "COPY << EOF /etc/x\nx\nEOF\n", fails: reasonBlank},
		"blank, several lines":     {reason: "an instruction may take them", text: "RUN sh <<\\\n EOF\ntrue\nEOF\n", fails: reasonBlank},
		"put off, blank":           {reason: "likewise", text: "ONBUILD RUN sh << EOF\ntrue\nEOF\n", fails: reasonBlank},
		"right behind a word":      {reason: "builders see none", text: "RUN cat<<EOF\ntrue\nEOF\n", fails: reasonGlued},
		"right behind a bracket":   {reason: "likewise", text: "RUN (cat)<<EOF\ntrue\nEOF\n", fails: reasonGlued},
		"in front of a semicolon":  {reason: "it would be a part of the name", text: "RUN cat <<EOF; true\nx\nEOF\n", fails: reasonName},
		"in front of a redirect":   {reason: "likewise", text: "RUN cat <<EOF>/x\nx\nEOF\n", fails: reasonName},
		"partly quoted":            {reason: "who replaces variables in it?", text: "RUN cat <<E'O'F\nx\nEOF\n", fails: reasonName},
		"backslash":                {reason: "likewise", text: "RUN cat <<\\EOF\nx\nEOF\n", fails: reasonName},
		"a variable":               {reason: "only a shell knows it", text: "RUN cat <<$EOF\nx\n$EOF\n", fails: reasonName},
		"quoted":                   {reason: "two forms", text: "RUN cat <<'A' <<\"B\"\na\nA\nb\nB\n", want: "A B"},
		"quoted blank":             {reason: "no builder reads it as a shell does", text: "RUN cat <<'E F'\nx\nE F\n", fails: reasonName},
		"empty name":               {reason: "an empty line ends it, for a shell", text: "RUN cat <<''\nx\n\n", fails: reasonName},
		"several":                  {reason: "one instruction may have them", text: "COPY <<A <<B <<C /x/\nA\nB\nb\nB\nC\n", want: "A B C"},
		"a number":                 {reason: "a file descriptor", text: "RUN cat 3<<EOF <&3\nx\nEOF\n", want: "EOF"},
		"tabs":                     {reason: "they do not count", text: "RUN sh <<-EOF\n\ttrue\n\tEOF\n", want: "EOF"},
		"tabs, not asked for":      {reason: "they do count", text: "RUN sh <<EOF\n\ttrue\n\tEOF\n", fails: reasonEnd},
		"blanks behind the end":    {reason: "it is not the end", text: "RUN sh <<EOF\ntrue\nEOF \n", fails: reasonEnd},
		"a string":                 {reason: "three are not two", text: "RUN cat <<< EOF\n"},
		"a string, glued":          {reason: "likewise", text: "RUN cat <<<EOF\n"},
		"a calculation":            {reason: "bits are shifted", text: "RUN echo $(( 1 << 2 ))\n"},
		"a calculation, glued":     {reason: "likewise", text: "RUN echo $((1<<2))\n"},
		"a calculation, nested":    {reason: "likewise", text: "RUN echo $(( ((1)) << (2) ))\n"},
		"a calculation, command":   {reason: "likewise", text: "RUN (( x = 1 << 2 )) || true\n"},
		"a calculation, half":      {reason: "builders see a heredoc", text: "RUN echo $(( 1 <<2 ))\n2\n", fails: reasonArithmetic},
		"behind a calculation":     {reason: "that is over", text: "RUN echo $((1)) << EOF\nx\nEOF\n", fails: reasonBlank},
		"in double quotes":         {reason: "it is text", text: "RUN echo \"a << EOF\"\n"},
		"in single quotes":         {reason: "it is text", text: "RUN awk '{print 1 << 2}'\n"},
		"in quotes, glued":         {reason: "it is text", text: "RUN echo '<<EOF'\n"},
		"escaped":                  {reason: "it is text", text: "RUN echo \\<\\< EOF\n"},
		"in a comment of a shell":  {reason: "a shell does not read it", text: "RUN true # a << b\n"},
		"in a comment":             {reason: "nobody reads it", text: "# RUN <<EOF\nRUN true\n"},
		"in a comment in between":  {reason: "nobody reads it", text: "RUN true \\\n# <<EOF\n&& true\n"},
		"in JSON":                  {reason: "no shell reads it", text: "RUN [\"cat\", \"<<EOF\"]\n"},
		"behind JSON":              {reason: "builders leave it out", text: "RUN [\"cat\"] <<EOF\nEOF\n", fails: "has something behind the JSON form, which builders leave out; remove it"},
		"a test":                   {reason: "it is not JSON", text: "RUN [ -f /x ] && sh <<EOF\nx\nEOF\n", want: "EOF"},
		"joined lines":             {reason: "the heredoc is below all of them", text: "RUN cat <<EOF \\\n >/etc/x\nx\nEOF\n", want: "EOF"},
		"joined lines, comment":    {reason: "likewise", text: "RUN cat <<EOF \\\n# no\n\n >/etc/x\nx\nEOF\n", want: "EOF"},
		"backslash in the text":    {reason: "it joins nothing", text: "RUN sh <<EOF\ntrue \\\nEOF\n", want: "EOF"},
		"comment in the text":      {reason: "it is text", text: "RUN sh <<EOF\n# EOF\nEOF\n", want: "EOF"},
		"instruction in the text":  {reason: "it is text", text: "RUN sh <<EOF\nFROM x\nEOF\n", want: "EOF"},
		"put off":                  {reason: "builders lose the text", text: "ONBUILD RUN sh <<EOF\ntrue\nEOF\n", fails: reasonTrigger},
		"of another instruction":   {reason: "it has none", text: "ENV A=<<EOF\n"},
		"CMD":                      {reason: "it has none", text: "CMD cat <<EOF\n"},
		"with a variable":          {reason: "all know it", text: "RUN X=$Y sh <<EOF\nx\nEOF\n", want: "EOF"},
		"with a default":           {reason: "all know it", text: "RUN X=${Y:-z} sh <<EOF\nx\nEOF\n", want: "EOF"},
		"with a modifier":          {reason: "older builders see no heredoc then", text: "RUN X=${Y#z} sh <<EOF\nx\nEOF\n", fails: reasonVariable},
		"modifier, no heredoc":     {reason: "nobody sees one", text: "RUN echo ${Y#z} $(( 1 << 2 ))\n"},
		"within a variable":        {reason: "builders differ", text: "RUN echo ${Y:- <<EOF }\nEOF\n", fails: reasonVariable},
		"quotes without end":       {reason: "no builder sees a heredoc, nor does a shell", text: "RUN echo don't <<EOF\n"},
		"in parentheses":           {reason: "a shell's list", text: "RUN (sh <<EOF\ntrue\nEOF\n)\n", fails: "there is no instruction"},
		"substituted":              {reason: "builders see it, too", text: "RUN x=$(cat <<EOF\na\nEOF\n", want: "EOF"},
		"escape directive":         {reason: "all lines would mean something else", text: "# escape=`\nRUN <<EOF\nEOF\n", fails: "the directive escape has no effect here"},
		"escape directive, as is":  {reason: "it says what is so anyway", text: "# escape=\\\nRUN <<EOF\nEOF\n", want: "EOF"},
		"escape directive, later":  {reason: "it is a comment", text: "# x\n# escape=`\nRUN <<EOF\nEOF\n", want: "EOF"},
		"escape directive, twice":  {reason: "builders fail on it", text: "# escape=\\\n# escape=\\\nRUN true\n", fails: "there is more than one directive escape"},
		"other line ends":          {reason: "builders take them away", text: "RUN <<EOF\r\ntrue\r\nEOF\r\n", want: "EOF"},
		"end in the middle":        {reason: "what follows would be a part of it", text: "RUN true \\\n", fails: OpenEnd},
		"COPY a path":              {reason: "the name of a file", text: "COPY <<robots.txt /srv/\nx\nrobots.txt\n", want: "robots.txt"},
		"blank inside of brackets": {reason: "a shell sees one", text: "RUN [ \"$(cat << EOF\nx\nEOF\n)\" ]\n", fails: "there is no instruction"},
	} {
		t.Run(name, func(t *testing.T) {
			file, problem := Parse(test.text)
			if test.fails != "" {
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.Reason, test.fails, test.reason)
				return
			}
			require.Nil(t, problem, test.reason)
			var names []string
			for _, heredoc := range file.Instructions[0].Heredocs {
				names = append(names, heredoc.Name)
			}
			require.Equal(t, test.want, strings.Join(names, " "), test.reason)
			require.Len(t, file.Instructions, 1, test.reason)
		})
	}
}
