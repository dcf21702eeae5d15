package admin

import (
	"time"

	"github.com/truegrant/truegrant/api/apierror"
)

// userInput is the body of POST and PUT.
type userInput struct {
	// ID, Aud and PasswordHash count for POST only.
	ID           string `json:"id"`
	Aud          string `json:"aud"`
	PasswordHash string `json:"password_hash"`

	Role         string         `json:"role"`
	Email        string         `json:"email"`
	Phone        string         `json:"phone"`
	Password     *string        `json:"password"`
	EmailConfirm bool           `json:"email_confirm"`
	PhoneConfirm bool           `json:"phone_confirm"`
	UserMetadata map[string]any `json:"user_metadata"`
	AppMetadata  map[string]any `json:"app_metadata"`
	BanDuration  string         `json:"ban_duration"`
}

// normalize puts the given addresses into the form they are stored in.
func (s *Server) normalize(in *userInput) (err error) {
	if in.Email != "" {
		if in.Email, err = s.Addresses.Email(in.Email); err != nil {
			return err
		}
	}
	if in.Phone != "" {
		in.Phone, err = s.Addresses.Phone(in.Phone)
	}
	return err
}

// ban is what a request wants to happen to a user's ban.
type ban struct {
	set   bool
	until *time.Time // nil lifts the ban
}

// parseBan reads a duration from now, "none" for no ban, or empty for no change.
func parseBan(text string, now time.Time) (ban, error) {
	switch text {
	case "":
		return ban{}, nil
	case "none":
		return ban{set: true}, nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return ban{}, apierror.Validation("invalid format for ban duration: " + err.Error())
	}
	until := now.Add(duration)
	return ban{set: true, until: &until}, nil
}
