package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/imagebuilder"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	"github.com/openshift/machine-config-operator/pkg/controller/build/plan"
	"github.com/openshift/machine-config-operator/pkg/controller/build/status"
)

// pool looks at one pool.
func (x *examination) pool(pool *mcfgv1.MachineConfigPool) {
	for _, notice := range ledger.Notices(pool) {
		// The label alone is found in one go for all pools.
		if notice.Reason != ledger.NoticeLabelAlone {
			x.find(Warning, checkOf(notice.Reason), poolObject(pool.Name), notice.Problem, "write what is meant: "+editPool(pool.Name))
		}
	}
	x.refusal(pool)
	switch {
	case pool.DeletionTimestamp != nil:
	case x.ByMachineOS(pool):
		// What it says is on the MachineOSConfig.
		x.record(pool)
	case x.isServed(pool):
		x.conditions(pool)
		x.record(pool)
		x.image(pool)
		x.state(pool)
	default:
		x.traces(pool)
	}
}

// refusal tells what the pool says that the cluster refuses.
func (x *examination) refusal(pool *mcfgv1.MachineConfigPool) {
	if told := ledger.ReadConditions(pool.Status.Conditions); told.Refusal != "" && told.Reason != ledger.ReasonBuilderRefused {
		x.find(Error, ledger.ReasonRequestRefused, poolObject(pool.Name), "is not served as it is to be: "+told.Refusal, seeController)
	}
}

// checkOf is the name of the check that finds what a notice tells.
func checkOf(reason string) string {
	if reason == ledger.NoticeUnknownKey {
		return "UnknownKeys"
	}
	return reason
}

// traces looks for what is left on a pool that is none of the controller's.
func (x *examination) traces(pool *mcfgv1.MachineConfigPool) {
	if !x.isOld(status.LastChange(pool)) {
		return
	}
	var left []string
	for _, annotation := range constants.PoolAnnotations() {
		if _, ok := pool.Annotations[annotation]; ok {
			left = append(left, annotation)
		}
	}
	conditions := len(pool.Status.Conditions) - len(ledger.WithoutOurs(pool.Status.Conditions))
	if len(left)+conditions == 0 {
		return
	}
	repair := "the controller takes them away; " + seeController
	if len(left) > 0 {
		repair += "\nby hand: " + unannotate(pool.Name, left...)
	}
	x.find(Error, "TracesLeft", poolObject(pool.Name),
		fmt.Sprintf("did not opt in, but has %s and %s of the BuildController", count(len(left), "annotation"), count(conditions, "condition")), repair)
}

// record looks at the controller's memory of the newest attempt.
func (x *examination) record(pool *mcfgv1.MachineConfigPool) {
	text, ok := pool.Annotations[constants.BuildRecordAnnotation]
	if !ok {
		return
	}
	record, err := ledger.ParseRecord(text)
	if err != nil {
		x.find(Error, "RecordMalformed", poolObject(pool.Name),
			fmt.Sprintf("has an annotation %s that cannot be read: %v", constants.BuildRecordAnnotation, err),
			"take it away; what it said is found out anew from the Builds, or built anew:\n"+unannotate(pool.Name, constants.BuildRecordAnnotation))
		return
	}
	told := ledger.ReadConditions(pool.Status.Conditions)
	if x.BuildsKnown && record.IsOpen() && x.isOld(record.ClaimedAt) && told.ReportsBuildOf(record) && x.findBuild(record.Build, pool) == nil {
		x.find(Error, "BuildMissing", poolObject(pool.Name),
			fmt.Sprintf("says that %s is on its way (%s), and there is no such Build", x.buildObject(record.Build), told.Reason),
			"the controller takes that for a failed attempt and starts the next one; "+seeController)
	}
}

func (x *examination) findBuild(name string, pool *mcfgv1.MachineConfigPool) *imagebuilder.Made {
	at := slices.IndexFunc(x.Builds, func(b imagebuilder.Made) bool { return b.Object == name && b.PoolUID == pool.UID })
	if at < 0 {
		return nil
	}
	return &x.Builds[at]
}

var byDigest = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)

// image looks at the annotations that publish an image, and at what they refer to.
func (x *examination) image(pool *mcfgv1.MachineConfigPool) {
	image, config := pool.Annotations[constants.DesiredOSImageAnnotation], pool.Annotations[constants.DesiredOSImageConfigAnnotation]
	object, record := poolObject(pool.Name), recordOf(pool)
	again := "have the image published anew:\n" + unannotate(pool.Name, constants.DesiredOSImageAnnotation, constants.DesiredOSImageConfigAnnotation)
	switch {
	case image == "" && config == "":
		return
	case image == "":
		x.find(Error, "ImageMissing", object, "names the config "+config+" of a published image, but no image ("+constants.DesiredOSImageAnnotation+")", again)
		return
	case config == "":
		x.find(Error, "ImageConfigUnknown", object, "has a published image, but not the config that it was built from ("+constants.DesiredOSImageConfigAnnotation+")", again)
	case !byDigest.MatchString(image):
		x.find(Error, "ImageNotByDigest", object, fmt.Sprintf("has a published image that is not given by its digest, so it may change: %.200q", image), again)
	case record != nil && record.Succeeded() && (record.Image != image || record.Config != config) && x.isSettled(pool):
		// An attempt that has no image yet may have taken the place of the one on record.
		x.find(Error, "ImageNotOnRecord", object, fmt.Sprintf("has a published image, %s of %s, that is not the controller's, which is %s of %s; someone else wrote the annotations",
			image, config, record.Image, record.Config), again)
	}
	if exists, known := x.Configs[config]; known && !exists && config != pool.Spec.Configuration.Name {
		x.find(Warning, "ImageConfigMissing", object, "has a published image of "+inputs.MachineConfigObject(config)+", which does not exist any more; nobody can tell what is in it",
			"have the image of the wanted config built; machine-config-controller status "+pool.Name+" tells what is in the way")
	}
}

