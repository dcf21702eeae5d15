package sms_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/sms"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		provider string
		status   int
		answer   string
		want     string
	}{
		{"twilio, HTTP error", "twilio", 400,
			`{"code":21211,"message":"Invalid 'To' Phone Number","more_info":"https://www.twilio.com/docs/errors/21211","status":400}`,
			"Invalid 'To' Phone Number More information: https://www.twilio.com/docs/errors/21211"},
		{"twilio, failed", "twilio", 201,
			`{"sid":"SM1","status":"failed","error_code":30003,"error_message":"Unreachable"}`,
			"twilio error: Unreachable 30003 for message SM1"},
		{"twilio, undelivered, code as text", "twilio", 200,
			`{"sid":"SM1","status":"undelivered","error_code":"30003","error_message":"Unreachable"}`,
			"twilio error: Unreachable 30003 for message SM1"},
		{"twilio, not JSON", "twilio", 503, `<html>`, "unexpected answer with status 503"},
		{"twilio, JSON without a message", "twilio", 500, `{}`, "unexpected answer with status 500"},
		{"twilio, code of a wrong shape", "twilio", 200, `{"sid":"SM1","error_code":{}}`, "unexpected answer with status 200"},
		{"twilio, redirect", "twilio", 302, `{"sid":"SM1"}`, "unexpected answer with status 302"},
		{"twilio_verify", "twilio_verify", 429,
			`{"message":"Max send attempts reached","more_info":"https://www.twilio.com/docs/errors/60203","status":429}`,
			"Max send attempts reached More information: https://www.twilio.com/docs/errors/60203"},
		{"messagebird, 401", "messagebird", 401,
			`{"errors":[{"code":2,"description":"Request not allowed (incorrect access_key)"}]}`,
			"Request not allowed (incorrect access_key)"},
		{"messagebird, 422", "messagebird", 422, `{"errors":[{"description":"no (correct) recipients found"}]}`, "no (correct) recipients found"},
		{"messagebird, nothing sent", "messagebird", 201,
			`{"id":"mb1","recipients":{"totalSentCount":0}}`, "messagebird error: total sent count is 0"},
		{"messagebird, no description", "messagebird", 500, `{"errors":[]}`, "unexpected answer with status 500"},
		{"messagebird, not JSON", "messagebird", 200, ``, "unexpected answer with status 200"},
		{"textlocal", "textlocal", 200,
			`{"status":"failure","errors":[{"code":4,"message":"No recipients specified"}]}`,
			"textlocal error: No recipients specified (code: 4)"},
		{"textlocal, with an id", "textlocal", 200,
			`{"status":"failure","errors":[{"code":"4","message":"No"}],"messages":[{"id":"77"}]}`,
			"textlocal error: No (code: 4) message 77"},
		{"textlocal, unknown template", "textlocal", 200,
			`{"status":"failure","errors":[{"code":80,"message":"Invalid template: Your code is 424242"}]}`,
			"textlocal error: Invalid template: Your code is *** (code: 80)"},
		{"textlocal, no reason", "textlocal", 200, `{"status":"failure"}`, "unexpected answer with status 200"},
		{"textlocal, not JSON", "textlocal", 502, `bad gateway`, "unexpected answer with status 502"},
		{"vonage", "vonage", 200,
			`{"messages":[{"message-id":"vo1","status":"4","error-text":"Bad Credentials"}]}`,
			"vonage error: Bad Credentials (status: 4) for message vo1"},
		{"vonage, no messages", "vonage", 200, `{"messages":[]}`, "unexpected answer with status 200"},
		{"vonage, HTTP error", "vonage", 500, vonageSent, "unexpected answer with status 500"},
		{"control characters", "messagebird", 400, `{"errors":[{"description":"a\r\nb\u0000c"}]}`, "abc"},
		{"long", "messagebird", 400, `{"errors":[{"description":"` + strings.Repeat("é", 600) + `"}]}`, strings.Repeat("é", 256)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, says(test.status, test.answer))
			id, err := setup(t, account(test.provider), p).Send(t.Context(), message(""))
			require.Empty(t, id)
			var failure *sms.Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, test.want, failure.Reason)
			require.EqualError(t, err, "send SMS: the provider did not accept it")
		})
	}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	for provider, tests := range map[string]map[string]string{
		"twilio":        {"whatsapp": "", "fax": `channel type "fax" is not supported for Twilio`},
		"twilio_verify": {"whatsapp": "", "fax": `channel type "fax" is not supported for Twilio`},
		"messagebird":   {"whatsapp": `channel type "whatsapp" is not supported for Messagebird`},
		"textlocal":     {"whatsapp": `channel type "whatsapp" is not supported for Textlocal`},
		"vonage":        {"whatsapp": `channel type "whatsapp" is not supported for Vonage`},
	} {
		for channel, want := range tests {
			t.Run(provider+" "+channel, func(t *testing.T) {
				t.Parallel()
				p := newProvider(t, says(201, twilioQueued))
				_, err := setup(t, account(provider), p).Send(t.Context(), message(channel))
				if want == "" {
					require.NoError(t, err)
					return
				}
				var failure *sms.Failure
				require.ErrorAs(t, err, &failure)
				require.Equal(t, want, failure.Reason)
				require.Empty(t, p.seen())
			})
		}
	}
}

