package hooks

import "context"

type userInput struct {
	Metadata Metadata `json:"metadata"`
	User     any      `json:"user"`
}

// BeforeUserCreated asks whether user may be created. User is the public JSON
// view of the user as it will be inserted; ipAddress may be empty. A
// *[Rejection] means no. It does nothing while the hook is disabled.
func (h *Hooks) BeforeUserCreated(ctx context.Context, user any, ipAddress string) error {
	return h.userCreated(ctx, PointBeforeUserCreated, user, ipAddress)
}

// AfterUserCreated tells that user was created and committed. Its error cannot
// undo that. It does nothing while the hook is disabled.
func (h *Hooks) AfterUserCreated(ctx context.Context, user any, ipAddress string) error {
	return h.userCreated(ctx, PointAfterUserCreated, user, ipAddress)
}

func (h *Hooks) userCreated(ctx context.Context, point Point, user any, ipAddress string) error {
	if !h.Enabled(point) {
		return nil
	}
	metadata, err := h.NewMetadata(point, ipAddress)
	if err != nil {
		return err
	}
	return h.Invoke(ctx, point, userInput{Metadata: metadata, User: user}, nil)
}
