package machineos

import (
	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/openshift/machine-config-operator/pkg/controller/build/ledger"
)

// What was written a moment ago may not be in the cache. A sync that went by the cache alone
// would write it once more, and meet a conflict.

// newest is the newer one of the cached object, nil for none, and what was written of that
// name; nil if there is none any more. The lock is held.
func (l *Ledger) newest(name string, cached *mcfgv1.MachineOSBuild) *mcfgv1.MachineOSBuild {
	if cached == nil || l.deleted[name] != string(cached.UID) {
		delete(l.deleted, name)
	} else {
		cached = nil
	}
	written := l.written[name]
	if written == nil {
		return cached
	}
	// What the informer has got up to, it would have if it were there.
	order, err := resourceversion.CompareResourceVersion(l.builds.LastSyncResourceVersion(), written.ResourceVersion)
	if err == nil && order < 0 {
		return written
	}
	delete(l.written, name)
	return cached
}

// current is the newer one of the cached MachineOSConfig and what was written there.
func (l *Ledger) current(cached *mcfgv1.MachineOSConfig) *mcfgv1.MachineOSConfig {
	l.mu.Lock()
	defer l.mu.Unlock()
	written := l.patched[cached.Name]
	if written == nil {
		return cached
	}
	order, err := resourceversion.CompareResourceVersion(cached.ResourceVersion, written.ResourceVersion)
	if err == nil && order < 0 && written.UID == cached.UID {
		return written
	}
	delete(l.patched, cached.Name)
	return cached
}

// restraints are about the status of an object; about the annotation that tells which
// MachineOSBuild counts: the node controller takes it away from a MachineOSConfig when the
// pool wants another config, of which the pool's cache may not know yet; and about creating
// MachineOSBuilds of a MachineOSConfig, which are collected as garbage if that is gone.
type restraints struct{ status, current, created ledger.Restraint }

// restraintsOf are those of the object.
func (l *Ledger) restraintsOf(object metav1.Object) *restraints {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.restraints[object.GetUID()]
	if of == nil {
		of = &restraints{}
		l.restraints[object.GetUID()] = of
	}
	return of
}

// wrote remembers what a write led to.
func (l *Ledger) wrote(build *mcfgv1.MachineOSBuild) *mcfgv1.MachineOSBuild {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written[build.Name] = build
	return build
}

// removed remembers that the object is gone.
func (l *Ledger) removed(build *mcfgv1.MachineOSBuild) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.written, build.Name)
	l.deleted[build.Name] = string(build.UID)
}
