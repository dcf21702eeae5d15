package accounts

import (
	"errors"
	"slices"
	"strings"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
)

// Why an identity cannot be unlinked.
var (
	// ErrLastIdentity: the user could not sign in any more.
	ErrLastIdentity = errors.New("the user has no other identity")
	// ErrNoSuchIdentity: the user has no identity with the id.
	ErrNoSuchIdentity = errors.New("no such identity of the user")
	// ErrEmailConflict: the user would have to take an address that is another
	// user's.
	ErrEmailConflict = errors.New("the remaining addresses are taken")
)

// Unlink decides what becomes of a user without one of the identities.
// autoconfirm says that the project takes every address for confirmed.
func Unlink(user *models.LinkedUser, id uuid.UUID, autoconfirm bool) (models.Unlinking, error) {
	plan := models.Unlinking{UserID: user.ID}
	if len(user.Identities) <= 1 {
		return plan, ErrLastIdentity
	}
	at := slices.IndexFunc(user.Identities, func(i models.Identity) bool { return i.ID == id })
	if at < 0 {
		return plan, ErrNoSuchIdentity
	}
	remaining := slices.Delete(slices.Clone(user.Identities), at, at+1)
	plan.Identity = user.Identities[at]
	plan.AppData = AppMetadata(ProvidersOf(remaining)...)
	if plan.Identity.Provider == ProviderPhone {
		plan.DropPhone = true
		return plan, nil
	}
	if slices.ContainsFunc(remaining, func(i models.Identity) bool { return strings.EqualFold(i.Email, user.Email) }) {
		return plan, nil
	}
	next, ok := nextAddress(remaining, user.Taken)
	if !ok {
		return plan, ErrEmailConflict
	}
	plan.MoveEmail, plan.Email = true, next.Email
	plan.Unconfirm = next.Email == "" || !next.EmailVerified() && !autoconfirm
	return plan, nil
}

// nextAddress chooses the identity whose address becomes the user's: one that
// its provider has verified, else any, else one without an address; the oldest
// of its kind. Addresses of other users do not count.
func nextAddress(identities models.Identities, taken []string) (models.Identity, bool) {
	rank := func(i models.Identity) int {
		switch {
		case i.Email == "":
			return 2
		case !i.EmailVerified():
			return 1
		}
		return 0
	}
	free := slices.DeleteFunc(slices.Clone(identities), func(i models.Identity) bool { return slices.Contains(taken, i.Email) })
	if len(free) == 0 {
		return models.Identity{}, false
	}
	// The first of the best: identities come oldest first.
	return slices.MinFunc(free, func(a, b models.Identity) int { return rank(a) - rank(b) }), true
}

// ProvidersOf are the providers of identities in their order, each once.
func ProvidersOf(identities models.Identities) []string {
	var providers []string
	for _, identity := range identities {
		if !slices.Contains(providers, identity.Provider) {
			providers = append(providers, identity.Provider)
		}
	}
	return providers
}
