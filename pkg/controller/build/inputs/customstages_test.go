package inputs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// customCase is a text of an administrator, and what becomes of it.
type customCase struct {
	reason, text string
	// want is a part of what is sent to the builder, absent one that is not; fails is a part of the message of a text that is refused.
	want, absent, fails string
}

func testCustom(t *testing.T, cases map[string]customCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseCustom("worker", test.text)
			if test.fails != "" {
				require.NotNil(t, problem, test.reason)
				require.Contains(t, problem.String(), "ConfigMap machine-os-builder-custom-containerfile, key worker: line ")
				require.Contains(t, problem.String(), test.fails, test.reason)
				requireMessage(t, *problem)
				return
			}
			require.Nil(t, problem, test.reason)
			for _, packages := range []Packages{{}, {Kernel: KernelTypeRealtime}} {
				text, err := Recipe{Pool: "worker", BaseImage: testBase, ExtensionsImage: testExtensions, Packages: packages, Custom: got}.Containerfile()
				require.NoError(t, err, test.reason)
				require.Contains(t, text, test.want, test.reason)
				if test.absent != "" {
					require.NotContains(t, text, test.absent, test.reason)
				}
			}
		})
	}
}

// TestR01NamesAreComparedExactly: a builder compares the names of stages exactly, and pulls
// an image of any other name from a registry.
func TestR01NamesAreComparedExactly(t *testing.T) {
	testCustom(t, map[string]customCase{
		"as it is called":       {reason: "upper case is a name as good as any", text: "FROM configs AS A\nFROM A AS final\n", want: "FROM A AS final"},
		"in lower case":         {reason: "the image a is another thing", text: "FROM configs AS A\nFROM a AS final\n", fails: "line 2: FROM refers to a, and the stage in line 1 is called A: names of stages are compared exactly; write it as it is called"},
		"ours in upper case":    {reason: "it would be pulled, too", text: "FROM Configs AS final\n", fails: "line 1: FROM refers to Configs, and the stage is called configs"},
		"ours by variable":      {reason: "a variable changes nothing", text: "ARG BASE=CONFIGS\nFROM ${BASE}\n", fails: "line 2: FROM refers to CONFIGS, and the stage is called configs"},
		"COPY":                  {reason: "files of an image would come in", text: "FROM a.example.com/x AS Tool\nFROM configs\nCOPY --from=tool /a /a\n", fails: "line 3: COPY --from refers to tool, and the stage in line 1 is called Tool"},
		"COPY from ours":        {reason: "likewise", text: "FROM configs\nCOPY --from=CONFIGS /a /a\n", fails: "line 2: COPY --from refers to CONFIGS, and the stage is called configs"},
		"RUN":                   {reason: "files of an image would be mounted", text: "FROM a.example.com/x AS Tool\nFROM configs\nRUN --mount=type=bind,from=TOOL,target=/run/t true\n", fails: "line 3: RUN --mount=from refers to TOOL, and the stage in line 1 is called Tool"},
		"quotes":                {reason: "a builder takes them away", text: "FROM configs AS A\nFROM configs\nCOPY --from=\"a\" /a /a\n", fails: "line 3: COPY --from refers to a, and the stage in line 1 is called A"},
		"two but for case":      {reason: "some builders take them for one", text: "FROM configs AS a\nFROM configs AS A\n", fails: "line 2: the stage name A is taken by the stage in line 1"},
		"two of a name":         {reason: "builders differ in which is meant", text: "FROM configs AS a\nFROM x.example.com/x AS a\nFROM a\n", fails: "line 2: the stage name a is taken by the stage in line 1"},
		"below":                 {reason: "it would be pulled", text: "FROM later AS final\nFROM configs AS later\n", fails: "line 1: FROM refers to later, a stage that begins in line 2, below"},
		"itself":                {reason: "it is not built yet", text: "FROM configs AS final\nCOPY --from=final /a /b\n", fails: "line 2: COPY --from refers to final, which is the name of its own stage; give the stage in line 1 another name"},
		"image of its name":     {reason: "builders would not pull it ahead, and know no other stage of that name", text: "FROM golang AS golang\nFROM golang\nCOPY --from=golang /a /a\nFROM configs\nCOPY --from=golang /a /a\n", want: "FROM golang AS machine-os-stage-0\nFROM machine-os-stage-0\nCOPY --from=machine-os-stage-0 /a /a\nFROM configs\nCOPY --from=machine-os-stage-0 /a /a\n"},
		"scratch as a name":     {reason: "it means nothing, and always does", text: "FROM configs AS scratch\nFROM scratch\n", fails: "line 1: the stage name scratch is taken"},
		"name in a variable":    {reason: "older builders do not look into it", text: "ARG N=final\nFROM configs AS ${N}\n", fails: "line 2: FROM needs a name of letters"},
		"name of digits":        {reason: "it would be a number", text: "FROM configs AS 0\n", fails: "line 1: FROM needs a name of letters"},
		"other transports":      {reason: "they read the builder's own files", text: "FROM configs\nCOPY --from=oci:/tmp/build/inputs /a /a\n", fails: "line 2: COPY --from needs the name of a stage or the pullspec of an image"},
		"files of nothing":      {reason: "no image of that name can be pulled", text: "FROM configs\nCOPY --from=scratch /a /a\n", fails: "line 2: COPY --from refers to scratch, which has no files"},
		"not ours in the end":   {reason: "the image would be without the MachineConfigs", text: "FROM configs AS a\nFROM x.example.com/b AS b\nFROM b\n", fails: "line 3: the last stage has to build on what the MachineConfigs made"},
		"a chain":               {reason: "as many stages as it takes", text: "FROM configs AS a\nFROM a AS b\nFROM b AS c\nFROM c\n", want: "FROM c\n"},
		"nothing but variables": {reason: "there is no stage", text: "ARG A=1\nFROM scratch\n", fails: "line 2: the last stage has to build on"},
	})
}

