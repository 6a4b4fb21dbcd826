package inputs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
)

// Settings is the checked content of the ConfigMap machine-os-builder-config.
type Settings struct {
	// MachineOSConfig is the name of the object that what follows up to the repository is
	// from; empty for the ConfigMap.
	MachineOSConfig string
	// BaseImagePullSecret names the Secret for pulling the base image; may be empty.
	BaseImagePullSecret string
	// FinalImagePushSecret names the Secret for pushing the result.
	FinalImagePushSecret string
	// FinalImageRepository is the target as registry/path, without tag or digest.
	FinalImageRepository string
	// RejectCredentials tells not to build what looks like a credential into an image.
	RejectCredentials bool
	// BuildFor is what a new image is built for.
	BuildFor string
	// Backend is what runs the builds, and Workload how, where that is for us to say.
	Backend  string
	Workload Workload
	// Limits never decide what is in an image.
	Limits Limits
}

// ConfigMapObject is how messages name the ConfigMap.
const ConfigMapObject = "ConfigMap " + constants.ConfigMapName

// ParseSettings checks the ConfigMap's data as a whole. All problems are
// returned at once, in the order of the keys in the documentation; Settings
// are usable only when there are none; their Limits always are.
func ParseSettings(data map[string]string) (Settings, []Problem) {
	var problems []Problem
	report := func(key, format string, args ...any) {
		problems = append(problems, Problem{Object: ConfigMapObject, Key: key, Text: fmt.Sprintf(format, args...)})
	}

	settings := Settings{
		BaseImagePullSecret:  valueOf(data, constants.BaseImagePullSecretKey),
		FinalImagePushSecret: valueOf(data, constants.FinalImagePushSecretKey),
	}

	if name := settings.BaseImagePullSecret; name != "" {
		if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 {
			report(constants.BaseImagePullSecretKey, "%s is not a valid Secret name; name a Secret or leave it empty", quote(name))
		}
	}

	if name := settings.FinalImagePushSecret; name == "" {
		report(constants.FinalImagePushSecretKey, "is missing or empty; set it to the name of a Secret with credentials for pushing the image")
	} else if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 {
		report(constants.FinalImagePushSecretKey, "%s is not a valid Secret name", quote(name))
	}

	if pullspec := valueOf(data, constants.FinalImagePullspecKey); pullspec == "" {
		report(constants.FinalImagePullspecKey, "is missing or empty; set it to the repository to push to, as registry/organisation/repository")
	} else if repository, err := ParseRepository(pullspec); err != nil {
		report(constants.FinalImagePullspecKey, "%s: %v; use registry/organisation/repository", quote(pullspec), err)
	} else {
		settings.FinalImageRepository = repository
	}

	reject := valueOf(data, constants.RejectCredentialsKey)
	value, known := constants.Boolean(reject)
	if settings.RejectCredentials = value; !known && reject != "" {
		report(constants.RejectCredentialsKey, `%s is neither "true" nor "false"`, quote(reject))
	}

	backend, problem := backendChoice.parse(data)
	if settings.Backend = backend; problem != nil {
		problems = append(problems, *problem)
	}
	buildFor, problem := buildForChoice.parse(data)
	if settings.BuildFor = buildFor; problem != nil {
		problems = append(problems, *problem)
	}
	workload, workloadProblems := parseWorkload(data)
	limits, limitProblems := parseLimits(data)
	problems = slices.Concat(problems, workloadProblems, limitProblems)
	settings.Workload, settings.Limits = workload, limits

	if len(problems) > 0 {
		return Settings{Limits: DefaultLimits()}, problems
	}
	return settings, nil
}

// valueOf is the one reading of a key: without what surrounds a value by the way in which
// it was written, such as a line break at its end, a mark of its encoding at its beginning,
// or quotation marks that belong to the file and not to the value.
func valueOf(data map[string]string, key string) string {
	value := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(data[key]), "\ufeff"))
	for _, mark := range []string{`"`, `'`} {
		if inner, ok := strings.CutPrefix(value, mark); ok && strings.HasSuffix(inner, mark) {
			return strings.TrimSpace(strings.TrimSuffix(inner, mark))
		}
	}
	return value
}

