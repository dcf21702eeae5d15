package conf

import (
	"path"
	"slices"
)

// warnUnknown warns of names with our prefix that are not read: most likely
// they are misspelled.
func warnUnknown(r *report, names, known []string) {
	slices.Sort(names)
	for _, name := range names {
		if _, found := slices.BinarySearch(known, name); found {
			continue
		}
		if hint := hintFor(name); hint != "" {
			r.warn(name, "is not read: %s", hint)
		} else if close := closest(name, known); close != "" {
			r.warn(name, "is not read; did you mean %s?", close)
		} else {
			r.warn(name, "is not read: there is no such setting")
		}
	}
}

// hintFor explains names that look real: they occur in example files, or
// spell a name as one would expect it.
func hintFor(name string) string {
	const internal = "it names an internal field of GoTrue"
	hints := []struct{ pattern, hint string }{
		{"GOTRUE_DB_AUTOMIGRATE", "migrations run unless the sub-command is serve"},
		{"GOTRUE_DB_NAMESPACE", "the variable is DB_NAMESPACE"},
		{"GOTRUE_DATABASE_URL", "the variable is DATABASE_URL"},
		{"GOTRUE_API_EXTERNAL_URL", "the variable is API_EXTERNAL_URL"},
		{"GOTRUE_PORT", "the variable is PORT or GOTRUE_API_PORT"},
		{"GOTRUE_RP_ID", "the variable is RP_ID or GOTRUE_WEBAUTHN_RP_ID"},
		{"GOTRUE_SESSION_KEY", "there are no cookie sessions"},
		{"GOTRUE_COOKIE_*", "there are no cookie settings"},
		{"GOTRUE_MAX_VERIFIED_FACTORS", "the variable is GOTRUE_MFA_MAX_VERIFIED_FACTORS"},
		{"GOTRUE_EXTERNAL_SAML_*", "SAML is configured by GOTRUE_SAML_*"},
		{"GOTRUE_HOOK_CUSTOM_SMS_PROVIDER_*", "the hook is GOTRUE_HOOK_SEND_SMS_*"},
		{"GOTRUE_HOOK_*_SECRET", "the variable ends in _SECRETS"},
		{"GOTRUE_RELOADING_POLLER_ENABLED", "the variable is GOTRUE_RELOADING_POLLERENABLED"},
		{"GOTRUE_EXTERNAL_REDIRECT_URL", "the variable is GOTRUE_EXTERNAL_REDIRECTURL"},
		{"GOTRUE_*SMSTEMPLATE*", internal},
		{"GOTRUE_HOOK_*HOOKNAME", internal},
		{"GOTRUE_SAML_CERTIFICATE*", internal},
		{"GOTRUE_SAML_RSA*", internal},
		{"GOTRUE_URIALLOWLISTMAP", internal},
		{"GOTRUE_JWT_SIGNINGKEY", internal},
	}
	for _, h := range hints {
		if matched, _ := path.Match(h.pattern, name); matched {
			return h.hint
		}
	}
	return ""
}

// closest returns the known name with the fewest edits, if they are few
// enough for a misspelling.
func closest(name string, known []string) string {
	best, bestDistance := "", max(2, len(name)/6)+1
	for _, candidate := range known {
		if d := editDistance(name, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// editDistance counts the insertions, removals and replacements of bytes that
// turn a into b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
