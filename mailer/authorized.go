package mailer

import (
	"slices"
	"strings"
)

// Authorized reports whether mail may go to an address: always without a list,
// else only to those on it. Case does not matter, nor does a label: mail for
// "ada+news@example.com" may go to "ada@example.com".
func Authorized(address string, list []string) bool {
	if len(list) == 0 {
		return true
	}
	plain := address
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		local, _, _ := strings.Cut(address[:at], "+")
		plain = local + address[at:]
	}
	return slices.ContainsFunc(list, func(authorized string) bool {
		authorized = strings.TrimSpace(authorized)
		return strings.EqualFold(authorized, plain) || strings.EqualFold(authorized, address)
	})
}
