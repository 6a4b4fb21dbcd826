package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// Reasons of notices, and of the events that tell of them.
const (
	// NoticeUnknownKey means: something has a name that means nothing.
	NoticeUnknownKey = "UnknownKey"
	// NoticeUnderstoodAsNo means: a value says no in other words than false.
	NoticeUnderstoodAsNo = "UnderstoodAsNo"
	// NoticeLabelAlone means: the cluster's operator expects a MachineOSConfig where the
	// label is.
	NoticeLabelAlone = "LabelWithoutMachineOSConfig"
)

// NoticeReasons are the reasons of notices.
var NoticeReasons = []string{NoticeUnknownKey, NoticeUnderstoodAsNo, NoticeLabelAlone}

// Notice is something that a person wrote on an object, and that is understood in another
// way than it may have been meant. It holds up nothing.
type Notice struct {
	Reason string
	// Object is what it is written on, and Problem continues a sentence about that.
	Object  string
	Problem string
}

// Message is the whole sentence.
func (n *Notice) Message() string { return n.Object + " " + n.Problem }

// Notices are those about the labels and annotations of a pool.
func Notices(pool *mcfgv1.MachineConfigPool) []Notice {
	var notices []Notice
	notice := func(reason, format string, args ...any) {
		notices = append(notices, Notice{reason, "MachineConfigPool " + pool.Name, fmt.Sprintf(format, args...)})
	}
	for _, key := range slices.Sorted(maps.Keys(pool.Labels)) {
		if why := whyIgnored(key, isLabel); why != "" {
			notice(NoticeUnknownKey, "has the label %.300s, which means nothing; %s", key, why)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(pool.Annotations)) {
		if why := whyIgnored(key, isAnnotation); why != "" {
			notice(NoticeUnknownKey, "has the annotation %.300s, which means nothing; %s", key, why)
		}
	}
	if value, ok := pool.Annotations[constants.RebuildRequestedAnnotation]; ok && value == "" && pool.Annotations[constants.RebuildObservedAnnotation] == "" {
		notice(NoticeUnknownKey, "has the annotation %s without a value, which requests nothing; give it any value that it did not have before, such as the time", constants.RebuildRequestedAnnotation)
	}
	if value, ok := pool.Labels[ctrlcommon.LayeringEnabledPoolLabel]; ok && isNo(value) && !constants.IsPlainNo(value) {
		notice(NoticeUnderstoodAsNo, "has the label %s with the value %q, which is understood as false: the pool has not opted in, and nothing is built for it; write false, or leave the value empty to opt in",
			ctrlcommon.LayeringEnabledPoolLabel, value)
	}
	if value := pool.Annotations[constants.RebuildRequestedAnnotation]; value != "" && requestOf(value) == "" {
		notice(NoticeUnderstoodAsNo, "has the annotation %s with the value %.100q, which is understood as a no, and requests nothing; give it any other value that it did not have before, such as the time",
			constants.RebuildRequestedAnnotation, value)
	}
	if isLabelAlone(pool) {
		notice(NoticeLabelAlone, "has the label %s, and no MachineOSConfig refers to it: on this cluster the operator is Degraded for that (MachineOSBuilderFailed), whatever the value is, and "+
			"nodes do not get the image; create a MachineOSConfig for the pool, and take the label away", ctrlcommon.LayeringEnabledPoolLabel)
	}
	return notices
}

// isLabelAlone tells of a pool with the label what the node controller says: that no
// MachineOSConfig refers to it, on a cluster that has these.
func isLabelAlone(pool *mcfgv1.MachineConfigPool) bool {
	_, labelled := pool.Labels[ctrlcommon.LayeringEnabledPoolLabel]
	c := degradedOfOthers(pool.Status.Conditions)
	return labelled && c != nil && c.Reason == degradedNoLayeredObjects
}

const (
	isLabel      = "label"
	isAnnotation = "annotation"
)

// peopleWrite are the names of ours that people write on pools, and what they are there.
var peopleWrite = map[string]string{
	ctrlcommon.LayeringEnabledPoolLabel:  isLabel,
	constants.RebuildRequestedAnnotation: isAnnotation,
}

var (
	// prefix is that of the names, and words are what follows it.
	prefix, _, _ = strings.Cut(ctrlcommon.LayeringEnabledPoolLabel, "/")
	words        = func() (words []string) {
		for name := range peopleWrite {
			words = append(words, strings.TrimPrefix(name, prefix+"/"))
		}
		slices.Sort(words)
		return words
	}()
	// otherWords are what people may know from the operator's own objects and their names.
	otherWords = map[string]string{"rebuild": constants.RebuildRequestedAnnotation, "layering": ctrlcommon.LayeringEnabledPoolLabel}
)

// whyIgnored says of a label or annotation that looks like ours why it means nothing;
// empty for one that does, and for those of others.
func whyIgnored(key, kind string) string {
	switch is := peopleWrite[key]; {
	case is == kind, kind == isAnnotation && slices.Contains(ourAnnotations, key):
		return ""
	case is == isLabel:
		return "it counts as a label"
	case is == isAnnotation:
		return "it counts as an annotation"
	}
	before, word, found := strings.Cut(key, "/")
	if !found {
		before, word = "", key
	}
	name := ""
	if before == "" || strings.HasSuffix(before, "openshift.io") || constants.Meant(before, []string{prefix}) != "" {
		name = meantBy(word, before == prefix)
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("is the %s %s meant?", peopleWrite[name], name)
}

// meantBy guesses which of our names a word is meant to be.
func meantBy(word string, ours bool) string {
	switch meant := constants.Meant(word, words); {
	case ours && otherWords[word] != "":
		return otherWords[word]
	case meant != "":
		return prefix + "/" + meant
	case !ours && slices.Contains(words, word):
		return prefix + "/" + word
	}
	return ""
}
