package mailer

import "github.com/truegrant/truegrant/conf"

// FromConf translates the configuration. SiteURL is the site's, helo the host
// of the external URL. The caller adds Now, Random and Logger.
func FromConf(m conf.Mailer, s conf.SMTP, siteURL, helo string) Config {
	c := Config{
		SMTP: SMTP{
			Host:     s.Host,
			Port:     s.Port,
			User:     s.User,
			Pass:     s.Pass,
			From:     s.AdminEmail,
			FromName: s.SenderName,
			HELO:     helo,
			Headers:  s.Headers,
			LogSends: s.LoggingEnabled,
		},
		SiteURL:           siteURL,
		Texts:             newTexts(m.Subjects, m.Templates),
		Translations:      make(map[string]Texts),
		DefaultLanguage:   m.DefaultLanguage,
		TemplateDirectory: m.TemplateDirectory,
		TemplateMaxBytes:  int64(m.TemplateMaxSize),
		TemplateMaxAge:    m.TemplateMaxAge,
		TemplateRetry:     m.TemplateRetryInterval,
		TemplateReload:    m.TemplateReloadingEnabled,
		TemplateMaxIdle:   m.TemplateReloadingMaxIdle,
		Background:        m.EmailBackgroundSending,
	}
	for _, t := range m.Translations {
		c.Translations[t.Language] = newTexts(t.Subjects, t.Templates)
	}
	return c
}

func newTexts(subjects, templates conf.MailTexts) Texts {
	texts := Texts{Subjects: make(map[Kind]string), Templates: make(map[Kind]string)}
	for _, kind := range Kinds() {
		texts.Subjects[kind] = subjects.Text(string(kind))
		texts.Templates[kind] = templates.Text(string(kind))
	}
	return texts
}