// Without a usable answer the caller learns neither addresses nor accounts.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	silent := newProvider(t, func(http.ResponseWriter, *http.Request) { <-hold })
	t.Cleanup(func() { close(hold) }) // before the server waits for its handlers
	tests := []struct {
		name     string
		provider *provider
		timeout  time.Duration
		cause    error
		text     string
	}{
		{"slow", silent, 50 * time.Millisecond, context.DeadlineExceeded, ""},
		{"cut off", newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}), time.Second, io.ErrUnexpectedEOF, ""},
		{"oversized", newProvider(t, says(200, strings.Repeat(" ", 64<<10)+twilioQueued)), time.Second, nil,
			"send SMS: answer is larger than 65536 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := sms.New(account("twilio_verify"), test.timeout, test.provider)
			require.NoError(t, err)
			for what, call := range map[string]func() error{
				"send":  func() error { _, err := s.Send(t.Context(), message("")); return err },
				"check": func() error { return s.(sms.Verifier).Check(t.Context(), phone, code) },
			} {
				err := call()
				var failure *sms.Failure
				require.ErrorAs(t, err, &failure, what)
				require.Equal(t, "SMS provider could not be reached", failure.Reason)
				if test.cause != nil {
					require.ErrorIs(t, err, test.cause)
				} else {
					require.EqualError(t, err, test.text)
				}
				for _, secret := range []string{phone, code, "VA1", "AC2", "twilio.com"} {
					require.NotContains(t, err.Error(), secret)
				}
			}
		})
	}
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		answer string
		want   error
		reason string
	}{
		{"approved", 200, `{"sid":"VE1","status":"approved","valid":true}`, nil, ""},
		{"wrong", 200, `{"sid":"VE1","status":"pending","valid":false}`, sms.ErrCode, ""},
		{"approved, but not valid", 200, `{"sid":"VE1","status":"approved","valid":false}`, sms.ErrCode, ""},
		{"valid, but not approved", 200, `{"sid":"VE1","status":"canceled","valid":true}`, sms.ErrCode, ""},
		{"gone", 404, `{"message":"not found","more_info":"u"}`, sms.ErrCode, ""},
		{"too many", 429, `{"message":"Max check attempts reached","more_info":"u"}`, nil, "Max check attempts reached More information: u"},
		{"not JSON", 200, `approved`, nil, "unexpected answer with status 200"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, says(test.status, test.answer))
			err := setup(t, account("twilio_verify"), p).(sms.Verifier).Check(t.Context(), phone, code)
			if test.reason != "" {
				var failure *sms.Failure
				require.ErrorAs(t, err, &failure)
				require.Equal(t, test.reason, failure.Reason)
			} else {
				require.Equal(t, test.want, err)
			}
			seen := p.seen()
			require.Len(t, seen, 1)
			require.Equal(t, "/v2/Services/VA1/VerificationCheck", seen[0].path)
			require.Equal(t, "Basic QUMyOnRva2Vu", seen[0].authorization)
			require.Equal(t, []string{"+" + phone}, seen[0].form["To"])
			require.Equal(t, []string{code}, seen[0].form["Code"])
		})
	}
	for _, provider := range []string{"twilio", "messagebird", "textlocal", "vonage"} {
		s, err := sms.New(account(provider), time.Second, nil)
		require.NoError(t, err)
		require.NotImplements(t, (*sms.Verifier)(nil), s)
	}
}
