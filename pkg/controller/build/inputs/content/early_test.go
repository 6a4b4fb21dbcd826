package content

import (
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestR37ToldBeforeABuild: a look at the config was enough to tell that its build would
// fail, which took minutes to come out.
func TestR37ToldBeforeABuild(t *testing.T) {
	sum := sha512.Sum512([]byte("x"))
	good := "sha512-" + hex.EncodeToString(sum[:])
	file := func(fields string) string { return `"storage":{"files":[{"path":"/etc/a",` + fields + `}]}` }
	for name, test := range map[string]struct {
		reason, sections string
		// refused is what the problem says; empty if there is none.
		refused string
	}{
		"right hash":         {reason: "most people compute it", sections: file(`"contents":{"source":"data:,x","verification":{"hash":"` + good + `"}}`)},
		"right hash, loud":   {reason: "it is a number", sections: file(`"contents":{"source":"data:,x","verification":{"hash":"sha512-` + strings.ToUpper(good[7:]) + `"}}`)},
		"hash of compressed": {reason: "Ignition compares what it writes", sections: file(`"contents":{"compression":"gzip","source":"` + zipped("x") + `","verification":{"hash":"` + good + `"}}`)},
		"wrong hash": {
			reason: "Ignition would write nothing", sections: file(`"contents":{"source":"data:,y","verification":{"hash":"` + good + `"}}`),
			refused: "key spec.config.storage.files[/etc/a]: has content whose SHA-512 is not the one that verification.hash states",
		},
		"wrong hash of 256 bits": {
			reason: "there are two functions", sections: file(`"contents":{"source":"data:,y","verification":{"hash":"sha256-` + hashOf("x") + `"}}`),
			refused: "has content whose SHA-256 is not",
		},
		"wrong hash of an addition": {
			reason: "additions have hashes of their own", sections: file(`"contents":{"source":"data:,x","verification":{"hash":"` + good + `"}},"append":[{"source":"data:,y","verification":{"hash":"` + good + `"}}]`),
			refused: "has content whose SHA-512 is not",
		},
		"hash of nothing known": {reason: "Ignition says why", sections: file(`"contents":{"source":"data:,x","verification":{"hash":"md5-x"}}`), refused: "storage.files[/etc/a].contents.verification.hash: unrecognized hash function"},
		"hash too short":        {reason: "Ignition says why", sections: file(`"contents":{"source":"data:,x","verification":{"hash":"sha512-00"}}`), refused: "contents.verification.hash: incorrect size for hash sum"},
		"mode as text":          {reason: "YAML has octal numbers, JSON has not", sections: file(`"mode":"0644"`), refused: "storage.files[/etc/a].mode is a string, and has to be a whole number; in JSON modes are decimal: 420 is 0644"},
		"broken mode":           {reason: "a number, but no whole one", sections: file(`"mode":420.5`), refused: "storage.files[/etc/a].mode is a number, and has to be a whole number"},
		"negative mode":         {reason: "Ignition says why", sections: file(`"mode":-1`), refused: "storage.files[/etc/a].mode: illegal file mode"},
		"text for yes": {
			reason: "JSON has its own words", sections: `"systemd":{"units":[{"name":"a.service"},{"name":"b.service","enabled":"true"}]}`,
			refused: "systemd.units[b.service].enabled is a string, and has to be true or false",
		},
		"object for text": {reason: "the field is named", sections: file(`"contents":{"source":{"inline":"` + canary + `"}}`), refused: "storage.files[/etc/a].contents.source is an object, and has to be a string"},
		"list for object": {reason: "the field is named", sections: `"storage":{"files":[{"path":"/etc/a","contents":["` + canary + `"]}]}`, refused: "storage.files[/etc/a].contents is an array, and has to be an object"},
		"append of version 2": {
			reason: "it was true or false there", sections: file(`"append":true`), refused: "storage.files[/etc/a].append is true or false, and has to be an array",
		},
		"owner of version 2": {reason: "the field is named", sections: file(`"user":"core"`), refused: "storage.files[/etc/a].user is a string, and has to be an object"},
		"unnamed item":       {reason: "its number is all there is", sections: `"storage":{"files":[{"path":"/etc/a"},{"mode":"x"}]}`, refused: "storage.files[1].mode is a string"},
		"not base64":         {reason: "Ignition could not decode it", sections: file(`"contents":{"source":"data:;base64,%%%"}`), refused: "storage.files[/etc/a].contents.source"},
		"S3":                 {reason: "a build fetches nothing", sections: file(`"contents":{"source":"s3://bucket/key"}`), refused: "has content at another place"},
		"TFTP":               {reason: "a build fetches nothing", sections: file(`"contents":{"source":"tftp://example.com/key"}`), refused: "has content at another place"},
		"no scheme":          {reason: "Ignition says why", sections: file(`"contents":{"source":"/etc/b"}`), refused: "storage.files[/etc/a].contents.source: invalid url scheme"},
		"other compression":  {reason: "Ignition says why", sections: file(`"contents":{"compression":"xz","source":"data:,x"}`), refused: "storage.files[/etc/a].contents.compression: invalid compression method"},
		"relative path":      {reason: "Ignition says why", sections: `"storage":{"files":[{"path":"etc/a"}]}`, refused: "storage.files[etc/a].path: path not absolute"},
		"path twice":         {reason: "one would be lost", sections: `"storage":{"files":[{"path":"/etc/a"}],"links":[{"path":"/etc/a","target":"b"}]}`, refused: "duplicate entry defined"},
		"unit twice":         {reason: "one would be lost", sections: `"systemd":{"units":[{"name":"a.service"},{"name":"a.service"}]}`, refused: "duplicate entry defined"},
		"no kind of unit":    {reason: "systemd would not find it", sections: `"systemd":{"units":[{"name":"a.conf"}]}`, refused: "systemd.units[a.conf].name: invalid systemd unit extension"},
		"broken unit":        {reason: "why is not told, for it may quote the content", sections: `"systemd":{"units":[{"name":"a.service","contents":"[Unit\n"}]}`, refused: "systemd.units[a.service].contents is not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			content, problem := Parse("c", config("3.4.0", test.sections))
			if test.refused == "" {
				require.Nil(t, problem, test.reason)
				require.Len(t, content.Entries, 1)
				return
			}
			require.NotNil(t, problem, test.reason)
			require.Contains(t, problem.String(), test.refused, test.reason)
			require.NotContains(t, problem.String(), canary, "content may be a credential")
		})
	}
}

