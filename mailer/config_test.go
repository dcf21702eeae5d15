package mailer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
)

func TestFromConf(t *testing.T) {
	t.Parallel()
	c := FromConf(conf.Mailer{
		Subjects:                 conf.MailTexts{Invite: "Come in"},
		Templates:                conf.MailTexts{MFAFactorUnenrolledNotification: "/mfa.html"},
		TemplateDirectory:        "/etc/mail",
		TemplateMaxSize:          7,
		TemplateMaxAge:           time.Minute,
		TemplateRetryInterval:    time.Second,
		TemplateReloadingEnabled: true,
		TemplateReloadingMaxIdle: time.Hour,
		EmailBackgroundSending:   true,
		DefaultLanguage:          "de",
		Translations: []conf.MailTranslation{{
			Language: "de", Subjects: conf.MailTexts{Invite: "Komm herein"}, Templates: conf.MailTexts{Recovery: "file:///de.html"},
		}},
	}, conf.SMTP{
		Host: "smtp.example", Port: 465, User: "u", Pass: "p", AdminEmail: "a@b.example", SenderName: "App",
		Headers: map[string][]string{"X": {"y"}}, LoggingEnabled: true,
	}, "https://app.example", "auth.example")

	require.Equal(t, SMTP{
		Host: "smtp.example", Port: 465, User: "u", Pass: "p", From: "a@b.example", FromName: "App",
		HELO: "auth.example", Headers: map[string][]string{"X": {"y"}}, LogSends: true,
	}, c.SMTP)
	require.Equal(t, "https://app.example", c.SiteURL)
	require.Equal(t, "Come in", c.Subjects[Invite])
	require.Equal(t, "/mfa.html", c.Templates[MFAFactorUnenrolled])
	require.Empty(t, c.Templates[Invite])
	require.Equal(t, "/etc/mail", c.TemplateDirectory)
	require.EqualValues(t, 7, c.TemplateMaxBytes)
	require.Equal(t, time.Minute, c.TemplateMaxAge)
	require.Equal(t, time.Second, c.TemplateRetry)
	require.True(t, c.TemplateReload)
	require.Equal(t, time.Hour, c.TemplateMaxIdle)
	require.True(t, c.Background)
	require.Equal(t, "de", c.DefaultLanguage)
	require.Len(t, c.Translations, 1)
	require.Equal(t, "Komm herein", c.Translations["de"].Subjects[Invite])
	require.Equal(t, "file:///de.html", c.Translations["de"].Templates[Recovery])
}

// Every kind is a name that the configuration knows.
func TestKindsAreConfigurable(t *testing.T) {
	t.Parallel()
	texts := conf.MailTexts{
		Invite: "1", Confirmation: "2", Recovery: "3", EmailChange: "4", MagicLink: "5", Reauthentication: "6",
		PasswordChangedNotification: "7", EmailChangedNotification: "8", PhoneChangedNotification: "9",
		IdentityLinkedNotification: "10", IdentityUnlinkedNotification: "11",
		MFAFactorEnrolledNotification: "12", MFAFactorUnenrolledNotification: "13",
	}
	seen := map[string]bool{}
	for _, kind := range Kinds() {
		text := texts.Text(string(kind))
		require.NotEmpty(t, text, kind)
		require.False(t, seen[text], kind)
		seen[text] = true
	}
}
