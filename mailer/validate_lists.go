package mailer

// gmailMinLocal is the length of the shortest name at Gmail, in bytes.
const gmailMinLocal = 6

// placeholderAddresses are typed by people who do not want mail.
func placeholderAddresses() []string {
	return []string{"test@gmail.com", "example@gmail.com", "someone@gmail.com", "test@email.com"}
}

// deadHosts take no mail: reserved names (RFC 2606), misspelt ones, and some
// that stand for "none of your business".
func deadHosts() []string {
	return []string{
		"test", "example", "invalid", "local", "localhost",
		"test.com", "example.com", "example.net", "example.org",
		"gamil.com", "gamai.com", "anonymous.com", "email.com",
	}
}

// deadSuffixes are the top-level domains without mail (RFC 2606 §2, RFC 6762
// §3).
func deadSuffixes() []string {
	return []string{".test", ".example", ".invalid", ".local", ".localhost"}
}

// wellKnownHosts take mail beyond doubt, and are so common that asking the DNS
// each time would be a waste.
func wellKnownHosts() []string {
	return []string{
		"gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com",
		"live.com", "msn.com", "aol.com", "icloud.com", "me.com",
		"mac.com", "proton.me", "protonmail.com", "gmx.com", "gmx.de",
		"gmx.net", "web.de", "comcast.net", "yandex.ru", "qq.com",
	}
}
