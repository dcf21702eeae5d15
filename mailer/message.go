package mailer

// Message is one mail to one person.
type Message struct {
	Kind Kind
	// To is the bare address of the recipient.
	To   string
	Data TemplateData
}

// TemplateData is what templates can show. Each kind offers its own part of it:
// whatever else is set stays out of the template's reach.
type TemplateData struct {
	SiteURL string
	// ConfirmationURL is the link, see the function of that name.
	ConfirmationURL string
	// Email is the user's current address.
	Email string
	// NewEmail is the address of an email_change, SendingTo the one of its two
	// addresses this mail goes to.
	NewEmail  string
	SendingTo string
	// Token is the code to type, TokenHash its stored hash, which may start
	// with "pkce_". Both are secrets.
	Token     string
	TokenHash string
	// RedirectTo is where the link leads in the end.
	RedirectTo string
	// Data is the user's user_metadata.
	Data map[string]any

	OldEmail   string
	Phone      string
	OldPhone   string
	Provider   string
	FactorType string
}

// variables returns the part of d that a kind offers. It is a map rather than
// the struct so that a template may ask for a variable of another kind and get
// nothing, as in GoTrue.
func (d TemplateData) variables(k Kind) map[string]any {
	v := map[string]any{"SiteURL": d.SiteURL, "Email": d.Email, "Data": d.Data}
	switch k {
	case EmailChange:
		v["NewEmail"], v["SendingTo"] = d.NewEmail, d.SendingTo
		d.addLink(v)
	case Invite, Confirmation, Recovery, MagicLink:
		d.addLink(v)
	case Reauthentication:
		v["Token"] = d.Token
	case EmailChanged:
		v["OldEmail"] = d.OldEmail
	case PhoneChanged:
		v["Phone"], v["OldPhone"] = d.Phone, d.OldPhone
	case IdentityLinked, IdentityUnlinked:
		v["Provider"] = d.Provider
	case MFAFactorEnrolled, MFAFactorUnenrolled:
		v["FactorType"] = d.FactorType
	case PasswordChanged:
	}
	return v
}

func (d TemplateData) addLink(v map[string]any) {
	v["ConfirmationURL"] = d.ConfirmationURL
	v["Token"] = d.Token
	v["TokenHash"] = d.TokenHash
	v["RedirectTo"] = d.RedirectTo
}
