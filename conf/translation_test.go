package conf

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTranslations(t *testing.T) {
	c, warnings, err := load(t, map[string]string{
		"GOTRUE_MAILER_SUBJECTS_INVITE":                         "Come in",
		"GOTRUE_MAILER_SUBJECTS_INVITE_DE":                      "Komm herein",
		"GOTRUE_MAILER_TEMPLATES_INVITE_DE":                     "file:///etc/mail/de/invite.html",
		"GOTRUE_MAILER_SUBJECTS_EMAIL_CHANGE_PT_BR":             "Confirme",
		"GOTRUE_MAILER_TEMPLATES_EMAIL_CHANGED_NOTIFICATION_DE": "https://cdn.example/de.html",
		"GOTRUE_MAILER_SUBJECTS_MAGIC_LINK_ZH_HANT":             "登入",
		"GOTRUE_MAILER_SUBJECTS_RECOVERY_ES_419":                "",
		"GOTRUE_MAILER_DEFAULT_LANGUAGE":                        "PT_br",
	})
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, "Come in", c.Mailer.Subjects.Text("invite"))
	require.Equal(t, "pt-BR", c.Mailer.DefaultLanguage)
	require.Len(t, c.Mailer.Translations, 4)
	de, es, pt, zh := c.Mailer.Translations[0], c.Mailer.Translations[1], c.Mailer.Translations[2], c.Mailer.Translations[3]
	require.Equal(t, []string{"de", "es-419", "pt-BR", "zh-Hant"}, []string{de.Language, es.Language, pt.Language, zh.Language})
	require.Equal(t, MailTexts{Invite: "Komm herein"}, de.Subjects)
	require.Equal(t, MailTexts{
		Invite: "file:///etc/mail/de/invite.html", EmailChangedNotification: "https://cdn.example/de.html",
	}, de.Templates)
	require.Equal(t, MailTexts{EmailChange: "Confirme"}, pt.Subjects)
	require.Empty(t, pt.Templates)
	require.Equal(t, MailTexts{MagicLink: "登入"}, zh.Subjects)

	shown := settingsByName(c)
	require.Equal(t, Setting{Name: "GOTRUE_MAILER_SUBJECTS_INVITE_DE", Type: "string", Value: "Komm herein", Set: true},
		shown["GOTRUE_MAILER_SUBJECTS_INVITE_DE"])
	require.False(t, shown["GOTRUE_MAILER_SUBJECTS_INVITE_PT_BR"].Set)
	require.Len(t, shown, len(Default().Effective())+4*26)
}

// What ends in no language is as unknown as before.
func TestTranslationsThatAreNone(t *testing.T) {
	names := []string{
		"GOTRUE_MAILER_SUBJECTS_INVITE_", "GOTRUE_MAILER_SUBJECTS_INVITE_GERMAN", "GOTRUE_MAILER_SUBJECTS_INVITE_d",
		"GOTRUE_MAILER_SUBJECTS_INVITE_de", "GOTRUE_MAILER_SUBJECTS_INVITE_UND", "GOTRUE_MAILER_SUBJECTS_INVITE_DE_",
		"GOTRUE_MAILER_SUBJECTS_DE", "GOTRUE_MAILER_SUBJECTS_EMAIL_CHANGE_NOTIFICATION",
		"GOTRUE_MAILER_URLPATHS_INVITE_DE", "GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED_DE",
	}
	values := map[string]string{}
	for _, name := range names {
		values[name] = "x"
	}
	c, warnings, err := load(t, values)
	require.NoError(t, err)
	require.Empty(t, c.Mailer.Translations)
	require.Len(t, warnings, len(names))
}

func TestTranslationProblems(t *testing.T) {
	_, _, err := load(t, map[string]string{
		"GOTRUE_MAILER_DEFAULT_LANGUAGE":      "German",
		"GOTRUE_MAILER_TEMPLATE_DIRECTORY":    "mail",
		"GOTRUE_MAILER_TEMPLATES_INVITE":      "file://mail/invite.html",
		"GOTRUE_MAILER_TEMPLATES_RECOVERY_DE": "file:mail/de.html",
		"GOTRUE_MAILER_SUBJECTS_RECOVERY_HE":  "a",
		"GOTRUE_MAILER_SUBJECTS_RECOVERY_IW":  "b",
	})
	found := problems(t, err)
	require.Len(t, found, 5)
	require.Contains(t, found["GOTRUE_MAILER_DEFAULT_LANGUAGE"], `"German"`)
	require.Contains(t, found["GOTRUE_MAILER_TEMPLATE_DIRECTORY"], "absolute path")
	require.Contains(t, found["GOTRUE_MAILER_TEMPLATES_INVITE"], "absolute path")
	require.Contains(t, found["GOTRUE_MAILER_TEMPLATES_RECOVERY_DE"], "absolute path")
	require.Contains(t, found["GOTRUE_MAILER_SUBJECTS"], "…_HE and …_IW")
}