// Limits are the settings that bound builds in number and time.
type Limits struct {
	// MaxConcurrentBuilds bounds the builds of all pools that run at once; 0 for
	// no bound.
	MaxConcurrentBuilds int
	// MaxAttempts bounds the attempts at the same inputs; at least 1.
	MaxAttempts int
	// QuietPeriod is for how long inputs must not have changed before they are
	// built, and QuietPeriodCeiling how long that is waited for at most.
	QuietPeriod        time.Duration
	QuietPeriodCeiling time.Duration
	// PendingDeadline bounds the time that a build may wait to run.
	PendingDeadline time.Duration
	// CompletionDeadline bounds the running time of a build.
	CompletionDeadline time.Duration
	// SuccessfulBuildsHistory and FailedBuildsHistory are how many finished builds
	// of a pool are kept.
	SuccessfulBuildsHistory int
	FailedBuildsHistory     int
}

// DefaultLimits are the limits of a ConfigMap that sets none.
func DefaultLimits() Limits {
	limits, _ := parseLimits(nil)
	return limits
}

const (
	day = 24 * 60 * 60
	// mostAttempts and mostBuilds are beyond any use; they keep a slip of the
	// keyboard from filling the cluster.
	mostAttempts = 100
	mostBuilds   = 1000
)

// limit is one key of the ConfigMap that holds a whole number.
type limit struct {
	key                       string
	standard, lowest, highest int
	set                       func(*Limits, int)
}

// hint translates a duration for a key that counts seconds.
func (l *limit) hint(text string) string {
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err != nil || d%time.Second != 0 || !strings.HasSuffix(l.key, "Seconds") {
		return ""
	}
	return fmt.Sprintf(" without a unit (that would be %d)", int(d.Seconds()))
}

var limits = []limit{
	{constants.MaxConcurrentBuildsKey, 0, 0, mostBuilds, func(l *Limits, n int) { l.MaxConcurrentBuilds = n }},
	{constants.MaxAttemptsKey, 4, 1, mostAttempts, func(l *Limits, n int) { l.MaxAttempts = n }},
	{constants.QuietPeriodKey, 5, 0, 60 * 60, func(l *Limits, n int) { l.QuietPeriod = seconds(n) }},
	{constants.QuietPeriodCeilingKey, 30, 0, day, func(l *Limits, n int) { l.QuietPeriodCeiling = seconds(n) }},
	{constants.PendingDeadlineKey, 30 * 60, 1, 7 * day, func(l *Limits, n int) { l.PendingDeadline = seconds(n) }},
	{constants.CompletionDeadlineKey, 60 * 60, 1, 7 * day, func(l *Limits, n int) { l.CompletionDeadline = seconds(n) }},
	{constants.SuccessfulBuildsHistoryLimitKey, 1, 0, mostBuilds, func(l *Limits, n int) { l.SuccessfulBuildsHistory = n }},
	{constants.FailedBuildsHistoryLimitKey, 3, 0, mostBuilds, func(l *Limits, n int) { l.FailedBuildsHistory = n }},
}

// knownKeys are all keys of the ConfigMap that mean something.
var knownKeys = func() []string {
	keys := []string{constants.BaseImagePullSecretKey, constants.FinalImagePushSecretKey, constants.FinalImagePullspecKey, constants.RejectCredentialsKey, constants.BuildForKey}
	keys = append(keys, workloadKeys...)
	for i := range limits {
		keys = append(keys, limits[i].key)
	}
	return keys
}()

// KnownKeys returns the keys of the ConfigMap that mean something.
func KnownKeys() []string { return slices.Clone(knownKeys) }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// parseLimits reads the keys that hold numbers. One that is absent or empty has
// its default.
func parseLimits(data map[string]string) (parsed Limits, problems []Problem) {
	for i := range limits {
		l := &limits[i]
		number := l.standard
		if text := valueOf(data, l.key); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < l.lowest || n > l.highest {
				problems = append(problems, Problem{Object: ConfigMapObject, Key: l.key, Text: fmt.Sprintf(
					"%s is not a whole number from %d to %d%s; leave the key out for the default, %d", quote(text), l.lowest, l.highest, l.hint(text), l.standard)})
				continue
			}
			number = n
		}
		l.set(&parsed, number)
	}
	return parsed, problems
}
