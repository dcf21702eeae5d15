package sms_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/sms"
)

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	const prefix = "no usable SMS provider: "
	tests := []struct {
		provider string
		without  func(*conf.SMS)
		want     string
	}{
		{"", func(*conf.SMS) {}, `SMS provider "" is not supported`},
		{"pigeon", func(*conf.SMS) {}, `SMS provider "pigeon" is not supported`},
		{"twilio", func(c *conf.SMS) { c.Twilio.AccountSID = "" }, "missing Twilio account SID"},
		{"twilio", func(c *conf.SMS) { c.Twilio.AuthToken = "" }, "missing Twilio auth token"},
		{"twilio", func(c *conf.SMS) { c.Twilio.MessageServiceSID = "" }, "missing Twilio message service SID or Twilio phone number"},
		{"twilio_verify", func(c *conf.SMS) { c.TwilioVerify.AccountSID = "" }, "missing Twilio account SID"},
		{"twilio_verify", func(c *conf.SMS) { c.TwilioVerify.AuthToken = "" }, "missing Twilio auth token"},
		{"twilio_verify", func(c *conf.SMS) { c.TwilioVerify.MessageServiceSID = "" }, "missing Twilio message service SID or Twilio phone number"},
		{"messagebird", func(c *conf.SMS) { c.Messagebird.AccessKey = "" }, "missing Messagebird access key"},
		{"messagebird", func(c *conf.SMS) { c.Messagebird.Originator = "" }, "missing Messagebird originator"},
		{"textlocal", func(c *conf.SMS) { c.Textlocal.APIKey = "" }, "missing Textlocal API key"},
		{"textlocal", func(c *conf.SMS) { c.Textlocal.Sender = "" }, "missing Textlocal sender"},
		{"vonage", func(c *conf.SMS) { c.Vonage.APIKey = "" }, "missing Vonage API key"},
		{"vonage", func(c *conf.SMS) { c.Vonage.APISecret = "" }, "missing Vonage API secret"},
		{"vonage", func(c *conf.SMS) { c.Vonage.From = "" }, "missing Vonage 'from' parameter"},
	}
	for _, test := range tests {
		t.Run(test.want+", "+test.provider, func(t *testing.T) {
			t.Parallel()
			c := account(test.provider)
			test.without(&c)
			s, err := sms.New(c, time.Second, nil)
			require.Nil(t, s)
			require.ErrorIs(t, err, sms.ErrProvider)
			require.EqualError(t, err, prefix+test.want)
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ template, want string }{
		{"Your code is {{ .Code }}", "Your code is 123456"},
		{"<{{.Code}}> & {{ .Missing }}.", "<123456> & ."},
		{"none", "none"},
	}
	for _, test := range tests {
		text, err := sms.ParseText(test.template)
		require.NoError(t, err)
		got, err := text.Render("123456")
		require.NoError(t, err)
		require.Equal(t, test.want, got)
	}

	_, err := sms.ParseText("{{ .Code")
	require.Error(t, err)

	text, err := sms.ParseText("{{ index .Code 9 }}")
	require.NoError(t, err)
	got, err := text.Render("123456")
	require.ErrorContains(t, err, "out of range")
	require.NotContains(t, err.Error(), "123456")
	require.Empty(t, got)
}

func TestTestCode(t *testing.T) {
	t.Parallel()
	end := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	codes := map[string]string{"15550001001": "123456"}
	tests := []struct {
		name  string
		until time.Time
		phone string
		now   time.Time
		want  string
	}{
		{"without an end", time.Time{}, "15550001001", end, "123456"},
		{"with a plus", time.Time{}, "+15550001001", end, "123456"},
		{"another phone", time.Time{}, "15550001002", end, ""},
		{"before the end", end, "15550001001", end.Add(-time.Nanosecond), "123456"},
		{"at the end", end, "15550001001", end, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := sms.TestCode(conf.SMS{TestOTP: codes, TestOTPValidUntil: test.until}, test.phone, test.now)
			require.Equal(t, test.want, got)
			require.Equal(t, test.want != "", ok)
		})
	}
}