// TestR37OwnersThatOnlyTheConfigMakes: an image has none of a config's users, so the build
// failed on looking for them.
func TestR37OwnersThatOnlyTheConfigMakes(t *testing.T) {
	const passwd = `"passwd":{"users":[{"name":"app"},{"name":"plain","noUserGroup":true},{"name":"grouped","primaryGroup":"adm"},{"name":"gone","shouldExist":false},{"name":"root","sshAuthorizedKeys":["k"]}],
		"groups":[{"name":"team"},{"name":"gone","shouldExist":false}]},`
	for name, test := range map[string]struct {
		reason, node, want string
	}{
		"user":             {reason: "the machine has it, the image has not", node: `"user":{"name":"app"}`, want: "its owner app is a user of the config's own, and users are the machine's"},
		"group":            {reason: "the same", node: `"group":{"name":"team"}`, want: "its group team is one of the config's own, and groups are the machine's"},
		"group of a user":  {reason: "adding a user adds one", node: `"group":{"name":"app"}`, want: "its group app is one of the config's own, and groups are the machine's"},
		"no such group":    {reason: "unless the config says otherwise", node: `"group":{"name":"plain"}`},
		"another group":    {reason: "unless the config says otherwise", node: `"group":{"name":"grouped"}`},
		"removed":          {reason: "the config makes none", node: `"user":{"name":"gone"},"group":{"name":"gone"}`},
		"number":           {reason: "a number needs no user", node: `"user":{"id":1234}`},
		"of the image":     {reason: "the base image has it", node: `"user":{"name":"chrony"}`},
		"root":             {reason: "every image has it, keys or not", node: `"user":{"name":"root"},"group":{"name":"root"}`},
		"nothing is said":  {reason: "then it is root's", node: `"mode":420`},
		"mounted over too": {reason: "whatever else is the matter", node: `"user":{"name":"app"}`, want: "its owner app is a user of the config's own, and users are the machine's"},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/etc/a"
			if name == "mounted over too" {
				path = "/etc/hosts"
			}
			for _, section := range []string{"files", "directories"} {
				if section == "directories" && path != "/etc/a" {
					continue
				}
				link := ""
				if section == "files" {
					link = `,"links":[{"path":"/etc/z","target":"` + path + `","hard":true}]`
				}
				content := parsed(t, passwd+`"storage":{"`+section+`":[{"path":"`+path+`",`+test.node+`}]`+link+`}`)
				var left []LeftOut
				for _, l := range content.LeftOut {
					if l.What == path {
						left = append(left, l)
					}
				}
				if test.want == "" {
					require.Empty(t, left, test.reason)
					continue
				}
				require.Equal(t, []LeftOut{{path, test.want}}, left, test.reason)
				require.Empty(t, content.Entries, "nor is there a hard link to it")
			}
		})
	}
}

