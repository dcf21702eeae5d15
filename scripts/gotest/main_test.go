package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		events, want string
	}{
		"output of failed tests only": {
			`{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}
			{"Action":"pass","Package":"p","Test":"TestA"}
			{"Action":"output","Package":"p","Test":"TestB","Output":"loud\n"}
			{"Action":"fail","Package":"p","Test":"TestB"}
			{"Action":"skip","Package":"p","Test":"TestC"}
			{"Action":"output","Package":"p","Output":"FAIL\n"}
			{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
			{"Action":"fail","Package":"p"}`,
			"loud\nFAIL\tp\t0.1s\n1 passed, 1 failed, 1 skipped\n",
		},
		"a panic shows what the test said": {
			`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: no\n"}
			{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
			{"Action":"fail","Package":"p"}`,
			"FAIL\tp\t0.1s\npanic: no\n0 passed, 1 failed, 0 skipped\n",
		},
		"a package that does not compile": {
			`{"ImportPath":"p [p.test]","Action":"build-output","Output":"p.go:1: no\n"}
			{"ImportPath":"p [p.test]","Action":"build-fail"}
			{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
			{"Action":"fail","Package":"p"}`,
			"p.go:1: no\nFAIL\tp [build failed]\n0 passed, 1 failed, 0 skipped\n",
		},
		"packages without tests": {
			`{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
			{"Action":"skip","Package":"p"}`,
			"0 passed, 0 failed, 0 skipped\n",
		},
		"what is no event": {"oops", "oops0 passed, 0 failed, 0 skipped\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			s := newSummary(&out)
			require.NoError(t, s.read(strings.NewReader(tc.events)))
			s.print()
			require.Equal(t, tc.want, out.String())
		})
	}
}
