package build

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	mcfglistersv1 "github.com/openshift/client-go/machineconfiguration/listers/machineconfiguration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelistersv1 "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/openshift/machine-config-operator/pkg/controller/build/constants"
	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
	ctrlcommon "github.com/openshift/machine-config-operator/pkg/controller/common"
)

// announcer tells of what people wrote and nobody reads, where whoever wrote it looks: in
// an event on the object. It holds up nothing. What was told is remembered, so that it is
// told once for each version of an object.
type announcer struct {
	mcpLister mcfglistersv1.MachineConfigPoolLister
	cmLister  corelistersv1.ConfigMapLister
	memory    *memory
	recorder  record.EventRecorder
}

// ofPool tells of labels and annotations of the pool.
func (a *announcer) ofPool(pool *mcfgv1.MachineConfigPool) {
	notices := ledger.Notices(pool)
	text := ""
	for _, notice := range notices {
		text += notice.Message() + "\n"
	}
	if !a.memory.isNewOfPool(pool.Name, text) {
		return
	}
	for _, notice := range notices {
		a.recorder.Event(eventTarget(pool), corev1.EventTypeWarning, notice.Reason, notice.Message())
	}
}

// ofShared tells of keys of the objects that pools share.
func (a *announcer) ofShared() {
	for _, shared := range []struct {
		name    string
		ignored func(*corev1.ConfigMap) *inputs.Problem
	}{
		{constants.ConfigMapName, inputs.IgnoredSettings},
		{inputs.CustomConfigMapName, a.ignoredCustom},
		{inputs.RepositoriesConfigName, inputs.IgnoredRepositories},
	} {
		// Of one that does not exist, or that cannot be looked up, there is nothing to tell.
		configMap, err := a.cmLister.ConfigMaps(ctrlcommon.MCONamespace).Get(shared.name)
		if err != nil {
			continue
		}
		version := string(configMap.UID) + " " + configMap.ResourceVersion
		if !a.memory.isUnexamined(shared.name, version) {
			continue
		}
		problem := shared.ignored(configMap)
		text := ""
		if problem != nil {
			text = version + " " + problem.Text
		}
		if a.memory.isNewOf(shared.name, text) {
			target := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: ctrlcommon.MCONamespace, Name: configMap.Name, UID: configMap.UID}
			a.recorder.Event(target, corev1.EventTypeWarning, ledger.NoticeUnknownKey, problem.String())
		}
	}
}

func (a *announcer) ignoredCustom(configMap *corev1.ConfigMap) *inputs.Problem {
	pools, err := a.mcpLister.List(labels.Everything())
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(pools))
	for _, pool := range pools {
		names = append(names, pool.Name)
	}
	return inputs.IgnoredCustom(configMap, names)
}

// isUnexamined tells whether the object that pools share has not been looked through at
// that version, and takes it for looked through.
func (m *memory) isUnexamined(object, version string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.examined[object] == version {
		return false
	}
	m.examined[object] = version
	return true
}

// isNewOf tells whether the text, empty for nothing, has not been announced of the object
// that pools share, and takes it for announced.
func (m *memory) isNewOf(object, text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.announced[object] == text {
		return false
	}
	m.announced[object] = text
	return text != ""
}

// isNewOfPool is isNewOf for what is written on the pool itself.
func (m *memory) isNewOfPool(pool, text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.ignored == text {
		return false
	}
	r.ignored = text
	return text != ""
}

// isUnreported tells whether the text has not been announced since the pool was last
// reported on, and takes it for announced.
func (m *memory) isUnreported(pool, text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(pool)
	if r.unreported == text {
		return false
	}
	r.unreported = text
	return true
}
