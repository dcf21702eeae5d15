package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// line is a TCP proxy before the database that the test can cut.
type line struct {
	address string

	mu     sync.Mutex
	target [2]string // network and address of the database
	cut    bool      // connections end at once
	hang   bool      // connections are accepted and nothing moves
	conns  []net.Conn
}

// newLine starts a proxy; its option puts it before the server's database.
func newLine(t *testing.T) (*line, func(*conf.Config)) {
	t.Helper()
	l := new(line)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	t.Cleanup(l.Cut)
	l.address = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.forward(conn)
		}
	}()
	return l, func(c *conf.Config) {
		config, err := pgx.ParseConfig(c.DB.URL)
		require.NoError(t, err)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.target[0], l.target[1] = pgconn.NetworkAddress(config.Host, config.Port)
		u, err := url.Parse(c.DB.URL)
		require.NoError(t, err)
		u.Host = l.address
		query := u.Query()
		query.Del("host")
		query.Del("port")
		query.Set("sslmode", "disable")
		u.RawQuery = query.Encode()
		c.DB.URL = u.String()
	}
}

func (l *line) forward(conn net.Conn) {
	l.mu.Lock()
	cut, hang, target := l.cut, l.hang, l.target
	l.conns = append(l.conns, conn)
	l.mu.Unlock()
	if cut {
		_ = conn.Close()
		return
	}
	if hang {
		return
	}
	server, err := net.Dial(target[0], target[1])
	if err != nil {
		_ = conn.Close()
		return
	}
	l.mu.Lock()
	l.conns = append(l.conns, server)
	l.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, conn)
		_ = server.Close()
	}()
	_, _ = io.Copy(conn, server)
	_ = conn.Close()
}

// Cut ends all connections, and new ones from now on.
func (l *line) Cut() { l.set(true, false) }

// Hang ends all connections and leaves new ones without an answer.
func (l *line) Hang() { l.set(false, true) }

// Mend lets new connections through.
func (l *line) Mend() { l.set(false, false) }

func (l *line) set(cut, hang bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.hang = cut, hang
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

// outage demands the answer to a database that is away.
func outage(t *testing.T, got *apitest.Response) {
	t.Helper()
	require.Equal(t, http.StatusServiceUnavailable, got.Status, "%s", got.Body)
	require.Equal(t, "1", got.Header.Get("Retry-After"))
	require.NotContains(t, string(got.Body), "127.0.0.1")
}

func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	line, option := newLine(t)
	app := apitest.New(t, option)
	user, client := app.User(t), app.Client(t)
	grant := app.Grant(t, user, client)
	bearer, admin := apitest.Bearer(user.AccessToken), apitest.Bearer(app.ServiceKey())
	params, _ := apitest.AuthorizeParams(client)
	concurrently(8, func(int) int { // so that the pool holds connections to lose
		return app.Do(http.MethodGet, "/user", nil, bearer).Status
	})
	before := app.Snapshot()

	for name, sever := range map[string]func(){"cut": line.Cut, "cut again": line.Cut} {
		sever()
		require.Equal(t, http.StatusOK, app.Do(http.MethodGet, "/health", nil).Status, name)
		require.Equal(t, http.StatusOK, app.Do(http.MethodGet, "/settings", nil).Status, name)
		require.Equal(t, http.StatusOK, app.Do(http.MethodGet, "/.well-known/jwks.json", nil).Status, name)
		for _, got := range []*apitest.Response{
			app.Do(http.MethodGet, "/health/ready", nil),
			app.Do(http.MethodGet, "/user", nil, bearer),
			app.Do(http.MethodPut, "/user", map[string]any{"data": map[string]any{"a": 1}}, bearer),
			app.Do(http.MethodPost, "/logout", nil, bearer),
			app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)),
			login(app, signUp(user.Email, nil)),
			app.Refresh(user.RefreshToken),
			app.Do(http.MethodPost, "/verify", map[string]any{"type": "email", "token_hash": "x"}),
			app.Do(http.MethodPost, "/resend", map[string]any{"type": "signup", "email": user.Email}),
			app.Do(http.MethodGet, "/admin/users", nil, admin),
			app.Do(http.MethodGet, "/admin/oauth/clients", nil, admin),
			app.Do(http.MethodGet, "/oauth/authorize?"+params.Encode(), nil),
			app.Do(http.MethodGet, "/oauth/authorizations/x", nil, bearer),
			app.Do(http.MethodGet, "/user/oauth/grants", nil, bearer),
		} {
			outage(t, got)
			got.Refused(http.StatusServiceUnavailable, "service_unavailable")
		}
		for _, got := range []*apitest.Response{
			app.RefreshGrant(client, grant.RefreshToken),
			app.Token(client, url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "code_verifier": {"x"}}),
			app.Do(http.MethodPost, "/oauth/clients/register", map[string]any{"redirect_uris": []string{"https://a.test/cb"}}),
		} {
			outage(t, got)
			got.RefusedOAuth(http.StatusServiceUnavailable, "temporarily_unavailable")
		}
		require.Equal(t, http.StatusServiceUnavailable, app.Do(http.MethodGet, "/oauth/userinfo", nil, apitest.Bearer(grant.AccessToken)).Status)
		link := app.Do(http.MethodGet, "/verify?type=signup&token=x", nil)
		require.Equal(t, "temporarily_unavailable", link.Fragment().Get("error"), "a browser is sent on with the reason")
	}

	line.Mend()
	recovers(t, app)
	require.Equal(t, before, app.Snapshot())
	refreshed(t, app, user.RefreshToken)
	app.RefreshGrant(client, grant.RefreshToken).OK()
}

