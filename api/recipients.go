package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/mailer"
)

// recipients are whom the project's mail may go to.
type recipients struct {
	authorized []string
	validator  *mailer.Validator
}

// Check implements onetime.Recipients.
func (c recipients) Check(ctx context.Context, address string) error {
	if !mailer.Authorized(address, c.authorized) {
		return apierror.New(http.StatusBadRequest, apierror.EmailAddressNotAuthorized,
			fmt.Sprintf("Email address %q cannot be used as it is not authorized", address))
	}
	err := c.validator.Validate(ctx, address)
	if errors.Is(err, mailer.ErrInvalidAddress) {
		return apierror.New(http.StatusBadRequest, apierror.EmailAddressInvalid,
			fmt.Sprintf("Email address %q is invalid", address))
	}
	return err
}
