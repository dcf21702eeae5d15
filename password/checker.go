package password

import "context"

const pwnedSentence = "Password is known to be weak and easy to guess, please choose a different one."

// A Checker is a policy that also asks HaveIBeenPwned.org. Its zero value asks
// nobody and wants six bytes.
type Checker struct {
	Policy
	// HIBP is asked about each password, if not nil.
	HIBP *HIBP
	// FailClosed refuses passwords while HIBP cannot be asked.
	FailClosed bool
	// Failed is told each failure of HIBP, if not nil.
	Failed func(context.Context, error)
}

// Check returns what is weak about plain, nil when nothing is. The error wraps
// [ErrHIBP]; it is returned only with FailClosed, for a password that nothing
// else speaks against. GoTrue answers it with "Unable to perform password
// strength check with HaveIBeenPwned.org.".
func (c Checker) Check(ctx context.Context, plain string) (*Weakness, error) {
	weak := c.Policy.Check(plain)
	if c.HIBP == nil {
		return weak, nil
	}
	pwned, err := c.HIBP.Pwned(ctx, plain)
	switch {
	case err != nil:
		if c.Failed != nil {
			c.Failed(ctx, err)
		}
		if c.FailClosed && weak == nil {
			return nil, err
		}
		return weak, nil
	case !pwned:
		return weak, nil
	case weak == nil:
		return &Weakness{Reasons: []string{ReasonPwned}, Message: pwnedSentence}, nil
	}
	return &Weakness{Reasons: append(weak.Reasons, ReasonPwned), Message: weak.Message + " " + pwnedSentence}, nil
}
