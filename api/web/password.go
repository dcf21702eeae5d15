package web

import (
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/password"
)

// CheckPassword applies the length limit and the project's policy to a new
// password.
func CheckPassword(policy password.Policy, plain string) error {
	if err := password.CheckLength(plain); err != nil {
		return err
	}
	if weak := policy.Check(plain); weak != nil {
		return apierror.Weak(weak.Message, weak.Reasons)
	}
	return nil
}
