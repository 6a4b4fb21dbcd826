package inputs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs/containerfile"
)

var (
	checksum = regexp.MustCompile(`^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$`)

	// signalNumber and signalName are what builders know of Linux' signals.
	signalNumber = regexp.MustCompile(`^[0-9]{1,2}$`)
	signalName   = regexp.MustCompile(`^(?:SIG)?(?:ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ` +
		`|RTMIN(?:\+\d{1,2})?|RTMAX(?:-\d{1,2})?)$`)
)

// flagForm is what builders take for a flag, and what a message says that it needs.
type flagForm struct {
	needs string
	is    func(value string) bool
}

var (
	duration = func(flag string) flagForm {
		return flagForm{"a duration with a unit, as in --" + flag + "=30s", isDuration}
	}
	flagForms = map[string]flagForm{
		"chmod":        {"an octal number, as in --chmod=0755", octal.MatchString},
		"chown":        {"a user, or user:group", func(value string) bool { return strings.Count(value, ":") <= 1 }},
		"checksum":     {"a digest, as in --checksum=sha256:… with 64 hexadecimal digits", checksum.MatchString},
		"network":      {"one of default, none, host", func(value string) bool { return slices.Contains([]string{"default", "none", "host"}, value) }},
		"interval":     duration("interval"),
		"timeout":      duration("timeout"),
		"start-period": duration("start-period"),
		"retries": {"a number of at least 1", func(value string) bool {
			number, err := strconv.ParseInt(value, 10, 32)
			return err == nil && number > 0
		}},
	}
)

// instructionForms are what builders take for an instruction.
var instructionForms = map[string]struct {
	needs string
	is    func(i *containerfile.Instruction) bool
}{
	"healthcheck": {"needs CMD and a command, or NONE", func(i *containerfile.Instruction) bool {
		kind, arguments := strings.ToUpper(i.Args[0]), len(i.Args)-1
		return kind == "CMD" && arguments > 0 || kind == "NONE" && arguments == 0
	}},
	"stopsignal": {"needs the name or number of a signal", func(i *containerfile.Instruction) bool {
		signal := strings.ToUpper(i.Args[0])
		return strings.Contains(signal, "$") || signalNumber.MatchString(signal) || signalName.MatchString(signal)
	}},
	"shell": {`needs an array, as in SHELL ["/bin/sh", "-c"]`, func(i *containerfile.Instruction) bool { return i.JSON }},
	"volume": {"has an empty name", func(i *containerfile.Instruction) bool {
		return !slices.ContainsFunc(i.Args, func(name string) bool { return strings.TrimSpace(name) == "" })
	}},
}

func isDuration(value string) bool {
	_, err := time.ParseDuration(value)
	return err == nil
}

// checkForms tells what builders would refuse when the instruction's turn comes. A value with a
// variable in it is not known here.
func checkForms(i *containerfile.Instruction) string {
	for _, flag := range i.Flags {
		form, ok := flagForms[flag.Name]
		if ok && !strings.Contains(flag.Value, "$") && !form.is(flag.Value) {
			return fmt.Sprintf("the flag --%s of %s needs %s", flag.Name, strings.ToUpper(i.Name), form.needs)
		}
	}
	if form, ok := instructionForms[i.Name]; ok && !form.is(i) {
		return strings.ToUpper(i.Name) + " " + form.needs
	}
	return ""
}