// TestR37FilesOverwrite: the node's agent overwrites whatever the config says, and
// Ignition would fail on a file of the base image.
func TestR37FilesOverwrite(t *testing.T) {
	for name, test := range map[string]struct {
		reason, fields string
		want           bool
	}{
		"no":                 {reason: "the agent does not look at it", fields: `"overwrite":false,"contents":{"source":"data:,x"}`, want: true},
		"not said":           {reason: "the operator says yes then", fields: `"contents":{"source":"data:,x"}`, want: true},
		"yes":                {reason: "it is what it says", fields: `"overwrite":true,"contents":{"source":"data:,x"}`, want: true},
		"empty content":      {reason: "that is content", fields: `"contents":{"source":""}`, want: true},
		"no content":         {reason: "the base image's is meant", fields: `"mode":384`},
		"an addition":        {reason: "to what the base image has", fields: `"append":[{"source":"data:,x"}]`},
		"addition, and none": {reason: "to what the base image has", fields: `"overwrite":false,"append":[{"source":"data:,x"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			content := parsed(t, `"storage":{"files":[{"path":"/etc/a",`+test.fields+`}]}`)
			require.Equal(t, test.want, content.Entries[0].Overwrite, test.reason)
			require.Equal(t, test.want, strings.Contains(string(content.toApply), `"overwrite":true`), test.reason)
		})
	}
}

// TestR39LegalAndHardlyMeant: values that do something else than whoever wrote them had in
// mind were taken without a word.
func TestR39LegalAndHardlyMeant(t *testing.T) {
	file := func(fields string) string { return `"storage":{"files":[{"path":"/etc/a",` + fields + `}]}` }
	unit := func(fields string) string { return `"systemd":{"units":[{"name":"a.service",` + fields + `}]}` }
	const install = `"contents":"[Install]\nWantedBy=multi-user.target\n"`
	for name, test := range map[string]struct {
		reason, sections string
		want             []string
	}{
		"enable":         {reason: "version 2 called it so", sections: unit(`"enable":true,` + install), want: []string{"systemd.units[a.service].enable: is not a key of version 3.4.0 of Ignition's specification: version 3 calls it enabled"}},
		"filesystem":     {reason: "version 2 needed it", sections: file(`"filesystem":"root"`), want: []string{"storage.files[/etc/a].filesystem: is not a key"}},
		"networkd":       {reason: "version 2 had such a section", sections: `"networkd":{"units":[]}`, want: []string{"networkd: is not a key of version 3.4.0 of Ignition's specification: version 3 has no such section"}},
		"Butane":         {reason: "people mix the two", sections: file(`"contents":{"inline":"` + canary + `"}`), want: []string{"storage.files[/etc/a].contents.inline: is not a key of version 3.4.0 of Ignition's specification: that is a key of Butane; write source"}},
		"nobody's":       {reason: "a slip", sections: file(`"mdoe":420`), want: []string{"storage.files[/etc/a].mdoe: is not a key of version 3.4.0 of Ignition's specification"}},
		"capitals":       {reason: "Ignition takes it, other tools do not", sections: file(`"Mode":420`), want: []string{"storage.files[/etc/a].Mode: is not a key of version 3.4.0 of Ignition's specification: keys begin with a lower case letter"}},
		"644":            {reason: "octal was meant", sections: file(`"mode":644`), want: []string{"storage.files[/etc/a].mode: setuid/setgid/sticky bits", "storage.files[/etc/a].mode: is 644, and in JSON that is a decimal number: the mode is 0204; write 420 if 0644 is meant"}},
		"400":            {reason: "octal was meant", sections: file(`"mode":400`), want: []string{"the mode is 0620; write 256 if 0400 is meant"}},
		"directory, 755": {reason: "octal was meant", sections: `"storage":{"directories":[{"path":"/etc/d","mode":755}]}`, want: []string{"storage.directories[/etc/d].mode: setuid", "storage.directories[/etc/d].mode: is 755, and in JSON that is a decimal number: the mode is 0363; write 493 if 0755 is meant"}},
		"setuid":         {reason: "version 3.4 drops such bits", sections: file(`"mode":2541`), want: []string{"storage.files[/etc/a].mode: setuid/setgid/sticky bits are not supported"}},
		"not installed":  {reason: "there is nothing to enable", sections: unit(`"enabled":true,"contents":"[Unit]\n"`), want: []string{"systemd.units[a.service].contents: unit \"a.service\" is enabled, but has no install section"}},
		"masked":         {reason: "one of both is in vain", sections: unit(`"enabled":true,"mask":true`), want: []string{"systemd.units[a.service]: is masked and enabled"}},
		"usual modes":    {reason: "no false alarms", sections: `"storage":{"files":[{"path":"/etc/a","mode":420},{"path":"/etc/b","mode":384},{"path":"/etc/c","mode":493},{"path":"/etc/d","mode":256},{"path":"/etc/e","mode":416},{"path":"/etc/f","mode":511},{"path":"/etc/g","mode":0},{"path":"/etc/h","mode":448}]}`},
		"usual config":   {reason: "no false alarms", sections: file(`"mode":420,"overwrite":true,"contents":{"source":"data:,x","verification":{}}`) + `,"systemd":{"units":[{"name":"a.service","enabled":true,` + install + `}]},"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["k"]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			warnings := parsed(t, test.sections).Warnings
			require.Len(t, warnings, len(test.want), "%s: %v", test.reason, warnings)
			for i, want := range test.want {
				require.Contains(t, warnings[i], want, test.reason)
				require.Contains(t, warnings[i], "MachineConfig rendered-worker-1, key spec.config.")
				require.NotContains(t, warnings[i], canary, "content may be a credential")
				require.NotContains(t, warnings[i], "\n")
			}
		})
	}
}
