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
		SiteURL:          siteURL,
		Subjects:         make(map[Kind]string),
		Templates:        make(map[Kind]string),
		TemplateMaxBytes: int64(m.TemplateMaxSize),
		TemplateMaxAge:   m.TemplateMaxAge,
		TemplateRetry:    m.TemplateRetryInterval,
		TemplateReload:   m.TemplateReloadingEnabled,
	}
	for _, kind := range Kinds() {
		c.Subjects[kind] = m.Subjects.Text(string(kind))
		c.Templates[kind] = m.Templates.Text(string(kind))
	}
	return c
}
