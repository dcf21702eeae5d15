package api

import (
	"net/http"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
)

// checkSignUpByPhone applies the rules of sign-ups by phone and puts number and
// channel into their stored form.
func (s *Server) checkSignUpByPhone(in *signUpRequest) (err error) {
	if in.Channel, err = s.checkChannel(in.Channel); err != nil {
		return err
	}
	if in.CodeChallenge != "" {
		return apierror.Validation("PKCE not supported for phone signups")
	}
	if _, err := in.parse(); err != nil {
		return err
	}
	if !s.Config.External.PhoneEnabled {
		return apierror.New(http.StatusBadRequest, apierror.PhoneProviderDisabled, "Phone signups are disabled")
	}
	in.Phone, err = s.addresses.Phone(in.Phone)
	return err
}

// confirmation is the message that confirms a sign-up.
func (s *Server) confirmation(r *http.Request, in *signUpRequest) codeMail {
	if in.Phone != "" {
		return s.textTo(onetime.SMSConfirmation, in.Phone, in.Channel, s.kit.Time(r))
	}
	return confirmationMail(in.challenge, startedBySignUp)
}

// autoconfirms reports whether the project confirms the addresses of a provider
// by itself.
func (s *Server) autoconfirms(provider string) bool {
	if provider == accounts.ProviderPhone {
		return s.Config.SMS.Autoconfirm
	}
	return s.Config.Mailer.Autoconfirm
}

// confirmedAt is when a user confirmed the address of a provider.
func confirmedAt(user *models.User, provider string) *time.Time {
	if provider == accounts.ProviderPhone {
		return user.PhoneConfirmedAt
	}
	return user.EmailConfirmedAt
}
