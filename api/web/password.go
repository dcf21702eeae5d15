package web

import (
	"context"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/password"
)

// CheckPassword applies the length limit and the project's policy to a new
// password.
func CheckPassword(ctx context.Context, checker password.Checker, plain string) error {
	if err := password.CheckLength(plain); err != nil {
		return err
	}
	weak, err := checker.Check(ctx, plain)
	switch {
	case err != nil:
		return apierror.Elsewhere("Unable to perform password strength check with HaveIBeenPwned.org.", err)
	case weak != nil:
		return apierror.Weak(weak.Message, weak.Reasons)
	}
	return nil
}
