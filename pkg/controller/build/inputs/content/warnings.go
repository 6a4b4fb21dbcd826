package content

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/coreos/vcontext/report"
)

// meantKeys are keys that other formats than this one have, each with what to write
// instead.
var meantKeys = map[string]string{
	"enable":              "version 3 calls it enabled",
	"filesystem":          "version 3 has no such key, all paths are those of the root file system",
	"networkd":            "version 3 has no such section; write files below /etc/systemd/network",
	"create":              "version 3 has no such key, users are made if they do not exist",
	"inline":              "that is a key of Butane; write source with a data URL",
	"local":               "that is a key of Butane; write source with a data URL",
	"trees":               "that is a key of Butane; write each file",
	"contents_local":      "that is a key of Butane; write contents",
	"enabled":             "it belongs to another place",
	"ssh_authorized_keys": "it is called sshAuthorizedKeys",
	"should_exist":        "it is called shouldExist",
	"masked":              "it is called mask",
}

// usualModes are those that people write, in octal.
const usualModes = " 400 440 444 500 550 555 600 640 644 660 664 666 700 710 711 740 744 750 755 770 775 777 1777 2755 4755 "

// warn tells of values that are legal and are hardly meant: Ignition's own warnings, and
// modes that were written in decimal. Keys are told, values are not.
func (f *filter) warn(raw []byte, findings report.Report, config *types.Config) {
	document := newDocument(raw)
	note := func(key, format string, args ...any) {
		f.content.Warnings = append(f.content.Warnings, f.problem("spec.config."+key, format, args...).String())
	}
	for _, finding := range findings.Entries {
		if finding.Kind != report.Warn || len(finding.Context.Path) == 0 {
			continue
		}
		key := document.describe(finding.Context.Path)
		last := fmt.Sprint(finding.Context.Path[len(finding.Context.Path)-1])
		if !strings.HasPrefix(finding.Message, "unused key ") {
			note(key, "%s", shortText(finding.Message))
			continue
		}
		hint := meantKeys[last]
		if last != "" && strings.ToLower(last[:1]) != last[:1] {
			hint = "keys begin with a lower case letter"
		}
		if hint != "" {
			hint = ": " + hint
		}
		note(key, "is not a key of version %s of Ignition's specification%s", f.content.Version, hint)
	}
	for _, file := range config.Storage.Files {
		f.warnOfMode("storage.files["+shortText(file.Path)+"].mode", file.Mode, note)
	}
	for _, directory := range config.Storage.Directories {
		f.warnOfMode("storage.directories["+shortText(directory.Path)+"].mode", directory.Mode, note)
	}
	for _, unit := range config.Systemd.Units {
		if util.IsTrue(unit.Mask) && util.IsTrue(unit.Enabled) {
			note("systemd.units["+shortText(unit.Name)+"]", "is masked and enabled; a masked unit never starts")
		}
	}
}

// warnOfMode finds a mode whose digits are those of an octal one.
func (f *filter) warnOfMode(key string, mode *int, note func(key, format string, args ...any)) {
	if mode == nil || *mode < 0 || isUsual(fmt.Sprintf("%o", *mode)) || !isUsual(strconv.Itoa(*mode)) {
		return
	}
	meant, err := strconv.ParseInt(strconv.Itoa(*mode), 8, 32)
	if err != nil {
		return
	}
	note(key, "is %d, and in JSON that is a decimal number: the mode is %04o; write %d if %04o is meant", *mode, *mode&0o777, meant, meant)
}

func isUsual(digits string) bool { return strings.Contains(usualModes, " "+digits+" ") }
