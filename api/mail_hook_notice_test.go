package api

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
)

// A notice carries no code; what changed is in a member of its own, and the
// kind is the hook's name for it.
func TestMailHookOfNotices(t *testing.T) {
	t.Parallel()
	payloads := make(chan map[string]any, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var payload map[string]any
		_ = json.NewDecoder(r.Body).Decode(&payload)
		payloads <- payload
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	now := func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }
	configured, err := hooks.New(hooks.Config{
		Targets: map[hooks.Point]hooks.Target{hooks.PointSendEmail: {Enabled: true, URI: server.URL}},
		Now:     now, Random: rand.Reader,
	})
	require.NoError(t, err)
	sender := hookMails{hooks: configured, externalURL: "https://auth.test"}
	user := &models.User{Email: "ann@example.test", Phone: "4915"}

	for kind, change := range map[onetime.Kind]onetime.Change{
		"password_changed_notification":      {},
		"email_changed_notification":         {OldEmail: "old@example.test"},
		"phone_changed_notification":         {OldPhone: "4916"},
		"identity_linked_notification":       {Provider: "github"},
		"identity_unlinked_notification":     {Provider: "google"},
		"mfa_factor_enrolled_notification":   {FactorType: "totp"},
		"mfa_factor_unenrolled_notification": {FactorType: "phone"},
	} {
		require.NoError(t, sender.Send(t.Context(), onetime.Mail{Kind: kind, User: user, Change: change}))
		payload := <-payloads
		require.Equal(t, "ann@example.test", payload["user"].(map[string]any)["email"])
		require.Equal(t, map[string]any{
			"email_action_type": string(kind), "site_url": "https://auth.test", "redirect_to": "",
			"token": "", "token_hash": "", "token_new": "", "token_hash_new": "",
			"old_email": change.OldEmail, "old_phone": change.OldPhone, "provider": change.Provider, "factor_type": change.FactorType,
		}, payload["email_data"])
	}
}