// recovers demands that the server is back by itself, at once.
func recovers(t *testing.T, app *apitest.App) {
	t.Helper()
	require.Eventually(t, func() bool {
		return app.Do(http.MethodGet, "/health/ready", nil).Status == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
}

// A request that is under way when the database goes gets an answer, too, and
// nobody waits beyond the deadline for one that accepts but does not answer.
func TestDatabaseHangs(t *testing.T) {
	t.Parallel()
	line, option := newLine(t)
	patient := apitest.New(t, option)
	user := patient.User(t)
	bearer := apitest.Bearer(user.AccessToken)
	patient.Config.API.MaxRequestDuration = 700 * time.Millisecond
	app := patient.Replica(t)
	line.Hang()
	started := time.Now()
	for _, got := range concurrently(8, func(i int) *apitest.Response {
		if i%2 == 0 {
			return app.Refresh(user.RefreshToken)
		}
		return app.Do(http.MethodGet, "/user", nil, bearer)
	}) {
		require.Contains(t, []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}, got.Status, "%s", got.Body)
	}
	require.Less(t, time.Since(started), 8*time.Second)
	require.Equal(t, http.StatusOK, app.Do(http.MethodGet, "/health", nil).Status)
	line.Mend()
	recovers(t, app)
	recovers(t, patient)
	refreshed(t, patient, user.RefreshToken)
}

// A statement that waits for a lock ends with the deadline of its request.
func TestDeadline(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	client := app.Client(t)
	user := app.User(t)
	grant := app.Grant(t, user, client)
	locked, err := pgx.Connect(t.Context(), app.Config.DB.URL)
	require.NoError(t, err)
	defer func() { _ = locked.Close(context.WithoutCancel(t.Context())) }()
	app.Config.API.MaxRequestDuration = 500 * time.Millisecond
	hurried := app.Replica(t)
	_, err = locked.Exec(t.Context(), `begin; lock table auth.sessions in exclusive mode`)
	require.NoError(t, err)

	hurried.Refresh(user.RefreshToken).Refused(http.StatusGatewayTimeout, "request_timeout")
	hurried.RefreshGrant(client, grant.RefreshToken).RefusedOAuth(http.StatusServiceUnavailable, "temporarily_unavailable")
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()

	_, err = locked.Exec(t.Context(), `rollback`)
	require.NoError(t, err)
	refreshed(t, app, user.RefreshToken)
}