// TestR01OnlyOnTopOfOurs: whatever was checked before, a Containerfile whose last stage is
// not made from the MachineConfigs is not sent.
func TestR01OnlyOnTopOfOurs(t *testing.T) {
	for name, test := range map[string]struct {
		reason, head, body string
		instructions       int
		want               error
	}{
		"ours":               {reason: "what passes", body: "FROM configs AS a\nFROM a\n", instructions: 2},
		"none":               {reason: "ours are all there is"},
		"other case":         {reason: "an image that is pulled", body: "FROM Configs AS final\n", instructions: 1, want: errRoot},
		"other case between": {reason: "likewise", body: "FROM configs AS A\nFROM a AS final\n", instructions: 2, want: errRoot},
		"another image":      {reason: "the configs are built, and thrown away", body: "FROM configs AS a\nFROM quay.io/x/y\n", instructions: 2, want: errRoot},
		"a namesake":         {reason: "it would be taken for ours", body: "FROM quay.io/x/y AS configs\nFROM configs\n", instructions: 2, want: errRoot},
		"by variable":        {reason: "nobody reads it in advance", head: "ARG A=configs\n", body: "FROM ${A}\n", instructions: 2, want: errRoot},
		"our inputs":         {reason: "they are for the build alone", body: "FROM configs\nCOPY --from=inputs / /\n", instructions: 2, want: errRoot},
		"our base":           {reason: "it has the inputs, too", body: "FROM configs\nRUN --mount=type=bind,from=machine-os-base,target=/run/x true\n", instructions: 2, want: errRoot},
		"before ours":        {reason: "ours would become the last of another", head: "FROM quay.io/x/y AS configs\n", instructions: 1, want: errRoot},
	} {
		t.Run(name, func(t *testing.T) {
			recipe := Recipe{Pool: "worker", BaseImage: testBase, Custom: Custom{text: "x", head: test.head, body: test.body, instructions: test.instructions}}
			text, err := recipe.Containerfile()
			require.ErrorIs(t, err, test.want, test.reason)
			require.Equal(t, test.want == nil, text != "")
		})
	}
}

