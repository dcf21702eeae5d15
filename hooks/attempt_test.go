package hooks

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	const contentType = "application/json"
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    Verdict
		kind    error // of the failure; nil for none
	}{
		{"continue", answer(200, contentType, `{"decision":"continue","message":"fine"}`), Verdict{}, nil},
		{"reject", answer(200, contentType, `{"decision":"reject"}`), Verdict{Rejected: true}, nil},
		{"reject with text", answer(202, contentType, `{"decision":"reject","message":"no"}`), Verdict{Rejected: true, Message: "no"}, nil},
		{
			"end sessions", answer(200, contentType, `{"decision":"reject","message":null,"should_logout_user":true}`),
			Verdict{Rejected: true, EndSessions: true}, nil,
		},
		{"end sessions of nobody", answer(200, contentType, `{"decision":"continue","should_logout_user":true}`), Verdict{}, nil},
		{"another word", answer(200, contentType, `{"decision":"deny"}`), Verdict{}, nil},
		{"another case", answer(200, contentType, `{"decision":"REJECT"}`), Verdict{}, nil},
		{"nothing", answer(200, contentType, `{}`), Verdict{}, nil},
		{"null", answer(200, contentType, `null`), Verdict{}, nil},
		{"no content", answer(204, "", ""), Verdict{}, nil},
		{"decision of another type", answer(200, contentType, `{"decision":true}`), Verdict{}, ErrBadReply},
		{"a word", answer(200, contentType, `"reject"`), Verdict{}, ErrBadReply},
		{"failure", answer(500, contentType, `{"decision":"continue"}`), Verdict{}, ErrUnexpectedStatus},
		{"refusal", answer(200, contentType, `{"decision":"continue","error":{"http_code":403,"message":"no"}}`), Verdict{}, &Rejection{403, "no"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newHooks(t, PointPasswordVerification, Target{URI: serve(t, tt.handler)})
			got, err := h.PasswordVerification(t.Context(), PasswordAttempt{Valid: true})
			require.Equal(t, tt.want, got)
			if tt.kind == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.kind.Error())
		})
	}
}

// A second factor's rejection always ends the sessions.
func TestMFAVerdicts(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]Verdict{
		`{"decision":"continue","should_logout_user":true}`:               {},
		`{"decision":"reject","message":"no","should_logout_user":false}`: {Rejected: true, Message: "no", EndSessions: true},
	} {
		h, _ := newHooks(t, PointMFAVerification, Target{URI: serve(t, answer(200, "application/json", reply))})
		got, err := h.MFAVerification(t.Context(), MFAAttempt{})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestAttemptsWithoutHook(t *testing.T) {
	t.Parallel()
	h, _ := newHooks(t, PointSendSMS, Target{URI: "https://unused.example.com"})
	for _, ask := range []func() (Verdict, error){
		func() (Verdict, error) { return h.PasswordVerification(t.Context(), PasswordAttempt{}) },
		func() (Verdict, error) { return h.MFAVerification(t.Context(), MFAAttempt{}) },
	} {
		verdict, err := ask()
		require.NoError(t, err)
		require.Zero(t, verdict)
	}
	require.ErrorIs(t, h.SendEmail(t.Context(), Email{}), ErrDisabled, "a mail must not vanish")
}

// What the hooks without a user's JSON get, to the letter; those with one have
// golden files in package api.
func TestPayloads(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 1)
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
		w.WriteHeader(http.StatusNoContent)
	})
	const metadata = `"metadata":{"uuid":"00000000-0000-4000-8000-000000000000","time":"2030-01-02T03:04:05Z","name":"`
	tests := []struct {
		point Point
		call  func(h *Hooks) error
		want  string
	}{
		{PointPasswordVerification, func(h *Hooks) error {
			_, err := h.PasswordVerification(t.Context(), PasswordAttempt{UserID: "u1", IPAddress: "192.0.2.7"})
			return err
		}, `{` + metadata + `password-verification","ip_address":"192.0.2.7"},"user_id":"u1","valid":false}`},
		{PointMFAVerification, func(h *Hooks) error {
			_, err := h.MFAVerification(t.Context(), MFAAttempt{UserID: "u1", FactorID: "f1", FactorType: "totp", Valid: true})
			return err
		}, `{` + metadata + `mfa-verification"},"user_id":"u1","factor_id":"f1","factor_type":"totp","valid":true}`},
		{PointSendSMS, func(h *Hooks) error {
			return h.SendSMS(t.Context(), SMS{User: struct{}{}, Data: SMSData{OTP: "012345", Phone: "4915"}})
		}, `{` + metadata + `send-sms"},"user":{},"sms":{"otp":"012345","phone":"4915"}}`},
		{PointSendSMS, func(h *Hooks) error {
			return h.SendSMS(t.Context(), SMS{User: struct{}{}, Data: SMSData{OTP: "1", Phone: "2", Type: SMSTypeMFA}})
		}, `{` + metadata + `send-sms"},"user":{},"sms":{"otp":"1","phone":"2","sms_type":"mfa"}}`},
		{PointSendEmail, func(h *Hooks) error {
			return h.SendEmail(t.Context(), Email{User: struct{}{}, Data: EmailData{ActionType: "signup", Token: "1"}})
		}, `{` + metadata + `send-email"},"user":{},"email_data":{"token":"1","token_hash":"","redirect_to":"",` +
			`"email_action_type":"signup","site_url":"","token_new":"","token_hash_new":"","old_email":"","old_phone":"",` +
			`"provider":"","factor_type":""}}`},
	}
	for _, tt := range tests {
		h, _ := newHooks(t, tt.point, Target{URI: uri}, func(c *Config) { c.Random = zeros{} })
		require.NoError(t, tt.call(h))
		got := <-bodies
		require.Equal(t, tt.want, got)
		require.True(t, json.Valid([]byte(got)))
	}
}

// zeros is chance for payloads that are compared to the letter.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
