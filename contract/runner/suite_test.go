package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// ours loads the project's own scenarios.
func ours(t *testing.T) *suite {
	t.Helper()
	_, err := loadProfiles("")
	require.NoError(t, err)
	s, err := loadSuite([]string{"../scenarios"})
	require.NoError(t, err)
	return s
}

// Every scenario has an expectation, every expectation a scenario, and every
// profile exists.
func TestSuiteIsComplete(t *testing.T) { //nolint:paralleltest // loading sets the built-in macros
	s := ours(t)
	profiles, err := loadProfiles("")
	require.NoError(t, err)
	owner := map[string]*File{}
	for _, f := range s.files {
		require.Nil(t, owner[f.Area], "area %s has two files", f.Area)
		owner[f.Area] = f
		names := map[string]bool{}
		for _, sc := range f.Scenarios {
			names[sc.Name] = true
			require.NotEmpty(t, s.expected[f][sc.Name], "%s has no expectation", sc.id())
			_, _, err := profiles.resolve(sc.Profile)
			require.NoError(t, err, sc.id())
		}
		for name := range s.expected[f] {
			require.True(t, names[name], "%s expects %q, which is no scenario", f.expectedPath(), name)
		}
	}
	list, err := loadPending("../pending.yaml")
	require.NoError(t, err)
	require.NoError(t, list.check(s.areas()))
}

func TestPendingCheck(t *testing.T) {
	t.Parallel()
	areas := map[string][]string{"login": {"a", "b"}, "user": {"c"}}
	for _, tc := range []struct {
		entries []string
		ok      bool
	}{
		{[]string{"login/a", "user"}, true},
		{nil, true},
		{[]string{"login/c"}, false},
		{[]string{"logn"}, false},
		{[]string{"login/a", "login/a"}, false},
		{[]string{"login", "login/a"}, false},
	} {
		err := (&pendingList{entries: tc.entries}).check(areas)
		require.Equal(t, tc.ok, err == nil, "%v: %v", tc.entries, err)
	}
}

func TestPendingRemove(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pending.yaml")
	require.NoError(t, os.WriteFile(path, []byte("# why\n# so\n- login\n- user/c\n- user/d\n- mfa\n- otp/x\n"), 0o600))
	list, err := loadPending(path)
	require.NoError(t, err)
	results := []*result{
		{Area: "login", Name: "a", Pass: true}, {Area: "login", Name: "b"},
		{Area: "user", Name: "c", Pass: true}, {Area: "user", Name: "d"},
		{Area: "mfa", Name: "e"},
	}
	require.NoError(t, list.remove(results))
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "# why\n# so\n- login/b\n- user/d\n- mfa\n- otp/x\n", string(raw))

	require.NoError(t, (&pendingList{path: path}).save())
	empty, err := loadPending(path)
	require.NoError(t, err)
	require.Empty(t, empty.entries)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	list := &pendingList{path: "pending.yaml", entries: []string{"user", "login/b"}}
	for name, tc := range map[string]struct {
		results []*result
		status  int
	}{
		"pass and pending":       {[]*result{{Area: "login", Name: "a", Pass: true}, {Area: "login", Name: "b"}, {Area: "user", Name: "c"}}, 0},
		"a required one fails":   {[]*result{{Area: "login", Name: "a"}}, 1},
		"a pending one passes":   {[]*result{{Area: "user", Name: "c", Pass: true}}, 1},
		"nothing was run at all": {nil, 1},
	} {
		status, err := judge(flags{}, list, tc.results, 0)
		require.NoError(t, err)
		require.Equal(t, tc.status, status, name)
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	known := anchors("# Differences\n\n## PKCE: `plain` is refused\ntext\n```sh\n# no heading\n```\n### OAuth 2.1 / OIDC ###\n<a id=\"x-1\"></a>\n")
	require.Equal(t, map[string]bool{"differences": true, "pkce-plain-is-refused": true, "oauth-21--oidc": true, "x-1": true}, known)
}

func TestCheckDifferences(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "differences.md")
	require.NoError(t, os.WriteFile(document, []byte("## PKCE is required\n"), 0o600))
	with := func(name any) *suite {
		step := &Step{Title: "GET /", Opt: map[string]any{"difference": name}}
		return &suite{files: []*File{{Scenarios: []*Scenario{{Name: "n", area: "a", steps: []*Step{{}, step}}}}}}
	}
	require.NoError(t, with("pkce-is-required").checkDifferences(document))
	require.ErrorContains(t, with("unknown").checkDifferences(document), `a/n (GET /): `)
	require.Error(t, with("").checkDifferences(document))
	require.Error(t, with("pkce-is-required").checkDifferences(document+".not"))
}
