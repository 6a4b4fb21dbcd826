// Package build is the BuildController. For every MachineConfigPool that opted
// in by the label machineconfiguration.openshift.io/layering-enabled, or that a
// MachineOSConfig opts in, it has the
// pool's rendered MachineConfig built into an OS image by a builder backend, and
// publishes the image's pullspec, by digest, on the pool.
//
// Where to start reading: syncMachineConfigPool in sync.go is the whole
// controller in five steps.
//
//	event ─► handlers.go ─► pool name ─► queue ─► observer.go  caches → plan.Snapshot
//	                                              plan/        Snapshot → plan.Plan, pure
//	                                              ledger/      what stands on the pool, written and read back
//	                                              executor.go  effects → API calls, in order
//	                                              reporter.go  conditions and event, one write
//	                                              errors.go    what the queue does next
//
// The controller is level-triggered: what it does depends on what is, never on
// what changed. A handler only says which pool to look at.
//
// What would be decided on given objects, without a cluster or without writing to
// it, is found out by NewPreview, on the same code; the package preview puts that
// into words. Where pools stand is told by the package status, and what is wrong around
// them is found by the package doctor; neither changes anything.
//
// # Who owns what
//
//	object                                   read    written
//	MachineConfigPool annotations            all     desired-os-image, desired-os-image-config, os-image-build,
//	                                                 rebuild-observed
//	MachineConfigPool conditions             all     BuildPending, Building, BuildSuccess, BuildFailed,
//	                                                 BuildInterrupted, ImageBuildDegraded
//	MachineConfig, ControllerConfig          yes     never
//	ConfigMaps machine-os-builder-config,
//	machine-os-builder-custom-containerfile,
//	etc-yum-repos-d                          yes     never
//	Secrets named by the first, with entitled
//	content                                  yes     never
//	Builds and Secrets labelled as ours      yes     created, cancelled, deleted
//	MachineOSConfigs, MachineOSBuilds        see package machineos; only with the feature gate of that name
//
// # Order of effects
//
// For one image the API sees, in this order: GET of the rendered MachineConfig, unless
// the informer brought it moments ago (Config.TakeContent); PATCH of the pool (the
// claim); POST of the inputs' Secret; POST of the Build; PATCH of the pool's status,
// pending and then building; PATCH of the pool's annotations (the image); PATCH of its
// status; DELETE of the Secret; DELETE of the Build before, when there are more than
// are to be kept. Each pool write
// carries the resourceVersion that the decision was made on. A crash between any
// two leaves a state from which the next sync goes on.
//
// # What is only remembered
//
// Everything that a decision depends on is in the cluster, with the exceptions that
// memory.go lists, which a restart may lose.
//
// # Clocks
//
// Instants are of several clocks: ours, which may be set, that of the leader before, the
// API server's and the build system's. No wait is longer than its own length for that.
// These compare instants:
//
//   - what the plan waits for (quiet period and its ceiling, a config's event, retries,
//     deadlines of builds, the rest of an end): plan/clocks.go, by when an instant in the
//     future was seen first;
//   - a build's age, which is at most that of its claim: plan/follow.go;
//   - the cache's lag behind our own writes, and restraint in repeating them: memory.go,
//     and machineos/overlay.go;
//   - promised slots, and for how long a build can have one: slots.go;
//   - how long a failure has lasted before the pool says so: memory.go;
//   - content that was delivered a moment ago: caches/recentcontent.go;
//   - whether a build was born ended: imagebuilder.Observation, within a tolerance.
//
// # What is watched
//
// watched.go has the one table of the objects that decisions depend on: whom a change
// concerns, what a pool at rest depends on, and what of them is read. The handlers, and
// what the informers of package caches keep, are derived from it.
//
// # Words
//
// A sync observes a snapshot, computes a plan, executes its effects and reports.
// The wanted config is what the pool's spec asks for, the recorded one what the
// newest attempt was for. A hold is a reason not to start a build that is due. A
// build of inputs that are not wanted any more is superseded; one that is found
// without being on record is adopted. The phase is the build's, the state ours.
//
// # Lessons
//
// What went wrong for users of earlier systems, by the number it has among the
// project's facts, and the test that it cannot go wrong here.
//
//	L01  a Build that could not be created was not tried again    TestL01CreateFailsOnce
//	L02  a conflict at success lost the digest                    TestL02ConflictAtSuccess
//	L03  a config that changed mid-build ended in an error loop   TestL03ConfigChangesWhileBuilding
//	L04  a phase that was not seen left two conditions True       TestL04FastBuild
//	L05  after a failure nothing was built any more               TestL05H27FailThenFix
//	L06  a deleted pool left its objects behind                   TestL06PoolDeletedMidBuild
//	L07  a deleted Build left the pool building for ever          TestL07BuildDeletedByHand
//	L08  a missing secret was not mentioned, and found late       TestL08PushSecretMissing
//	L09  opting out while the controller was down went unseen     TestL09H09OptOut
//	L11  of many configs the wrong one was built                  TestL11TenConfigsInTenSeconds
//	L12  long pool names were refused as label values             TestL12AnyPoolName
//	L13  a tombstone caused a panic                               TestL13Tombstones
//	L14  the pull secret never reached the Build                  TestL14PullSecretIsAttached
//	H02  several pools at once failed                             TestH02ManyPoolsAtOnce
//	H03  pool writes met those of other controllers               TestH03ConflictOnEachPoolWrite
//	H04  the status was changed in several places                 TestL04H04ExactlyOneConditionIsTrue
//	H05  an object that vanished caused a panic                   TestH05ObjectsVanish
//	H06  a rotated secret was not used; admins' objects were
//	     rewritten                                                TestH06H07RotationBuildsNothing
//	H07  rotated tokens caused roll-outs                          TestH06H07RotationBuildsNothing
//	H08  results were published late                              TestH08ResultIsPublishedAtOnce
//	H09  opting out mid-build left objects behind                 TestL09H09OptOut
//	H10  trouble of a pending build passed for a failure          TestObservation
//	H11  one failure of the network failed the build              TestH11H13H44TransientFailuresAreRetried
//	H13  a drained node failed the build                          TestH11H13H44TransientFailuresAreRetried
//	H14  the retry of an old build ended the newer one            TestH14OldRetryLeavesTheNewerBuild
//	H15  a build that ended while the controller was down was
//	     lost                                                     TestH15BuildEndedWhileDown
//	H16  a config that changed while the controller was down was
//	     missed                                                   TestH16ConfigChangedWhileDown
//	H18  a name was used again too early                          TestH18FreshNamePerAttempt
//	H22  a kill between two calls left a pool without an image    TestH22KilledBetweenDeleteAndCreate
//	H25  success without a digest                                 TestH25NoDigest
//	H26  the degraded flag spoke of the previous build            TestH26DegradedFollowsTheActiveBuild
//	H27  a failed build kept the pool from building               TestL05H27FailThenFix
//	H28  a reference to a build that was gone froze the pool      TestH28DanglingRecord
//	H29  an old object's deletion removed its successor           TestH29RecreatedPool
//	H30  the reason was lost with the pod                         TestH30FailureOutlivesTheBuild
//	H31  unrelated events caused builds                           TestH31UnrelatedUpdates
//	H32  a requested rebuild was lost on restart                  TestH32RebuildIsActedOnOnce
//	H35  unordered output made objects churn                      TestH35ObjectsAreByteIdentical
//	H36  an API that is not installed blocked the start           TestH36BuildAPIAbsent
//	H39  escaping in the template broke builds                    TestH39ContainerfileParses
//	H40  bad settings were ignored without a word                 TestH40BadInputs
//	H41  old build code was kept after an upgrade                 TestH41FingerprintCoversTheTemplate
//	H42  an older image replaced a newer one                      TestH42ImageNeverGoesBack
//	H43  a bad Containerfile was tried four times                 TestObservation
//	H44  a pending retry was called a failure                     TestH11H13H44TransientFailuresAreRetried
//	H46  settings changed mid-build                               TestH46SettingsSwitchedMidBuild
//	H48  tests slept                                              cannot occur: clocks are injected, and the linter
//	                                                              refuses time.Sleep and time.Now
//	R01  a stage's name in another case became an image without
//	     the configs                                              TestR01NamesAreComparedExactly
//	R02  a pull that failed was final, if the builder called it
//	     by another name                                          TestR02SamePullsAhead
//	R03  builders saw other heredocs than we, or than shells      TestR03HeredocsAsAllBuildersSeeThem
//	R04  a refused push was tried again and again                 TestR04RefusalsAreRecognised
//	R05  a failure was judged before its log was written          TestR05TheLogDecides
//	R06  a setting was refused by the API, again and again        TestR06WhatTheAPIRefusesIsInvalid
//	R10  a credential that the builder finds was not found        TestR10TheKeyringAgrees
//	R11  a whole build was spent on a login that is none          TestR11EntriesWithoutALogin
//	R12  a message denied what everybody sees in the Secret       TestR12TheOtherKeysFormat
//	R13  a pullspec was refused for what is right about it        TestR13PullspecsInAnyForm
//	R20  a Secret that was made was not the one waited for        TestR20SettingsAreReadInOneWay
//	R21  what was no UTF-8 was left out without a word            TestR21BinaryDataIsNotIgnored
//	R22  names that mean nothing were ignored without a word      TestR22WhatMeansNothingIsSaid
//	R23  a label that said no opted a pool in                     TestR23AWordThatSaysNoOptsOut
//	R24  numbers of stages counted ours                           TestR24NumbersOfStages
//	R25  what there was not was copied, or our inputs were        TestR25NothingToCopyFrom
//	R26  a Containerfile could not begin with its variables       TestR26WhatComesFirst
//	R27  certificates of a bundle vanished                        TestR27EveryBlockIsACertificate
//	R28  what tools write could not be read as it comes           TestR28AsToolsDeliver
//	R30  what a builder mounts over could not be written          TestR30WhatABuilderMountsOver
//	R31  a volume that appeared kept a pool from building         TestR31VolumesAreNotInTheWay
//	R32  our trust bundle took the place of the config's          TestR32NothingOfOursIsWhereTheConfigWrites
//	R33  anchors of a config were there and not trusted           TestR33WhatAMachineDerivesOnce
//	R34  the node's agent took the image for applied              TestR34NoFileOfAComponentOfTheNode
//	R35  extensions lacked what nodes do for them                 TestR35ExtensionsAreUpstreams
//	R36  the proxy's password went into images unnoticed          TestR36CredentialsInFixedForms
//	R37  what a look could tell came out in the build             TestR37ToldBeforeABuild
//	R38  states of units were shown as files                      TestR38StatesOfUnitsAreNoFiles
//	R39  values that nobody means passed without a word           TestR39LegalAndHardlyMeant
//	R40  refusals were in the log only                            TestR40RefusalsAreOnThePool
//	R41  waits were as long as clocks differ                      TestR41NoWaitIsLongerThanItsLength
//	R42  slots were kept by what nobody ends                      TestR42OnlyWhatIsLookedAfterHasASlot
//	R43  a request was acted on again after GitOps wrote the pool  TestR43StrippingBuildsNothing
//	R44  a build that was being deleted was said to run           TestR44ABuildThatIsBeingDeletedIsNotJustRunning
//	R45  a standby named a leader that it knew of long ago        TestR45AStandbyThatHearsNothingIsNotReady
//	R46  a build of somebody else's was published                 TestR46StrangersAreNotTakenOver
//	R50  commands for people found no cluster where kubectl did   TestR50FoundAsByKubectl
//	R51  a server that never answered was waited for for ever     TestR51SilenceEnds
//	R52  what people know from kubectl did not work here          TestR52Forms
//	R53  a watch called a refusal a silence                       TestR53WatchSaysWhatTheServerSays
package build
