package inputs

import "testing"

// TestR37MountsAreOfWhatBuildersKnow: what a builder refuses, it refuses when the step's turn
// comes, which is after the packages of the others were installed.
func TestR37MountsAreOfWhatBuildersKnow(t *testing.T) {
	run := func(mount string) string {
		return "FROM quay.io/a/b:1 AS one\nFROM configs\nRUN --mount=" + mount + " true\n"
	}
	refused := func(reason, mount, fails string) customCase {
		return customCase{reason: reason, text: run(mount), fails: "line 3: RUN --mount=type=" + fails}
	}
	accepted := func(reason, mount string) customCase {
		return customCase{reason: reason, text: run(mount), want: "RUN --mount=" + mount + " true\n"}
	}
	testCustom(t, map[string]customCase{
		"a cache, all of it":     accepted("what builders document", "type=cache,id=dnf,target=/var/cache/dnf,sharing=locked,mode=0755,uid=0,gid=0,readonly"),
		"a tmpfs, all of it":     accepted("what builders document", "type=tmpfs,dst=/x,tmpfs-size=10m,tmpfs-mode=1777,nosuid"),
		"a bind, all of it":      accepted("what builders document", "type=bind,from=one,source=/a,destination=/a,rw,bind-propagation=rprivate"),
		"a secret":               accepted("there is none, and the step may do without", "type=secret,id=a,target=/run/a,mode=0400"),
		"a secret, not needed":   accepted("the step says that it can do without", "type=secret,id=a,required=false"),
		"an agent":               accepted("there is none, and the step may do without", "type=ssh,id=default"),
		"a value by variable":    accepted("what it is, a newer builder knows", "type=cache,target=/c,mode=$MODE"),
		"tmpfs, size":            refused("Docker's name of it", "type=tmpfs,target=/x,size=10m", `tmpfs has the option size, which not all builders know; they know tmpfs-size, `),
		"cache, unknown":         refused("a slip", "type=cache,taget=/c", "cache has the option taget, which not all builders know"),
		"cache, private":         refused("Docker's alone", "type=cache,target=/c,sharing=private", "cache has another value of sharing than builders know; they know shared, locked"),
		"cache, mode":            refused("it is octal", "type=cache,target=/c,mode=u+x", "cache has a value of mode that is no octal number"),
		"cache, user":            refused("names are not known there", "type=cache,target=/c,uid=core", "cache has a value of uid that is no number"),
		"cache, no target":       refused("nobody knows where to", "type=cache,id=dnf", "cache needs a target"),
		"tmpfs, no target":       refused("nobody knows where to", "type=tmpfs", "tmpfs needs a target"),
		"bind, no target":        refused("nobody knows where to", "from=one,source=/a", "bind needs a target"),
		"a target of nothing":    refused("likewise", "type=cache,target=", "cache has the option target without a value"),
		"read-only, a value":     refused("newer builders take none", "type=cache,target=/c,ro=true", "cache has a value behind the option ro, which newer builders refuse; leave it away"),
		"an option, no value":    refused("it says nothing", "type=cache,target=/c,id", "cache has the option id without a value"),
		"cache of an image":      refused("builders look for a stage", "type=cache,from=quay.io/a/b:1,target=/c", "cache refers to an image, and a cache can only begin with files of a stage; begin a stage with FROM that image AS a name"),
		"a secret, needed":       refused("builds are given none", "type=secret,id=a,required=true", "secret needs a secret, and builds are given none"),
		"a secret, needed, bare": refused("some builders end with a stack trace", "type=secret,id=a,required", "secret has the option required without a value"),
		"a secret, odd":          refused("true or false", "type=secret,id=a,required=yes", "secret has a value of required that is neither true nor false"),
		"a secret of no name":    refused("builders refuse it", "type=secret,target=/run/a", "secret needs an id"),
		"a secret, variable":     refused("only newer builders make one", "type=secret,id=a,env=TOKEN", "secret has the option env, which not all builders know"),
		"an agent, needed":       refused("builds are given none", "type=ssh,required=true", "ssh needs an agent, and builds are given none"),
		"cache, writable":        refused("it is, and older builders refuse the word", "type=cache,target=/c,rw", "cache has the option rw, which not all builders know"),
		"bind, label":            refused("only newer builders know it", "type=bind,from=one,target=/a,relabel=shared", "bind has the option relabel, which not all builders know"),
		"propagation":            refused("a slip", "type=bind,from=one,target=/a,bind-propagation=full", "bind has another value of bind-propagation than builders know"),
	})
}
