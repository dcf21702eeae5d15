package conf

import (
	"encoding/json"
	"regexp"
	"slices"
)

// masked stands for a secret, whatever its length.
const masked = "********"

// mask hides what is secret in a text, according to the tag "secret".
// Passwords in URLs are hidden in every text.
func mask(secret, text string) string {
	switch {
	case text == "":
		return ""
	case secret == "jwks":
		return maskKeys(text)
	case secret == "" || secret == "url":
		return maskPasswords(text)
	}
	return masked
}

// maskPasswords hides the password of URLs (RFC 3986 §3.2.1), and passwords in
// their query or in a connection string of keywords. It works on the text and
// not on a parsed URL, so that it holds for malformed ones too: everything up
// to the last @ counts as password.
func maskPasswords(text string) string {
	inAuthority := regexp.MustCompile(`(://[^:/?#\s]*:)[^\s]*@`)
	inKeywords := regexp.MustCompile(`(?i)\b((?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]*)`)
	text = inAuthority.ReplaceAllString(text, "${1}"+masked+"@")
	return inKeywords.ReplaceAllString(text, "${1}"+masked)
}

// maskKeys hides all members of JWKs but those known to be public (RFC 7517
// §4, RFC 7518 §6.2.1, §6.3.1).
func maskKeys(text string) string {
	var keys []map[string]any
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return masked
	}
	public := []string{"kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "aws:kms:arn"}
	for _, key := range keys {
		for member := range key {
			if !slices.Contains(public, member) {
				key[member] = masked
			}
		}
	}
	shown, err := json.Marshal(keys)
	if err != nil {
		return masked
	}
	return string(shown)
}
