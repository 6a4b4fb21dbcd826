// Package machineos is for clusters that serve MachineOSConfigs and MachineOSBuilds: which
// of the former opt a pool in, and how both tell what became of it. What they say is made
// by package ledger, from what is reported of the pool and from the record on it; this
// package finds the objects, compares, and writes what differs, in this order:
//
//	the record is on the pool
//	  ─► MachineOSBuild (Prepare)             replaced by a new one if its last word is another
//	  ─► MachineOSConfig, annotation          which MachineOSBuild counts
//	  ─► pool, ImageBuildDegraded             the controller's own report
//	  ─► the build and its inputs are removed
//	  ─► MachineOSConfig, status (Conclude)   the image, which starts the roll-out
//
// So whoever goes by these objects either waits or has the right image, also after a crash
// between any two writes.
//
// # Fields
//
//	MachineOSConfig                          written by  when                        read by
//	spec                                     people                                  this controller
//	annotation rebuild                       people; taken away here, at once        this controller
//	annotation rebuild-requested             here        in that same write          this controller
//	annotation pre-built-image               installer,  once it has been told       this controller, operator
//	                                         people;
//	                                         taken away
//	                                         here
//	annotation current-machine-os-build      here; taken away by the node            node controller
//	                                         controller when another config is
//	                                         rendered
//	status.conditions Ready, Progressing,    here        when they change            people
//	  Degraded
//	status.conditions Seeded                 here        it began with that image    operator
//	status.observedGeneration                here        with the conditions         people
//	status.currentImagePullSpec              here        last, see above             node controller, server
//	status.machineOSBuild                    here        with it                     people
//
//	MachineOSBuild                           written by  when                        read by
//	labels, annotation, owner, spec          here        created                     node controller (pool),
//	                                                                                 collector of garbage
//	label pre-built-image=true               here        created                     the operator's own builder,
//	                                                                                 which leaves it alone then
//	status.conditions, five, one True        here        when they change            node controller, server, people
//	status.builder                           here        an attempt exists           people
//	status.buildStart, buildEnd              here        begin, last word            people
//	status.digestedImagePushSpec             here        last word                   node controller
//	status.relatedObjects                    nobody
//
// Metrics tell of both kinds, under the names of the operator's own builder.
//
// A MachineOSBuild that is deleted leaves its image in the registry.
//
// # The API may be absent
//
// While it is not served, the informers go on asking, less and less often, and there are no
// objects; nor are there any before both kinds have been listed. When it is taken away, its
// objects are deleted first, so their pools opt out as by any deletion.
package machineos
