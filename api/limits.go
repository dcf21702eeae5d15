package api

import (
	"net/http"
	"reflect"
	"time"

	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/ratelimit"
)

// burst is how many requests of a kind a client may make at once.
const burst = 30

// nonceGuesses is how many codes of a change of password a user may try in an
// hour: a code of six digits lives for a day.
const nonceGuesses = 20

// limits are the rate limits of the API, each a bucket for every client.
type limits struct {
	header                                                   string
	signup, anonymous, token, verify, resend, user, register ratelimit.Limiter
	otp, magicLink, recover                                  ratelimit.Limiter
	factorChallenge, factorVerify                            ratelimit.Limiter
	// nonce bounds the guesses at the code of a change of password, for every
	// user.
	nonce ratelimit.Limiter
	// emails is nil when mails are not counted, texts when texts are not.
	emails, texts ratelimit.Limiter
}

func newLimits(cfg *conf.Config, start time.Time) *limits {
	per5 := func(events float64) ratelimit.Limiter {
		return ratelimit.NewTokenBucket(events, 5*time.Minute, burst)
	}
	rates := cfg.RateLimit
	l := &limits{
		header: rates.Header,
		signup: per5(rates.OTP), resend: per5(rates.OTP), user: per5(rates.OTP),
		otp: per5(rates.OTP), magicLink: per5(rates.OTP), recover: per5(rates.OTP),
		token: per5(rates.TokenRefresh), verify: per5(rates.Verify),
		register:        per5(rates.OAuthDynamicClientRegister),
		anonymous:       ratelimit.NewTokenBucket(rates.AnonymousUsers, time.Hour, int(rates.AnonymousUsers)),
		nonce:           ratelimit.NewTokenBucket(nonceGuesses, time.Hour, nonceGuesses),
		factorChallenge: factorLimit(cfg.MFA.RateLimitChallengeAndVerify),
		factorVerify:    factorLimit(cfg.MFA.RateLimitChallengeAndVerify),
	}
	if emails := rates.EmailSent; !cfg.Mailer.Autoconfirm || emails.Events == 0 {
		l.emails = sendLimit(emails, start)
	}
	if !cfg.SMS.Autoconfirm {
		l.texts = sendLimit(rates.SMSSent, start)
	}
	return l
}

// Counters are the rate limits of a server with what they have counted.
type Counters struct {
	limits *limits
	of     rates
}

// rates are the settings that limits are made from.
type rates struct {
	RateLimit conf.RateLimit
	Factors   float64
	// Mails and texts are not counted where they confirm nothing.
	AutoconfirmsMail, AutoconfirmsPhone bool
}

func ratesOf(cfg *conf.Config) rates {
	return rates{cfg.RateLimit, cfg.MFA.RateLimitChallengeAndVerify, cfg.Mailer.Autoconfirm, cfg.SMS.Autoconfirm}
}

// Counters are for the server that takes this one's place: a reload must not
// give everybody a fresh start.
func (s *Server) Counters() *Counters {
	return &Counters{limits: s.limits, of: ratesOf(s.Config)}
}

// under returns the limits of cfg: those that have counted so far if it says
// the same as before, else new ones that count in the store, if there is one.
func (c *Counters) under(cfg *conf.Config, start time.Time, store *ratelimit.Store) *limits {
	if c != nil && reflect.DeepEqual(c.of, ratesOf(cfg)) {
		return c.limits
	}
	fresh := newLimits(cfg, start)
	fresh.share(store)
	return fresh
}

// share lets the limits count together with those of other replicas.
func (l *limits) share(store *ratelimit.Store) {
	for name, limiter := range map[string]*ratelimit.Limiter{
		"signup": &l.signup, "anonymous": &l.anonymous, "token": &l.token, "verify": &l.verify, "resend": &l.resend,
		"user": &l.user, "register": &l.register, "otp": &l.otp, "magiclink": &l.magicLink, "recover": &l.recover,
		"factor_challenge": &l.factorChallenge, "factor_verify": &l.factorVerify, "emails": &l.emails,
		"texts": &l.texts, "nonce": &l.nonce,
	} {
		if *limiter != nil {
			*limiter = store.Share(name, *limiter)
		}
	}
}

func sendLimit(rate conf.Rate, start time.Time) ratelimit.Limiter {
	if rate.Form == conf.RateBucket {
		return ratelimit.NewRefill(int(rate.Events), rate.Interval)
	}
	return ratelimit.NewWindow(int(rate.Events), rate.Interval, start)
}

// limit refuses requests of a client beyond its bucket. Without a header to
// tell clients apart nobody is limited.
func (s *Server) limit(bucket ratelimit.Limiter, next http.HandlerFunc) http.HandlerFunc {
	return s.kit.Open(func(w http.ResponseWriter, r *http.Request) error {
		if err := s.admit(bucket, r); err != nil {
			return err
		}
		next(w, r)
		return nil
	})
}

func (s *Server) admit(bucket ratelimit.Limiter, r *http.Request) error {
	return web.Admit(r, bucket, s.clientIP.Key(r, s.limits.header), s.kit.Time(r))
}
