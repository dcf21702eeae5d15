package hooks

import "context"

// Verdict is what a hook says of an attempt to sign in. The zero value lets the
// attempt go its way.
type Verdict struct {
	// Rejected: the attempt fails, right or wrong.
	Rejected bool
	// Message is for the user, '' if the hook has none.
	Message string
	// EndSessions asks that all sessions of the user end.
	EndSessions bool
}

// PasswordAttempt is the answer to the question for a password.
type PasswordAttempt struct {
	UserID string
	// Valid tells whether the password is the user's.
	Valid bool
	// IPAddress is the end user's, '' if unknown.
	IPAddress string
}

// PasswordVerification asks what to do about an attempt. While the hook is
// disabled every attempt goes its way.
func (h *Hooks) PasswordVerification(ctx context.Context, in PasswordAttempt) (Verdict, error) {
	return h.judge(ctx, PointPasswordVerification, in.IPAddress, func(m Metadata) any {
		return struct {
			Metadata Metadata `json:"metadata"`
			UserID   string   `json:"user_id"`
			Valid    bool     `json:"valid"`
		}{m, in.UserID, in.Valid}
	})
}

// MFAAttempt is the answer to the challenge of a second factor.
type MFAAttempt struct {
	UserID   string
	FactorID string
	// FactorType is totp or phone.
	FactorType string
	// Valid tells whether the code is right.
	Valid bool
	// IPAddress is the end user's, '' if unknown.
	IPAddress string
}

// MFAVerification asks what to do about an attempt; a rejection ends all
// sessions. While the hook is disabled every attempt goes its way.
func (h *Hooks) MFAVerification(ctx context.Context, in MFAAttempt) (Verdict, error) {
	verdict, err := h.judge(ctx, PointMFAVerification, in.IPAddress, func(m Metadata) any {
		return struct {
			Metadata   Metadata `json:"metadata"`
			UserID     string   `json:"user_id"`
			FactorID   string   `json:"factor_id"`
			FactorType string   `json:"factor_type"`
			Valid      bool     `json:"valid"`
		}{m, in.UserID, in.FactorID, in.FactorType, in.Valid}
	})
	verdict.EndSessions = verdict.Rejected
	return verdict, err
}

// judge asks the hook at a point. Whatever is not the word "reject" agrees, as
// with GoTrue; a hook that failed decided nothing, which is an error.
func (h *Hooks) judge(ctx context.Context, point Point, ipAddress string, payload func(Metadata) any) (Verdict, error) {
	if !h.Enabled(point) {
		return Verdict{}, nil
	}
	metadata, err := h.NewMetadata(point, ipAddress)
	if err != nil {
		return Verdict{}, err
	}
	var reply struct {
		Decision         string `json:"decision"`
		Message          string `json:"message"`
		ShouldLogoutUser bool   `json:"should_logout_user"`
	}
	if err := h.Invoke(ctx, point, payload(metadata), &reply); err != nil {
		return Verdict{}, err
	}
	if reply.Decision != "reject" {
		return Verdict{}, nil
	}
	return Verdict{Rejected: true, Message: reply.Message, EndSessions: reply.ShouldLogoutUser}, nil
}
