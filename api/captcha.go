package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/captcha"
	"github.com/truegrant/truegrant/conf"
)

// newCaptcha returns nil when nobody has to prove anything.
func newCaptcha(c conf.Captcha, transport http.RoundTripper) (*captcha.Verifier, error) {
	if !c.Enabled {
		return nil, nil
	}
	var client *http.Client
	if transport != nil {
		client = &http.Client{Transport: transport}
	}
	return captcha.New(c, client)
}

// captchaProof is what each body carries beside its own members.
type captchaProof struct {
	Security struct {
		CaptchaToken string `json:"captcha_token"`
	} `json:"gotrue_meta_security"`
}

// guarded is a route for which a person has to ask.
func (s *Server) guarded(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.requirePerson(r); err != nil {
			return err
		}
		return next(w, r)
	}
}

// requirePerson refuses a request without a solved captcha, where the project
// asks for one. Administrators need none. The body can still be read.
func (s *Server) requirePerson(r *http.Request) error {
	if s.captcha == nil || s.byAdmin(r) {
		return nil
	}
	in, err := web.Peek[captchaProof](r)
	if err != nil {
		return err
	}
	err = s.captcha.Verify(r.Context(), in.Security.CaptchaToken, s.clientIP.Of(r))
	var refused *captcha.Refused
	switch {
	case err == nil:
		return nil
	case errors.Is(err, captcha.ErrMissing):
		return errNoPerson(captcha.ErrMissing.Error())
	case errors.As(err, &refused):
		return errNoPerson(strings.Join(refused.Codes, ", "))
	}
	return apierror.Elsewhere("captcha verification process failed", err)
}

// byAdmin reports whether an administrator's token comes with a request.
func (s *Server) byAdmin(r *http.Request) bool {
	token, ok := web.BearerToken(r)
	if !ok {
		return false
	}
	_, err := s.Tokens.AuthenticateAdmin(r.Context(), token, s.kit.Time(r))
	return err == nil
}

func errNoPerson(why string) error {
	return apierror.New(http.StatusBadRequest, apierror.CaptchaFailed, "captcha protection: request disallowed ("+why+")")
}

// needsCaptcha reports whether a grant does. The others continue what a person
// has begun.
func needsCaptcha(grant string) bool {
	switch grant {
	case "pkce", "refresh_token", "id_token":
		return false
	}
	return true
}
