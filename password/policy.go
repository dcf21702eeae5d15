package password

import (
	"fmt"
	"strings"
)

// Reasons of a [Weakness], as GoTrue's SDKs know them.
const (
	ReasonLength     = "length"
	ReasonCharacters = "characters"
	ReasonPwned      = "pwned" // known from a breach: see [Checker]
)

// minLength is the least that any policy asks for, in bytes.
const minLength = 6

// A Policy says what a new password must have. The zero value asks for six
// bytes.
type Policy struct {
	MinLength int      // bytes; values below 6 count as 6
	Required  []string // sets of characters; one of each set is needed
}

// A Weakness says why a password was refused.
type Weakness struct {
	Reasons []string // "length", "characters", "pwned", in this order
	Message string   // one sentence for each reason, joined by a blank
}

// Check returns what is weak about plain, nil when nothing is. It does not
// check the upper limit: see [CheckLength].
func (p Policy) Check(plain string) *Weakness {
	var reasons, sentences []string
	if least := max(p.MinLength, minLength); len(plain) < least {
		reasons = append(reasons, ReasonLength)
		sentences = append(sentences, fmt.Sprintf("Password should be at least %d characters.", least))
	}
	if !hasEach(plain, p.Required) {
		reasons = append(reasons, ReasonCharacters)
		sentences = append(sentences, fmt.Sprintf(
			"Password should contain at least one character of each: %s.", strings.Join(p.Required, ", ")))
	}
	if reasons == nil {
		return nil
	}
	return &Weakness{Reasons: reasons, Message: strings.Join(sentences, " ")}
}

// CheckLength returns [ErrTooLong] when plain has more than 72 bytes, which is
// all that bcrypt looks at.
func CheckLength(plain string) error {
	if len(plain) > maxBytes {
		return ErrTooLong
	}
	return nil
}

func hasEach(plain string, sets []string) bool {
	for _, set := range sets {
		if set != "" && !strings.ContainsAny(plain, set) {
			return false
		}
	}
	return true
}
