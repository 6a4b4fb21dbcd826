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
// What somebody else puts in the place of what was written a moment ago is left for a while,
// the longer the more often it was. That the cluster refuses a request is told as Degraded,
// beside whatever else is True. A pool that is opted out, or in anew, is compared with the
// cluster itself before anything is removed or made: caches may be behind.
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
//	annotation os-image-build                here        created, or claimed after,  this controller, when the
//	                                                     or somebody ended it        pool has lost its record
//	annotation job-uid                       nobody, see below
//	label pre-built-image=true               here        created                     the operator's own builder,
//	                                                                                 which leaves it alone then
//	status.conditions, five, one True        here        when they change            node controller, server, people
//	status.builder                           here        an attempt exists           people
//	status.buildStart, buildEnd              here        begin, last word            people
//	status.digestedImagePushSpec             here        last word                   node controller
//	status.relatedObjects                    nobody
//
// The operator's own builder tells the UID of the Job in the annotation job-uid; status.builder
// has its name, which is used once. One MachineOSBuild may see several attempts, and where it
// takes the place of another it is there before its Job is, so that nobody waits for what was
// removed. Only where it is the first of its kind could the UID be in the request that creates
// it; a write of the status carries no annotation, so for every other attempt the API server
// would be asked once more, or tell a Job that is gone.
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
//
// # The API may be refused
//
// Neither does a role that lacks a kind hold up the start. While MachineOSConfigs may not be
// listed, a pool is served by its label, as with the feature gate off, unless the record on it
// names a MachineOSBuild: that one waits, as what the MachineOSConfig says is not known, and its
// label would have another image built. While MachineOSBuilds alone may not be, MachineOSConfigs
// tell whose a pool is, and theirs wait. Of a pool that has no image yet and no label nobody
// knows. An event on each pool that waits, the log and doctor tell of it.
//
// # Lessons
//
// What went wrong with the operator's own builder, by the place that it has among the project's
// facts, and the test that it cannot go wrong here. The others are about nodes, about the
// deployment of that builder, or about deleting images, which this one does not.
//
//	M02  bad settings were found out late                         TestMachineOSUnbuildable
//	M03  a rotated Secret was not used by the next build          TestH06H07RotationBuildsNothing
//	M04  a reference to a pool that is gone caused a panic        TestMachineOSPoolMissing
//	M05  nodes could not pull what was pushed                     TestMachineOSNodesHaveToPull
//	M06  config and image came one after the other                TestMachineOSRollout
//	M08  a missing definition kept the controller from starting   TestMachineOSAPIComesAndGoes
//	M09  the image came late to who waits for it                  TestMachineOSHappyCycle
//	M11  kernel arguments were no change                          TestImageChangesBuild
//	M12  deletion in mid-build left objects                       TestMachineOSOptOut
//	M13  a pod that waits passed for a failure                    TestEveryWait
//	M14  what was derived from a list had no order                TestH35ObjectsAreByteIdentical
//	M16  the pod had neither priority nor a constraint            TestPodSecurity
//	M17  a build of an old config ended that of the new one       TestH14OldRetryLeavesTheNewerBuild
//	M19  one kind was served without the other                    TestTheAPIComesKindByKind
//	M20  a pool that was being built for was told to be done      TestMachineOSHappyCycle
//	M21  a Job that ended unseen was never looked at              TestE15ControllerComesBack
//	M22  objects had no owner                                     TestMachineOSOptOut
//	M23  a rebuild took the old Job for its own                   TestMachineOSRebuild
//	M26  a new config went out with the old image                 TestMachineOSRollout
//	M27  an image was reused that was gone                        TestImageChangesAskTheRegistry
//	M28  builds did not use the mirrors of the nodes              TestScriptPreparesTheBuild
//	M29  extensions lacked their directories                      TestR35ExtensionsAreUpstreams
//	M30  a build that was stopped was not Interrupted             TestMachineOSInterrupted
//	M32  objects outlived the builder that made them              TestMachineOSOptOut
//	M33  a restart made other objects                             TestMachineOSCrashes
//	M34  Secrets in other forms were not read                     TestR12TheOtherKeysFormat
//	M35  a config without a build had no MachineOSBuild           TestImageChangesNeedNoBuildForFiles
//	M36  a success without a digest was one                       TestH25NoDigest
//	M38  of two MachineOSConfigs the first one counted            TestMachineOSHolds
//	M39  escaping lost the extensions                             TestH39ContainerfileParses
//	M42  denied passed for gone                                   TestDigest
//	M43  an edit was not rolled out, as two matched               TestMachineOSSpecChanges
//	M44  the pool was degraded for an older build                 TestH26DegradedFollowsTheActiveBuild
//	M46  a name that was stale, or gone, held the pool up         TestMachineOSRollout
//	M47  the successor's objects were deleted                     TestMachineOSOptOut
//	M48  a failure had no text                                    TestEveryEnd
//	M49  an image that went had an old config built               TestImageChangesAskTheRegistry
//	M50  a request for a rebuild was lost on restart              TestE15ControllerComesBack
//
// # What others rely on
//
// The end-to-end tests that ship with the operator, by the numbers that they have among the
// project's facts, are scenarios of TestShippedScenarios, as far as they are about these
// objects; E15 is TestE15ControllerComesBack, E33 is TestE33FivePoolsAtOnce, and E56 is
// TestReferences. Those about the registry (E03, E21 to E23, E47) are TestImageChangesAskTheRegistry
// and TestDigest, those about new nodes (E20, E35) are TestDecide. Knowingly refused are:
//
//	E10  that one Job which failed is the end                     attempts are ours: the MachineOSBuild is Building
//	                                                              until they are used up
//	E12  that a pod which is killed has a successor in its Job    likewise; the image comes from the next attempt
//	E25  that the log of the operator's own builder tells of its  the lease is held here, so that there is one
//	     lease                                                    builder
package machineos