// TestR24NumbersOfStages: administrators count their own stages, and can refer to none of
// ours but the one with the MachineConfigs.
func TestR24NumbersOfStages(t *testing.T) {
	const two = "FROM a.example.com/a AS one\nFROM a.example.com/b\nFROM configs\n"
	testCustom(t, map[string]customCase{
		"COPY from a named one":    {reason: "its name says the same", text: two + "COPY --from=0 /etc/motd /etc/site-motd\n", want: "COPY --from=one /etc/motd /etc/site-motd\n", absent: "--from=0"},
		"COPY from an unnamed one": {reason: "it gets a name", text: two + "COPY --from=1 /a /b\n", want: "FROM a.example.com/b AS machine-os-stage-1\nFROM configs\nCOPY --from=machine-os-stage-1 /a /b\n"},
		"other flags":              {reason: "they stay", text: two + "COPY --chown=0:0 --from=0 --chmod=0644 /a /b\n", want: "COPY --chown=0:0 --from=one --chmod=0644 /a /b\n"},
		"RUN":                      {reason: "a mount is as good", text: two + "RUN --mount=type=bind,from=1,target=/run/b ls /run/b\n", want: "RUN --mount=type=bind,from=machine-os-stage-1,target=/run/b ls /run/b\n"},
		"RUN, other order":         {reason: "the oldest builder wants the type first", text: two + "RUN --mount=target=/run/b,from=0 ls\n", want: "RUN --mount=type=bind,target=/run/b,from=one ls\n"},
		"RUN, cache":               {reason: "a cache may begin with files of a stage", text: two + "RUN --mount=type=cache,target=/c,from=0 ls\n", want: "from=one"},
		"two mounts":               {reason: "each of them counts", text: two + "RUN --mount=type=bind,from=0,target=/run/a --mount=type=bind,from=1,target=/run/b ls\n", want: "from=one,target=/run/a --mount=type=bind,from=machine-os-stage-1,target=/run/b ls\n"},
		"quotes":                   {reason: "a builder takes them away", text: two + "COPY --from='0' /a /b\n", want: "COPY --from=one /a /b\n"},
		"quotes around all":        {reason: "likewise", text: two + "COPY \"--from=0\" /a /b\n", fails: "line 4: COPY reads from the build context"},
		"backslash":                {reason: "likewise", text: two + "COPY --from=\\0 /a /b\n", want: "COPY --from=one /a /b\n"},
		"in a variable":            {reason: "it is written out", text: two + "ARG N=0\nCOPY --from=${N} /a /b\n", want: "COPY --from=one /a /b\n"},
		"in a global variable":     {reason: "ARG brings it into the stage", text: "ARG N=0\n" + two + "ARG N\nCOPY --from=$N /a /b\n", want: "COPY --from=one /a /b\n"},
		"in the environment":       {reason: "it counts for more than ARG", text: two + "ARG N=1\nENV N=0\nCOPY --from=$N /a /b\n", want: "COPY --from=one /a /b\n"},
		"in what it is made from":  {reason: "a stage has the environment of the one below", text: "FROM a.example.com/a AS one\nFROM configs AS two\nENV N=0\nFROM two\nCOPY --from=$N /a /b\n", want: "COPY --from=one /a /b\n"},
		"several lines":            {reason: "an instruction may take them", text: two + "COPY \\\n  # which\n  --from=0 \\\n  /a /b\n", want: "COPY   --from=one   /a /b\n"},
		"lower case":               {reason: "an instruction may be written so", text: strings.ToLower(two) + "copy --from=0 /a /b\n", want: "copy --from=one /a /b\n"},
		"JSON":                     {reason: "a form of COPY", text: two + "COPY --from=0 [\"/a\", \"/b\"]\n", want: "COPY --from=one [\"/a\", \"/b\"]\n"},
		"in an earlier stage":      {reason: "numbers mean the same everywhere", text: "FROM a.example.com/a AS one\nFROM a.example.com/b AS two\nCOPY --from=0 /a /b\nFROM configs\n", want: "COPY --from=one /a /b\n"},
		"its own":                  {reason: "it is not built yet", text: two + "COPY --from=2 /a /b\n", fails: "line 4: COPY --from refers to the stage number 2, and there are 2 stages in this text before the present one, counted from 0"},
		"none before":              {reason: "ours do not count", text: "FROM configs\nCOPY --from=0 /a /b\n", fails: "line 2: COPY --from refers to the stage number 0, and there are 0 stages"},
		"a huge one":               {reason: "it is a number all the same", text: "FROM configs\nCOPY --from=99999999999999999999 /a /b\n", fails: "line 2: COPY --from refers to the stage number"},
		"FROM":                     {reason: "some builders take it for an image", text: two + "FROM 0\n", fails: "line 4: FROM refers to a stage by its number; give that stage a name"},
		"ADD":                      {reason: "no builder knows it", text: two + "ADD --from=0 /a /b\n", fails: "line 4: ADD takes nothing from a stage or an image; use COPY --from"},
		"another spelling":         {reason: "no builder knows it", text: two + "COPY --FROM=0 /a /b\n", fails: "line 4: COPY has a flag that not all builders know"},
		"a blank":                  {reason: "the number would be a file", text: two + "COPY --from 0 /a /b\n", fails: "line 4: the flag --from of COPY needs a value"},
		"twice":                    {reason: "only the last one counts", text: two + "COPY --from=0 --from=1 /a /b\n", fails: "line 4: COPY has more than one flag --from"},
		"a flag of some":           {reason: "the oldest builder fails on it", text: two + "COPY --link --from=0 /a /b\n", fails: "line 4: COPY has a flag that not all builders know; they know --from, --chown, --chmod"},
		"option in upper case":     {reason: "builders do not know it", text: two + "RUN --mount=type=bind,FROM=0,target=/run/a ls\n", fails: "line 4: RUN --mount has an option from that builders do not know"},
		"option with blanks":       {reason: "builders take them for a part of its name", text: two + "RUN --mount=\"type=bind, from=0\" ls\n", fails: "line 4: RUN --mount has quotes or blanks in its value"},
		"inputs":                   {reason: "they are of the controller", text: "FROM configs\nCOPY --from=inputs / /\n", fails: "line 2: COPY --from refers to inputs, which is a stage of the controller's own; refer to configs, to a stage of this text, or to an image"},
		"inputs in FROM":           {reason: "likewise", text: "FROM inputs AS a\nFROM configs\n", fails: "line 1: FROM refers to inputs, which is a stage of the controller's own"},
		"inputs in upper case":     {reason: "what is meant is not an image", text: "FROM configs\nCOPY --from=INPUTS / /\n", fails: "line 2: COPY --from refers to inputs"},
		"inputs in a mount":        {reason: "likewise", text: "FROM configs\nRUN --mount=type=bind,from=inputs,target=/run/a ls\n", fails: "line 2: RUN --mount=from refers to inputs"},
		"inputs by variable":       {reason: "likewise", text: "ARG A=inp\nFROM ${A}uts\nFROM configs\n", fails: "line 2: FROM refers to inputs"},
		"inputs by default":        {reason: "likewise", text: "FROM configs\nCOPY --from=${A:-inputs} / /\n", fails: "line 2: COPY --from refers to inputs"},
		"the extensions":           {reason: "they are there for some pools only", text: "FROM configs\nCOPY --from=extensions / /\n", fails: "line 2: COPY --from refers to extensions"},
		"our base":                 {reason: "it has the inputs, too", text: "FROM machine-os-base AS a\nFROM configs\n", fails: "line 1: FROM refers to machine-os-base"},
		"a name like ours":         {reason: "it may be one some day", text: "FROM configs AS machine-os-stage-0\n", fails: "line 1: the stage name machine-os-stage-0 is taken"},
		"configs":                  {reason: "what administrators build on is there for copying, too", text: "FROM configs AS a\nRUN true\nFROM a\nCOPY --from=configs /etc/a /etc/b\n", want: "COPY --from=configs /etc/a /etc/b\n"},
		"unknown variable":         {reason: "it may be anything", text: "FROM configs\nCOPY --from=${WHAT} /a /b\n", fails: "line 2: COPY --from has the variable WHAT, which nothing in this stage sets; set it by ARG WHAT=value behind its FROM"},
		"global variable":          {reason: "a stage does not see it", text: "ARG N=0\n" + two + "COPY --from=$N /a /b\n", fails: "line 5: COPY --from has the variable N, which nothing in this stage sets"},
		"put off":                  {reason: "another build has other stages", text: two + "ONBUILD COPY --from=0 /a /b\n", fails: "line 4: ONBUILD puts off what refers to a stage or an image"},
		"put off, mounted":         {reason: "likewise", text: two + "ONBUILD RUN --mount=type=bind,from=0,target=/a ls\n", fails: "line 4: ONBUILD puts off what refers to a stage or an image"},
	})
}
