// Package captcha asks hCaptcha or Cloudflare Turnstile whether a token proves
// that a person is asking.
//
// Neither tokens nor addresses of callers appear in errors.
package captcha
