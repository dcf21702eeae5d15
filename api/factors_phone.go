package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/sms"
	"github.com/truegrant/truegrant/storage"
)

// text sends the code of a factor. Its errors are those of GoTrue, which do
// not tell what the hook or the provider said.
func (f *factors) text(ctx context.Context, c phoneCode) error {
	c.purpose = hooks.SMSTypeMFA
	err := f.phones.send(ctx, c)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTextHook):
		return apierror.Failure("error invoking hook", err)
	case errors.Is(err, errTextProvider):
		return apierror.Failure("Failed to get SMS provider", err)
	case errors.Is(err, errTextTemplate):
		return apierror.Failure("error generating sms template", err)
	}
	return apierror.Failure("error sending message", err)
}

type phoneChallengeRequest struct {
	Channel string `json:"channel"`
}

// challengePhone writes the challenge, then sends the code, with no lock held.
// A code that could not be sent leaves no challenge and no pause behind.
func (f *factors) challengePhone(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error {
	in, err := web.Decode[phoneChallengeRequest](r)
	if err != nil {
		return err
	}
	if in.Channel, err = f.checkChannel(in.Channel); err != nil {
		return err
	}
	now := f.kit.Time(r)
	code, fixed := sms.TestCode(f.Config.SMS, factor.Phone, now)
	if !fixed {
		if code, err = secret.Digits(f.Random, f.Config.MFA.Phone.OTPLength); err != nil {
			return err
		}
	}
	pause := now.Add(-f.Config.MFA.Phone.MaxFrequency)
	challenge := models.NewChallenge{ID: f.ids.New(), LastBefore: &pause}
	if challenge.Code, err = f.Box.Seal(challenge.ID.String(), code); err != nil {
		return fmt.Errorf("seal phone code: %w", err)
	}
	if err := f.saveChallenge(r, caller, factor, &challenge); err != nil {
		return f.tooSoon(r, factor, err, now)
	}
	if !fixed {
		err = f.text(r.Context(), phoneCode{
			user: &caller.User, phone: factor.Phone, code: code, channel: in.Channel, ip: f.clientIP.Of(r),
		})
	}
	if err != nil {
		ctx := context.WithoutCancel(r.Context()) // the caller may have given up waiting
		return errors.Join(err, models.WithdrawChallenge(f.DB.Conn(ctx), challenge.ID))
	}
	return f.showChallenge(w, r, factor, challenge, nil)
}

// tooSoon explains a challenge that was not written.
func (f *factors) tooSoon(r *http.Request, factor *models.Factor, cause error, now time.Time) error {
	if !errors.Is(cause, storage.ErrNotFound) {
		return cause
	}
	last, err := models.LastChallengedAt(f.DB.Conn(r.Context()), factor.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound()
	case err != nil:
		return fmt.Errorf("read last challenge: %w", err)
	}
	seconds := int(last.Add(f.Config.MFA.Phone.MaxFrequency).Sub(now) / time.Second)
	return apierror.New(http.StatusTooManyRequests, apierror.OverSMSSendRateLimit,
		"For security purposes, you can only request this after "+strconv.Itoa(max(seconds, 0))+" seconds.")
}
