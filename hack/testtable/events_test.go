package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		lines   []string
		want    part
		says    []string
		saysNot []string
	}{
		"passed": {
			reason:  "what went well takes one line",
			lines:   []string{`{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}`, `{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}`, `{"Action":"pass","Package":"p","Elapsed":1.5}`},
			want:    part{tests: 1},
			says:    []string{"pass p 1.5s"},
			saysNot: []string{"chatter", "TestA"},
		},
		"slow": {
			reason: "where the time goes",
			lines:  []string{`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":12.3}`},
			want:   part{tests: 1},
			says:   []string{"TestA 12.3s"},
		},
		"failed": {
			reason: "why is what one looks for; subtests are counted with theirs",
			lines: []string{
				`{"Action":"output","Package":"p","Test":"TestA/x","Output":"not equal\n"}`, `{"Action":"fail","Package":"p","Test":"TestA/x"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`, `{"Action":"fail","Package":"p"}`,
			},
			want: part{tests: 1, failed: 1},
			says: []string{"not equal", "fail p"},
		},
		"not compiled": {
			reason: "no test ran, and that is a failure",
			lines:  []string{`{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}`, `{"Action":"fail","Package":"p"}`},
			want:   part{failed: 1},
			says:   []string{"undefined: x"},
		},
		"skipped": {
			reason: "nobody sees otherwise that it proves nothing here",
			lines:  []string{`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: needs root\n"}`, `{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}`, `{"Action":"skip","Package":"p","Test":"TestA"}`},
			want:   part{tests: 1, skipped: []string{"p TestA: a_test.go:1: needs root"}},
		},
		"without tests": {
			reason:  "a package without tests is no news",
			lines:   []string{`{"Action":"skip","Package":"p"}`},
			saysNot: []string{"p"},
		},
		"simulation": {
			reason: "how many schedules were run is part of the result",
			lines:  []string{`{"Action":"output","Package":"p","Test":"TestSimulation","Output":"    x.go:53: total      105382 schedules, 0 failures, seed 1\n"}`, `{"Action":"pass","Package":"p","Test":"TestSimulation"}`},
			want:   part{tests: 1, note: "105382 schedules, 0 failures, seed 1"},
		},
		"other output": {
			reason: "what is no event is somebody's message",
			lines:  []string{"fuzz: FuzzParse", "{not an event"},
			says:   []string{"fuzz: FuzzParse", "{not an event"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got part
			var out strings.Builder
			got.read(strings.NewReader(strings.Join(test.lines, "\n")), &out)
			require.Equal(t, test.want, got, test.reason)
			for _, text := range test.says {
				require.Contains(t, out.String(), text, test.reason)
			}
			for _, text := range test.saysNot {
				require.NotContains(t, out.String(), text, test.reason)
			}
		})
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	writeTable(&out, []*part{
		{name: "unit", tests: 120, skipped: []string{"p TestA: needs root"}, seconds: 61.4, processorTime: 100.2},
		{name: "simulate", tests: 1, note: "105382 schedules, 0 failures", seconds: 300, processorTime: 590},
		{name: "packages", err: errors.New("exit status 2"), seconds: 1},
	})
	require.Equal(t, `
part            tests  failed  skipped   seconds processor time
unit              120       0        1        61            100
simulate            1       0        0       300            590   105382 schedules, 0 failures
packages            0       0        0         1              0   exit status 2
total             121       0        1       362            690
skipped: p TestA: needs root
`, out.String())
}
