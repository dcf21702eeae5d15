package mailer

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/truegrant/truegrant/conf"
)

func TestValidateByLists(t *testing.T) {
	t.Parallel()
	refused := []string{
		"", "ada", "ada@", "@user.net", "Ada <ada@user.net>", "<ada@user.net>", " ada@user.net", "ada@user.net, bob@user.net",
		"ada@user.net (Ada)",
		"test@gmail.com", "Example@Gmail.com", "someone@gmail.com", "test@email.com", "abcde@gmail.com",
		"ada@test", "ada@example", "ada@invalid", "ada@local", "ada@localhost", "ada@contest",
		"ada@test.com", "ada@example.com", "ada@EXAMPLE.net", "ada@example.org",
		"ada@gamil.com", "ada@gamai.com", "ada@anonymous.com", "ada@email.com",
		"ada@a.test", "ada@a.example", "ada@a.invalid", "ada@a.local", "ada@a.localhost",
	}
	accepted := []string{
		"abcdef@gmail.com", "ada@gmx.de", "ada@Yahoo.com", "ada@hotmail.com", "ada@aol.com", "ada@outlook.com", "ada@icloud.com",
		"ada@mytest.com",
	}
	resolver, dns := newResolver(t, map[string]zone{"mytest.com": {mx: []string{"mx.mytest.com."}}})
	v := NewValidator(conf.Mailer{EmailValidationExtended: true}, resolver, nil)
	for _, address := range refused {
		require.Equal(t, ErrInvalidAddress, v.Validate(t.Context(), address), address)
	}
	require.Empty(t, dns.questions())
	for _, address := range accepted {
		require.NoError(t, v.Validate(t.Context(), address), address)
	}
	require.Equal(t, []string{"MX mytest.com."}, dns.questions(), "large providers are not asked about")

	off := NewValidator(conf.Mailer{}, resolver, nil)
	for _, address := range refused {
		require.NoError(t, off.Validate(t.Context(), address), address)
	}
}

func TestValidateByDNS(t *testing.T) {
	t.Parallel()
	resolver, _ := newResolver(t, map[string]zone{
		"mx.net":         {mx: []string{"in1.mx.net.", "in2.mx.net."}},
		"a.net":          {a: [][4]byte{{192, 0, 2, 1}}},
		"none.net":       {},
		"unknown.net":    {code: dnsmessage.RCodeNameError},
		"broken.net":     {code: dnsmessage.RCodeServerFailure},
		"silent.net":     {silence: true},
		"null.net":       {mx: []string{"."}},
		"blocked.net":    {mx: []string{"in.fine.net.", "IN.Blocked.NET."}},
		"blockedip.net":  {a: [][4]byte{{192, 0, 2, 66}}},
		"blockedself.eu": {a: [][4]byte{{192, 0, 2, 2}}},
	})
	tests := []struct {
		host string
		want error
	}{
		{"mx.net", nil},
		{"MX.net", nil},
		{"a.net", nil},
		{"none.net", ErrInvalidAddress},
		{"unknown.net", ErrInvalidAddress},
		{"broken.net", nil},
		{"silent.net", nil},
		{"null.net", ErrInvalidAddress},
		{"blocked.net", ErrBlockedMX},
		{"blockedip.net", ErrBlockedMX},
		{"blockedself.eu", ErrBlockedMX},
	}
	for _, test := range tests {
		t.Run(test.host, func(t *testing.T) {
			t.Parallel()
			v := NewValidator(conf.Mailer{
				EmailValidationExtended:  true,
				EmailValidationBlockedMX: []string{"in.blocked.net", "192.0.2.66", " BlockedSelf.eu."},
			}, resolver, nil)
			if test.host == "silent.net" {
				v.timeout = 50 * time.Millisecond
			}
			require.Equal(t, test.want, v.Validate(t.Context(), "ada@"+test.host))
		})
	}
}

func TestValidateByService(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"valid", says(200, `{"valid":true}`), nil},
		{"not valid", says(200, `{"valid":false}`), ErrInvalidAddress},
		{"32 bytes", says(200, `{"valid":false}`+strings.Repeat(" ", 17)), ErrInvalidAddress},
		{"33 bytes", says(200, `{"valid":false}`+strings.Repeat(" ", 18)), nil},
		{"another status", says(201, `{"valid":false}`), nil},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.net/", http.StatusTemporaryRedirect)
		}, nil},
		{"nothing said", says(200, `{}`), nil},
		{"null", says(200, `{"valid":null}`), nil},
		{"not a boolean", says(200, `{"valid":0}`), nil},
		{"not JSON", says(200, `no`), nil},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "30")
			_, _ = io.WriteString(w, `{"valid":false}`)
		}, nil},
		{"slow", func(http.ResponseWriter, *http.Request) { <-hold }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			edge := newEdge(t, test.answer)
			v := NewValidator(conf.Mailer{EmailValidationServiceURL: "https://judge.net/v1?key=1"}, nil, edge)
			if test.name == "slow" {
				t.Cleanup(func() { close(hold) }) // before the server waits for its handler
				v.timeout = 50 * time.Millisecond
			}
			// Without the lists, only the service judges.
			require.Equal(t, test.want, v.Validate(t.Context(), "ada@example.com"))
		})
	}
}

func TestValidationServiceRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body string
	edge := newEdge(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got, body = r, string(raw)
		_, _ = io.WriteString(w, `{"valid":false}`)
	})
	resolver, _ := newResolver(t, map[string]zone{"user.net": {mx: []string{"in.user.net."}}, "gone.net": {}})
	v := NewValidator(conf.Mailer{
		EmailValidationExtended:       true,
		EmailValidationServiceURL:     "https://judge.net/v1?key=1",
		EmailValidationServiceHeaders: map[string][]string{"x-key": {"old", "new"}},
	}, resolver, edge)
	require.Equal(t, ErrInvalidAddress, v.Validate(t.Context(), "Ada@user.net"))
	require.Equal(t, http.MethodPost, got.Method)
	require.Equal(t, "judge.net", got.Host)
	require.Equal(t, "/v1?key=1", got.URL.String())
	require.Equal(t, []string{"application/json"}, got.Header["Content-Type"])
	require.Equal(t, []string{"new"}, got.Header["X-Key"])
	require.JSONEq(t, `{"email":"Ada@user.net"}`, body)
}

func TestAuthorized(t *testing.T) {
	t.Parallel()
	list := []string{"ada@user.net", " Bob+Work@User.net "}
	tests := []struct {
		address string
		list    []string
		want    bool
	}{
		{"eve@user.net", nil, true},
		{"ada@user.net", list, true},
		{"ADA@User.net", list, true},
		{"ada+news@user.net", list, true},
		{"ada+a+b@user.net", list, true},
		{"bob+work@user.net", list, true},
		{"bob@user.net", list, false},
		{"bob+play@user.net", list, false},
		{"eve@user.net", list, false},
		{"ada@user.net.evil.net", list, false},
		{"ada@evil.net+@user.net", list, false},
		{"+ada@user.net", list, false},
		{"ada", list, false},
		{"", list, false},
	}
	for _, test := range tests {
		require.Equal(t, test.want, Authorized(test.address, test.list), test.address)
	}
}