// state looks at where the pool stands.
func (x *examination) state(pool *mcfgv1.MachineConfigPool) {
	row, object := x.rows[pool.Name], poolObject(pool.Name)
	switch row.State {
	case ledger.StateFailed:
		x.find(Error, "BuildFailed", object, "has no image of "+row.Config+": "+outcome(pool, &row),
			"look at the log, mend the cause, and build again:\n"+inNamespace+x.backendOf(row.Build).Commands(row.Build).Logs+"\n"+rebuild(pool.Name))
	case ledger.StateStuck:
		x.find(Error, "BuildStuck", object, "waits for a Build that does not begin to run: "+row.Message,
			"see what keeps its pod from running:\n"+inNamespace+strings.Join(x.backendOf(row.Build).Commands(row.Build).Describe, "\n"+inNamespace))
	case ledger.StateInterrupted:
		x.find(Warning, "BuildCancelled", object, "has no image of "+row.Config+", since someone cancelled its Build", "have it built: "+rebuild(pool.Name))
	case ledger.StateNotReported:
		// A Build that is gone is a finding of its own.
		if x.isSettled(pool) && !slices.ContainsFunc(x.findings, func(f Finding) bool { return f.Check == "BuildMissing" && f.Object == object }) {
			x.find(Error, "NotReported", object, notReported(&row), seeController)
		}
	}
	x.hold(pool, &row)
}

// outcome says how the build failed, as the record has it.
func outcome(pool *mcfgv1.MachineConfigPool, row *status.Pool) string {
	if record := recordOf(pool); record.Failed() {
		return plan.Outcome(record) + "."
	}
	return row.Message
}

func notReported(row *status.Pool) string {
	if row.Reason == "" {
		return "opted in, and the controller has taken no notice: there is no condition of the BuildController"
	}
	return fmt.Sprintf("wants %s, and the controller has taken no notice: the pool says %s, but %s", row.Config, row.Reason, row.Outdated)
}

// shared are holds for objects that are looked at on their own.
var shared = []string{
	ledger.ReasonConfigMapMissing, ledger.ReasonConfigMapInvalid, ledger.ReasonSecretMissing, ledger.ReasonSecretInvalid,
	ledger.ReasonCustomContentInvalid, ledger.ReasonBuilderUnavailable, ledger.ReasonQueued, ledger.ReasonInputsChanging, ledger.ReasonRequestRefused,
}

// onlyOfPool tells of a hold for a shared object that the look at the object alone does not
// bring up: whether credentials are in the way of a pull depends on the pool's base image.
func (x *examination) onlyOfPool(reason string) bool {
	return reason == ledger.ReasonSecretInvalid && !slices.ContainsFunc(x.findings, func(f Finding) bool { return f.Check == reason })
}

// hold tells what keeps the pool's build from starting. What the controller decides on
// the present objects counts, whether or not it runs; what only the API server knows is
// told by the condition.
func (x *examination) hold(pool *mcfgv1.MachineConfigPool, row *status.Pool) {
	reason, message := row.Reason, row.Message
	if d := x.decision(pool.Name); d != nil && reason != ledger.ReasonBuilderRefused && reason != ledger.ReasonNameTaken {
		reason, message = d.Reason, strings.TrimPrefix(d.Message, poolObject(pool.Name)+" ")
		if d.State != ledger.StateHeld {
			return
		}
	} else if row.State != ledger.StateHeld {
		return
	}
	if slices.Contains(shared, reason) && !x.onlyOfPool(reason) || reason == ledger.ReasonNoRenderedConfig && !x.isSettled(pool) {
		return
	}
	severity := Error
	if reason == ledger.ReasonPoolPaused {
		severity = Warning
	}
	x.find(severity, reason, poolObject(pool.Name), message, x.repairOf(reason, pool.Name, pool.Spec.Configuration.Name))
}

// sharedRecords looks for pools that are copies of others, annotations included.
func (x *examination) sharedRecords() {
	owners := map[string]string{}
	for _, pool := range x.Pools {
		record := recordOf(pool)
		if record == nil || !x.isServed(pool) {
			continue
		}
		other, taken := owners[record.Build]
		owners[record.Build] = pool.Name
		if taken {
			x.find(Error, "RecordShared", poolObject(pool.Name),
				fmt.Sprintf("says of itself that %s is its own, and so does %s; one of them is a copy of the other", x.buildObject(record.Build), poolObject(other)),
				"take the annotations away from the copy:\n"+unannotate(pool.Name, constants.PoolAnnotations()...))
		}
	}
}
