package api_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// verifyService plays Twilio Verify: the code of every number is 135790, until
// it was right once.
type verifyService struct {
	mu     sync.Mutex
	down   bool
	open   map[string]bool
	checks int
}

func (s *verifyService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := r.PostFormValue("To")
	switch {
	case s.down:
		w.WriteHeader(http.StatusInternalServerError)
	case strings.HasSuffix(r.URL.Path, "/Verifications"):
		s.open[to] = true
		_, _ = io.WriteString(w, `{"sid":"VE1","status":"pending","valid":false}`)
	default:
		s.checks++
		if !s.open[to] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.PostFormValue("Code") != "135790" {
			_, _ = io.WriteString(w, `{"sid":"VE1","status":"pending","valid":false}`)
			return
		}
		delete(s.open, to)
		_, _ = io.WriteString(w, `{"sid":"VE1","status":"approved","valid":true}`)
	}
}

func (s *verifyService) goDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *verifyService) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checks
}

func verifying(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *verifyService) {
	t.Helper()
	service := &verifyService{open: map[string]bool{}}
	return provided(t, "twilio_verify", service.ServeHTTP, options...), service
}

// Where the provider makes the codes it judges them, whatever our own code and
// its life are. It is only asked about codes that we have asked for.
func TestTwilioVerify(t *testing.T) {
	t.Parallel()
	app, service := verifying(t, func(c *conf.Config) { c.SMS.TestOTP = map[string]string{"15550001001": "424242"} })
	phone := newPhone()
	verifyPhone(app, "sms", phone, "135790").Refused(http.StatusForbidden, "otp_expired")
	askText(app, phone).OK()
	app.Clock.Advance(2 * time.Minute)
	verifyPhone(app, "sms", phone, "135791").Refused(http.StatusForbidden, "otp_expired")
	service.goDown(true)
	verifyPhone(app, "sms", phone, "135790").Refused(http.StatusForbidden, "otp_expired")
	require.Contains(t, app.Log.String(), "a code could not be checked with the provider")
	service.goDown(false)
	token := verifyPhone(app, "sms", phone, "135790").OK()["access_token"].(string)
	require.Equal(t, 2, service.asked())
	verifyPhone(app, "sms", phone, "135790").Refused(http.StatusForbidden, "otp_expired")
	require.Equal(t, 2, service.asked())

	change := newPhone()
	putAs(app, token, map[string]any{"phone": change}).OK()
	verifyPhone(app, "phone_change", change, "000000").Refused(http.StatusForbidden, "otp_expired")
	require.Equal(t, change, verifyPhone(app, "phone_change", change, "135790").OK()["user"].(map[string]any)["phone"])

	askText(app, "15550001001").OK()
	asked := service.asked()
	verifyPhone(app, "sms", "15550001001", "135790").Refused(http.StatusForbidden, "otp_expired")
	verifyPhone(app, "sms", "15550001001", "424242").OK()
	require.Equal(t, asked, service.asked())
}

// The provider knows numbers, not users: while two wait for one number its code
// ends neither change.
func TestTwilioVerifyWithRivals(t *testing.T) {
	t.Parallel()
	app, service := verifying(t)
	phone, user, rival := newPhone(), app.User(t), app.User(t)
	putAs(app, user.AccessToken, map[string]any{"phone": phone}).OK()
	putAs(app, rival.AccessToken, map[string]any{"phone": phone}).OK()
	verifyPhone(app, "phone_change", phone, "135790").Refused(http.StatusForbidden, "otp_expired")
	require.Zero(t, service.asked())
	app.Clock.Advance(time.Minute)
	putAs(app, rival.AccessToken, map[string]any{"phone": newPhone()}).OK()
	require.Equal(t, user.ID, verifyPhone(app, "phone_change", phone, "135790").OK()["user"].(map[string]any)["id"])
}

func TestReauthenticationByProvider(t *testing.T) {
	t.Parallel()
	app, service := verifying(t, func(c *conf.Config) { c.Security.UpdatePasswordRequireReauthentication = true })
	_, token := phoneUser(t, app)
	app.Exec(`update sessions set created_at = created_at - interval '2 days'`)
	change := func(nonce string) *apitest.Response {
		return putAs(app, token, map[string]any{"password": "another password", "nonce": nonce})
	}
	change("").Refused(http.StatusBadRequest, "reauthentication_needed")
	change("135790").Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	require.Zero(t, service.asked())
	app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)).OK()
	change("000000").Refused(http.StatusForbidden, "otp_expired")
	change("135790").OK()
	change("135790").Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
}
