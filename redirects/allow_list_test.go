package redirects_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/redirects"
)

func TestAllows(t *testing.T) {
	t.Parallel()
	list, err := redirects.New("https://app.example.org", []string{
		"https://app.example.org/*", "https://*.preview.dev/**", "http://exact.com", "myapp://callback",
		"https://docs.example.org/a?/{x,y}", "https://cut.example.org/{x", "y}", "http://10.0.0.1/**",
	})
	require.NoError(t, err)
	for target, want := range map[string]bool{
		"https://app.example.org/any/path?x=1": true, // the site itself
		"http://app.example.org/":              false,
		"https://app.example.org:8443/":        false,
		"https://APP.example.org/any/path":     false, // compared as it is written
		"https://foo.preview.dev/a/b":          true,
		"https://a.b.preview.dev/x":            false, // '*' stops at '.'
		"http://exact.com":                     true,
		"http://exact.com/":                    false,
		"http://exact.com#fragment":            true, // the fragment is not compared
		"myapp://callback":                     true,
		"myapp://callback?x=1":                 false,
		"https://docs.example.org/ab/x":        true,
		"https://docs.example.org/ab/z":        false,
		"https://cut.example.org/x":            true, // braces cut by the list's comma
		"https://cut.example.org/y":            false,
		"http://127.0.0.1:9/x":                 true, // loopback
		"http://[::1]/x":                       true,
		"http://10.0.0.1/x":                    false, // an address, though listed
		"http://2130706433/":                   false, // 127.0.0.1 as a number
		"https://exa mple.com/":                false,
		"javascript:alert(1)":                  false,
		"https://evil.test\\.preview.dev/":     false,
		"":                                     false,
	} {
		require.Equal(t, want, list.Allows(target), target)
	}
}

func TestFirstFallsBackToTheSite(t *testing.T) {
	t.Parallel()
	list, err := redirects.New("https://app.example.org", nil)
	require.NoError(t, err)
	require.Equal(t, "https://app.example.org", list.First("https://evil.test", ""))
	require.Equal(t, "https://app.example.org/in", list.First("https://evil.test", "https://app.example.org/in"))
}

func TestNewRefusesBrokenGlobs(t *testing.T) {
	t.Parallel()
	_, err := redirects.New("https://app.example.org", []string{"https://[a"})
	require.Error(t, err)
}

// What GoTrue was seen to make of these targets, which its /authorize kept.
func TestRecordedTargets(t *testing.T) {
	t.Parallel()
	const site = "https://app.contract.test"
	list, err := redirects.New(site, []string{
		"https://app.contract.test/**", "https://*.preview.contract.test", "http://localhost:3000/callback", "contractapp://**",
		"https://docs.contract.test/a?/{x", "y}",
	})
	require.NoError(t, err)
	for _, target := range []string{
		"https://app.contract.test/a/b?x=1", "https://x.preview.contract.test", "http://localhost:3000/callback",
		"contractapp://login", "contractapp://login/deep/x", site,
	} {
		require.Equal(t, target, list.First(target))
	}
	for _, target := range []string{
		"https://x.y.preview.contract.test", "https://x.preview.contract.test/path", "http://localhost:3000/callback/x",
		"http://app.contract.test/", "https://app.contract.test:8443/", "https://APP.contract.test/x",
		"https://app.contract.test.evil.test/",
	} {
		require.Equal(t, site, list.First(target), target)
	}
}
