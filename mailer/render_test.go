package mailer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func fullData() TemplateData {
	return TemplateData{
		SiteURL: "v-site", ConfirmationURL: "https://v-link", Email: "v-email", NewEmail: "v-newemail",
		SendingTo: "v-sendingto", Token: "v-token", TokenHash: "v-hash", RedirectTo: "v-redirect",
		Data: map[string]any{"k": "v-data"}, OldEmail: "v-oldemail", Phone: "v-phone",
		OldPhone: "v-oldphone", Provider: "v-provider", FactorType: "v-factor",
	}
}

// Every kind offers exactly its variables, and has a subject and a body that
// show what the mail is for.
func TestKinds(t *testing.T) {
	t.Parallel()
	const all = "{{.SiteURL}} {{.ConfirmationURL}} {{.Email}} {{.NewEmail}} {{.SendingTo}} {{.Token}} {{.TokenHash}} " +
		"{{.RedirectTo}} {{.Data.k}} {{.OldEmail}} {{.Phone}} {{.OldPhone}} {{.Provider}} {{.FactorType}} {{.Unknown}}"
	const link = "v-site https://v-link v-email v-token v-hash v-redirect v-data"

	tests := []struct {
		kind      Kind
		message   string
		variables string
		subject   string
		inBody    string
	}{
		{Invite, "invite", link, "You've been invited", "https://v-link"},
		{Confirmation, "confirmation", link, "Confirm your email address", "https://v-link"},
		{Recovery, "recovery", link, "Reset your password", "https://v-link"},
		{MagicLink, "magic_link", link, "Your sign-in link", "https://v-link"},
		{EmailChange, "email_change", "v-site https://v-link v-email v-newemail v-sendingto v-token v-hash v-redirect v-data", "Confirm your new email address", "https://v-link"},
		{Reauthentication, "reauthenticate", "v-site v-email v-token v-data", "v-token is your verification code", "v-token"},
		{PasswordChanged, "password_changed_notification", "v-site v-email v-data", "Your password was changed", "v-email"},
		{EmailChanged, "email_changed_notification", "v-site v-email v-data v-oldemail", "Your email address was changed", "v-oldemail"},
		{PhoneChanged, "phone_changed_notification", "v-site v-email v-data v-phone v-oldphone", "Your phone number was changed", "v-oldphone to v-phone"},
		{IdentityLinked, "identity_linked_notification", "v-site v-email v-data v-provider", "A new sign-in method was linked to your account", "v-provider"},
		{IdentityUnlinked, "identity_unlinked_notification", "v-site v-email v-data v-provider", "A sign-in method was removed from your account", "v-provider"},
		{MFAFactorEnrolled, "mfa_factor_enrolled_notification", "v-site v-email v-data v-factor", "A new verification method was added to your account", "v-factor"},
		{MFAFactorUnenrolled, "mfa_factor_unenrolled_notification", "v-site v-email v-data v-factor", "A verification method was removed from your account", "v-factor"},
	}
	require.Len(t, tests, len(Kinds()))
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			t.Parallel()
			m := setup(t, nil)
			require.Equal(t, tt.message, tt.kind.MessageType())
			body, err := parse(tt.kind, all)
			require.NoError(t, err)
			msg := Message{Kind: tt.kind, Data: fullData()}

			subject, text, err := m.renderer.render(msg, nil, body)
			require.NoError(t, err)
			require.Equal(t, tt.subject, subject)
			require.Equal(t, tt.variables, strings.Join(strings.Fields(text), " "))

			_, text, err = m.renderer.render(msg, nil, nil)
			require.NoError(t, err)
			require.Contains(t, text, tt.inBody)
			require.Equal(t, tt.kind == Reauthentication, strings.Contains(text, "v-token"))

			_, _, err = m.renderer.render(Message{Kind: tt.kind}, nil, nil)
			require.NoError(t, err, "nothing is needed to render")
		})
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, subject, want, log string }{
		{"custom", "Welcome to {{ .SiteURL }}", "Welcome to v-site", ""},
		{"escaped", "For {{ .Data.k }}", "For it&#39;s", ""},
		{"on several lines", " a\r\n b\t", "a   b", ""},
		{"malformed", "{{ .Email", "Confirm your email address", "mail subject is malformed"},
		{"malformed as HTML", "<a href='{{ .Email }}", "Confirm your email address", "mail subject is malformed"},
		{"fails on this data", "{{ .Data.k.x.y }}", "Confirm your email address", "mail template failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := setup(t, nil, func(c *Config) { c.Subjects = map[Kind]string{Confirmation: tt.subject} })
			data := fullData()
			data.Data["k"] = "it's"
			subject, _, err := m.render(t.Context(), Message{Kind: Confirmation, Data: data})
			require.NoError(t, err)
			require.Equal(t, tt.want, subject)
			if tt.log == "" {
				require.Empty(t, m.logs.String())
			} else {
				require.Contains(t, m.logs.String(), tt.log)
			}
		})
	}
}

func TestBodiesEscapeWhatUsersWrite(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, text, err := m.renderer.render(Message{Kind: Confirmation, Data: TemplateData{
		Email: `"<script>alert(1)</script>"@x.example`, ConfirmationURL: `javascript:alert(1)`,
	}}, nil, nil)
	require.NoError(t, err)
	require.NotContains(t, text, "<script>")
	require.NotContains(t, text, "javascript:")
}

func TestConfirmationURL(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, base, path, redirect, want string }{
		{"default path", "https://a.example", "", "https://app.example", "https://a.example/verify?token=h&type=signup&redirect_to=https://app.example"},
		{"absolute path replaces the base's", "https://a.example/auth/v1", "/verify", "x", "https://a.example/verify?token=h&type=signup&redirect_to=x"},
		{"relative path", "https://a.example/auth/v1/", "verify", "x", "https://a.example/auth/v1/verify?token=h&type=signup&redirect_to=x"},
		{"URL", "https://a.example/auth/v1", "https://b.example/confirm", "x", "https://b.example/confirm?token=h&type=signup&redirect_to=x"},
		{"query and fragment are dropped", "https://a.example", "/v?a=b#c", "x", "https://a.example/v?token=h&type=signup&redirect_to=x"},
		{"redirect with &", "https://a.example", "", "https://b.example/?a&b", "https://a.example/verify?token=h&type=signup&redirect_to=https%3A%2F%2Fb.example%2F%3Fa%26b"},
		{"redirect with =", "https://a.example", "", "https://b.example/?a=b", "https://a.example/verify?token=h&type=signup&redirect_to=https%3A%2F%2Fb.example%2F%3Fa%3Db"},
		{"redirect with #", "https://a.example", "", "app://#x", "https://a.example/verify?token=h&type=signup&redirect_to=app%3A%2F%2F%23x"},
		{"redirect with ?", "https://a.example", "", "https://b.example/?a", "https://a.example/verify?token=h&type=signup&redirect_to=https://b.example/?a"},
		{"no redirect", "https://a.example", "", "", "https://a.example/verify?token=h&type=signup&redirect_to="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, ConfirmationURL(tt.base, tt.path, "h", "signup", tt.redirect))
		})
	}
}
