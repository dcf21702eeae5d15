package conf

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Variables of mail texts may have a language at their end:
// GOTRUE_MAILER_SUBJECTS_INVITE_PT_BR. Which ones there are only the
// environment tells.

// longestLanguage limits a language tag (RFC 5646 §4.4.1).
const longestLanguage = 35

// findTranslations finds texts among the variables of the given names.
func findTranslations(names []string, value func(name string) string) []MailTranslation {
	found := map[string]*MailTranslation{}
	for _, v := range walkTranslation(nil, new(MailTranslation)) {
		for _, name := range names {
			suffix, isTranslated := strings.CutPrefix(name, v.key) // v.key ends in "_" here
			tag := languageOf(suffix)
			if !isTranslated || tag == "" {
				continue
			}
			if found[suffix] == nil {
				found[suffix] = &MailTranslation{Language: tag, suffix: suffix}
			}
		}
	}
	var translations []MailTranslation
	for _, t := range found {
		for _, v := range walkTranslation(nil, t) {
			v.raw.SetString(value(v.key))
		}
		translations = append(translations, *t)
	}
	slices.SortFunc(translations, func(a, b MailTranslation) int {
		return cmp.Or(cmp.Compare(a.Language, b.Language), cmp.Compare(a.suffix, b.suffix))
	})
	return translations
}

// languageOf returns the tag that the end of a name stands for, "" for none.
func languageOf(suffix string) string {
	if suffix != strings.ToUpper(suffix) {
		return ""
	}
	return parseLanguage(strings.ReplaceAll(suffix, "_", "-"))
}

// parseLanguage returns a language tag in its usual form, "" for what is none.
func parseLanguage(text string) string {
	if text == "" || len(text) > longestLanguage {
		return ""
	}
	tag, err := language.Parse(text)
	if err != nil || tag == language.Und {
		return ""
	}
	return tag.String()
}

// walkTranslation appends the variables of a language.
func walkTranslation(vars []variable, t *MailTranslation) []variable {
	sections := []struct {
		prefix string
		texts  *MailTexts
	}{
		{prefix + "_MAILER_SUBJECTS", &t.Subjects},
		{prefix + "_MAILER_TEMPLATES", &t.Templates},
	}
	for _, section := range sections {
		for _, v := range walk(nil, section.prefix, reflect.ValueOf(section.texts).Elem()) {
			v.key += "_" + t.suffix
			vars = append(vars, v)
		}
	}
	return vars
}
