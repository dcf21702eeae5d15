package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// What SDKs and their users see at the edges of the factor routes.
func TestFactorRoutesAtTheEdges(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(cfg *conf.Config) {
		cfg.MFA.Phone = conf.MFAPhone{EnrollEnabled: true, VerifyEnabled: false, OTPLength: 6}
	})
	user := app.User(t)
	bearer := apitest.Bearer(user.AccessToken)
	f := enrollTOTP(app, user, "app")
	phone := app.Do(http.MethodPost, "/factors/", map[string]any{"factor_type": "phone", "phone": "+49 151 1234", "friendly_name": "p"}, bearer).OK()
	require.Equal(t, "+49 151 1234", phone["phone"], "as it was sent")
	require.Equal(t, "491511234", app.Text(`select phone from mfa_factors where id = $1`, phone["id"]))

	list := app.Do(http.MethodGet, "/factors", nil, bearer)
	require.Equal(t, []any{http.StatusMethodNotAllowed, ""}, []any{list.Status, string(list.Body)})
	require.Equal(t, http.StatusNotFound, app.Do(http.MethodPost, "/factors/"+f.id+"/challenge/", nil, bearer).Status)
	require.NotEmpty(t, app.Do(http.MethodPost, "/factors/"+f.id+"/challenge", "no JSON at all", bearer).OK()["id"])

	verify := func(id string, body any) *apitest.Response {
		return app.Do(http.MethodPost, "/factors/"+id+"/verify", body, bearer)
	}
	require.Equal(t, `Could not parse request body as JSON: uuid: incorrect UUID length 1 in string "x"`,
		verify(f.id, map[string]any{"challenge_id": "x", "code": "1"}).Refused(http.StatusBadRequest, "bad_json"))
	require.Equal(t, "Code needs to be non-empty",
		verify(phone["id"].(string), map[string]any{}).Refused(http.StatusBadRequest, "validation_failed"))
	require.Equal(t, "MFA verification is disabled for Phone",
		verify(phone["id"].(string), map[string]any{"code": "1"}).Refused(http.StatusUnprocessableEntity, "mfa_phone_verify_not_enabled"))
	require.Equal(t, "MFA factor with the provided challenge ID not found",
		verify(f.id, map[string]any{"code": "1"}).Refused(http.StatusUnprocessableEntity, "mfa_factor_not_found"))
	for path, status := range map[string]int{"/factors/x": http.StatusNotFound, "/factors/" + user.ID: http.StatusNotFound} {
		require.Equal(t, status, app.Do(http.MethodDelete, path, nil, bearer).Status, path)
	}
}

// Values of one key are read, and sealed again under the next when they are
// used; those of a key that is gone are refused.
func TestFactorSecretsFollowTheKey(t *testing.T) {
	t.Parallel()
	first, second := strings.Repeat("A", 43), strings.Repeat("B", 42)+"A"
	app := apitest.New(t, func(cfg *conf.Config) {
		cfg.Security.DBEncryption = conf.DBEncryption{
			Encrypt: true, EncryptionKeyID: "k1", EncryptionKey: first, DecryptionKeys: map[string]string{"k1": first},
		}
		cfg.MFA.Phone = conf.MFAPhone{EnrollEnabled: true, VerifyEnabled: true, OTPLength: 6}
		cfg.SMS.TestOTP = map[string]string{"4915112345678": "424242"}
	})
	user, f := protected(t, app)
	phone := enrollPhone(app, user, "4915112345678", "phone")
	challenge := challengeOf(app, user, phone)
	require.Equal(t, "k1 aes-gcm-hkdf", app.Text(`select (otp_code::json->>'key_id') || ' ' || (otp_code::json->>'alg')
		from mfa_challenges where id = $1`, challenge))
	answer(app, user, phone, challenge, "424242").OK()

	app.Config.Security.DBEncryption = conf.DBEncryption{
		Encrypt: true, EncryptionKeyID: "k2", EncryptionKey: second, DecryptionKeys: map[string]string{"k1": first, "k2": second},
	}
	rotated := app.Replica(t)
	const keyID = `select secret::json->>'key_id' from mfa_factors where id = $1`
	answer(rotated, user, f, challengeOf(rotated, user, f), "x").Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	require.Equal(t, "k1", app.Text(keyID, f.id), "only a success writes")
	user = stepUp(t, rotated, user, f)
	require.Equal(t, "k2", app.Text(keyID, f.id))

	answer(app, user, f, challengeOf(app, user, f), f.code(t, app)).Refused(http.StatusInternalServerError, "unexpected_failure")
}
