package onetime

// Change is what a notice tells beside what the user's row says. Each kind sets
// its own part.
type Change struct {
	// OldEmail and OldPhone are the address and the number before the change.
	OldEmail, OldPhone string
	// Provider is that of an identity, FactorType that of a second factor.
	Provider, FactorType string
}
