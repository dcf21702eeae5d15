// Package mailer writes GoTrue's mails and hands them to an SMTP server.
//
// [Mailer.Send] renders subject and body with html/template and delivers them,
// at once or in the background. Bodies come from URLs or files, which are loaded
// when needed and cached, subjects from the configuration or a block "subject"
// of the body, both in the language of the user if it is there. Both have
// built-in versions, and a mail never fails because a template does: the
// previous one, that without a language or the built-in one is used instead.
//
// What goes into a template is data from users. HTML escaping is
// html/template's, header lines are freed of control characters, and recipient
// addresses appear neither in errors nor in logs.
//
// Template addresses and the mail server are named by the operator, so private
// networks are allowed and template fetches honour HTTPS_PROXY.
package mailer
