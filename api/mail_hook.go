package api

import (
	"cmp"
	"context"

	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/onetime"
)

// hookMails hands every mail, notices too, to the operator's hook.
type hookMails struct {
	hooks       *hooks.Hooks
	externalURL string
}

// Send implements onetime.Sender. The two letters of an e-mail change are one
// call.
func (h hookMails) Send(ctx context.Context, m onetime.Mail) error {
	data := hooks.EmailData{
		Token: m.Code, TokenHash: m.Hash, RedirectTo: m.RedirectTo,
		ActionType: actionType(m.Kind), SiteURL: cmp.Or(m.LinkBase, h.externalURL),
		OldEmail: m.OldEmail, OldPhone: m.OldPhone, Provider: m.Provider, FactorType: m.FactorType,
	}
	if m.Other != nil { // m goes to the new address, the other one to the present
		data.Token, data.TokenHashNew = m.Other.Code, m.Other.Hash
		data.TokenNew, data.TokenHash = m.Code, m.Hash
	}
	return h.hooks.SendEmail(ctx, hooks.Email{User: view.NewUser(m.User), Data: data, IPAddress: m.IPAddress})
}

// actionType is the hook's name for a kind of mail.
func actionType(kind onetime.Kind) string {
	switch kind {
	case onetime.Confirmation:
		return "signup"
	case onetime.MagicLink:
		return "magiclink"
	}
	return string(kind)
}
