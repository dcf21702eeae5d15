package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

type enrolRequest struct {
	FactorType   mfa.Type `json:"factor_type"`
	FriendlyName string   `json:"friendly_name"`
	Issuer       string   `json:"issuer"`
	Phone        string   `json:"phone"`
}

// enrolResponse shows a new factor. The secret is never shown again.
type enrolResponse struct {
	ID           uuid.UUID `json:"id"`
	Type         mfa.Type  `json:"type"`
	FriendlyName string    `json:"friendly_name"`
	TOTP         *totpKey  `json:"totp,omitempty"`
	Phone        string    `json:"phone,omitempty"`
}

type totpKey struct {
	// QRCode is an SVG document.
	QRCode string `json:"qr_code"`
	Secret string `json:"secret"`
	URI    string `json:"uri"`
}

// POST /factors
func (f *factors) enroll(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	in, err := web.Decode[enrolRequest](r)
	if err != nil {
		return err
	}
	if err := f.checkEnrolEnabled(in.FactorType); err != nil {
		return err
	}
	factor := models.NewFactor{
		ID: f.ids.New(), UserID: caller.ID, Type: string(in.FactorType), FriendlyName: in.FriendlyName,
	}
	answer := enrolResponse{ID: factor.ID, Type: in.FactorType, FriendlyName: in.FriendlyName}
	traits := map[string]any{"factor_id": factor.ID}
	switch in.FactorType {
	case mfa.Phone:
		factor.Phone, err = f.phoneOf(in)
		answer.Phone = in.Phone
	case mfa.TOTP:
		answer.TOTP, factor.Secret, err = f.newTOTP(in, caller, factor.ID)
	}
	if err != nil {
		return err
	}
	if in.FactorType != mfa.TOTP {
		traits["factor_type"] = in.FactorType
	}

	trail := f.trail(r, caller, models.AuditFactorInProgress, traits)
	if err := f.saveEnrolment(r, caller, factor, trail); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, answer)
}

func (f *factors) checkEnrolEnabled(t mfa.Type) error {
	enabled, known := map[mfa.Type]bool{
		mfa.TOTP:     f.Config.MFA.TOTP.EnrollEnabled,
		mfa.Phone:    f.Config.MFA.Phone.EnrollEnabled,
		mfa.WebAuthn: f.Config.MFA.WebAuthn.EnrollEnabled,
	}[t]
	switch {
	case !known:
		return apierror.Validation("factor_type needs to be totp, phone, or webauthn")
	case !enabled:
		return errEnrollDisabled(t)
	}
	return nil
}

func (f *factors) phoneOf(in *enrolRequest) (string, error) {
	if in.Phone == "" {
		return "", apierror.Validation("Phone number required to enroll Phone factor")
	}
	return f.addresses.Phone(in.Phone)
}

// newTOTP makes the secret of a factor: as the user gets it, and as the row
// keeps it.
func (f *factors) newTOTP(in *enrolRequest, caller *web.Caller, id uuid.UUID) (*totpKey, string, error) {
	if caller.Email == "" {
		return nil, "", apierror.Failure("Error generating QR Code", errors.New("the user has no email address"))
	}
	issuer := in.Issuer
	if issuer == "" {
		site, err := url.Parse(f.Config.SiteURL)
		if err != nil {
			return nil, "", apierror.Failure("site url is improperly formatted", err)
		}
		issuer = site.Host
	}
	secret, err := mfa.NewSecret(f.Random)
	if err != nil {
		return nil, "", err
	}
	key := &totpKey{Secret: secret, URI: mfa.KeyURI(issuer, caller.Email, secret)}
	if key.QRCode, err = mfa.QRCode(key.URI); err != nil {
		return nil, "", apierror.Failure("Error generating QR Code", err)
	}
	sealed, err := f.Box.Seal(id.String(), secret)
	return key, sealed, err
}

// saveEnrolment decides on the factors that the user has at this moment.
func (f *factors) saveEnrolment(r *http.Request, caller *web.Caller, factor models.NewFactor, trail models.AuditTrail) error {
	now := f.kit.Time(r)
	enrolment := mfa.Enrolment{
		Type: mfa.Type(factor.Type), FriendlyName: factor.FriendlyName, Phone: factor.Phone,
		AAL: caller.Session.AAL, Now: now,
	}
	err := f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		existing, err := models.LockFactors(tx, caller.ID)
		if err != nil {
			return err
		}
		if factor.Replaced, err = enrolment.Check(existing, f.Config.MFA); err != nil {
			return err
		}
		return models.EnrollFactor(tx, factor, trail, now)
	})
	if err != nil {
		return enrolError(err, factor.FriendlyName)
	}
	return nil
}
