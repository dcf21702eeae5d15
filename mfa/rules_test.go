package mfa_test

import (
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
)

func TestEnrolment(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	fresh, old := now.Add(-time.Minute), now.Add(-time.Hour)
	cfg := conf.MFA{MaxEnrolledFactors: 3, MaxVerifiedFactors: 2, FactorExpiryDuration: 5 * time.Minute}
	factor := func(name, status string, at time.Time) models.EnrolledFactor {
		return models.EnrolledFactor{
			ID: uuid.Must(uuid.NewV4()), FriendlyName: name, Status: status, CreatedAt: at, FactorType: "totp",
		}
	}
	phone := func(status, number string) models.EnrolledFactor {
		f := factor("phone "+number, status, fresh)
		f.FactorType, f.Phone = "phone", number
		return f
	}
	challenged := factor("old", "unverified", old)
	challenged.Challenged = true

	for name, test := range map[string]struct {
		existing []models.EnrolledFactor
		wants    mfa.Enrolment
		want     error
		replaced int
	}{
		"first": {wants: mfa.Enrolment{Type: mfa.TOTP, AAL: models.AAL1}},
		"same name": {
			existing: []models.EnrolledFactor{factor("a", "unverified", fresh)},
			wants:    mfa.Enrolment{Type: mfa.TOTP, FriendlyName: "a", AAL: models.AAL1}, want: mfa.ErrNameTaken,
		},
		"no name twice": {
			existing: []models.EnrolledFactor{factor("", "unverified", fresh)},
			wants:    mfa.Enrolment{Type: mfa.TOTP, AAL: models.AAL1}, want: mfa.ErrNameTaken,
		},
		"name of an abandoned one": {
			existing: []models.EnrolledFactor{factor("a", "unverified", old)},
			wants:    mfa.Enrolment{Type: mfa.TOTP, FriendlyName: "a", AAL: models.AAL1}, replaced: 1,
		},
		"a challenged one is not abandoned": {
			existing: []models.EnrolledFactor{challenged},
			wants:    mfa.Enrolment{Type: mfa.TOTP, FriendlyName: "old", AAL: models.AAL1}, want: mfa.ErrNameTaken,
		},
		"a verified one is never abandoned": {
			existing: []models.EnrolledFactor{factor("a", "verified", old)},
			wants:    mfa.Enrolment{Type: mfa.TOTP, FriendlyName: "a", AAL: models.AAL2}, want: mfa.ErrNameTaken,
		},
		"too many": {
			existing: []models.EnrolledFactor{
				factor("a", "unverified", fresh), factor("b", "unverified", fresh), factor("c", "unverified", fresh),
			},
			wants: mfa.Enrolment{Type: mfa.TOTP, FriendlyName: "d", AAL: models.AAL1}, want: mfa.ErrTooMany,
		},
		"too many verified": {
			existing: []models.EnrolledFactor{factor("a", "verified", old), factor("b", "verified", old)},
			wants:    mfa.Enrolment{Type: mfa.TOTP, FriendlyName: "d", AAL: models.AAL2}, want: mfa.ErrTooMany,
		},
		"second at aal1": {
			existing: []models.EnrolledFactor{factor("a", "verified", old)},
			wants:    mfa.Enrolment{Type: mfa.WebAuthn, FriendlyName: "d", AAL: models.AAL1}, want: mfa.ErrAAL2Required,
		},
		"second at aal2": {
			existing: []models.EnrolledFactor{factor("a", "verified", old)},
			wants:    mfa.Enrolment{Type: mfa.WebAuthn, FriendlyName: "d", AAL: models.AAL2},
		},
		"same phone unverified": {
			existing: []models.EnrolledFactor{phone("unverified", "12345678")},
			wants:    mfa.Enrolment{Type: mfa.Phone, Phone: "12345678", AAL: models.AAL1}, replaced: 1,
		},
		"same phone verified": {
			existing: []models.EnrolledFactor{phone("verified", "12345678")},
			wants:    mfa.Enrolment{Type: mfa.Phone, Phone: "12345678", AAL: models.AAL2}, want: mfa.ErrPhoneVerified,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.wants.Now = now
			replaced, err := test.wants.Check(test.existing, cfg)
			require.ErrorIs(t, err, test.want)
			if test.want == nil {
				require.NoError(t, err)
				require.Len(t, replaced, test.replaced)
			}
		})
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for factor, want := range map[mfa.Type][2]string{
		mfa.TOTP: {"TOTP", "totp"}, mfa.Phone: {"Phone", "mfa/phone"}, mfa.WebAuthn: {"WebAuthn", "mfa/webauthn"},
	} {
		require.Equal(t, want, [2]string{factor.Name(), factor.Method()})
	}
}
