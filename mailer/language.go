package mailer

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// longestTag limits what is read as a language tag (RFC 5646 §4.4.1).
const longestTag = 35

// languages finds the language of a mail among those that its kind is written
// in.
type languages struct {
	offers map[Kind]offer
}

// offer is what a kind is written in.
type offer struct {
	names    []string // as in Config, "" for the texts without a language
	matcher  language.Matcher
	fallback string
}

// newLanguages sorts the translations by kind. Tags that are malformed are left
// out; the configuration has refused them.
func newLanguages(translations map[string]Texts, fallback string) languages {
	l := languages{make(map[Kind]offer)}
	for _, kind := range Kinds() {
		o := offer{}
		var tags []language.Tag
		for _, name := range slices.Sorted(maps.Keys(translations)) {
			texts := translations[name]
			tag, err := language.Parse(name)
			if err == nil && (texts.Subjects[kind] != "" || texts.Templates[kind] != "") {
				o.names, tags = append(o.names, name), append(tags, tag)
			}
		}
		if len(o.names) == 0 {
			continue
		}
		if slices.Contains(o.names, fallback) {
			o.fallback = fallback
		} else if tag, err := language.Parse(fallback); err == nil {
			// The texts without a language are in this one.
			o.names, tags = append(o.names, ""), append(tags, tag)
		}
		o.matcher = language.NewMatcher(tags)
		l.offers[kind] = o
	}
	return l
}

// choose returns the language for a user: the best for what the metadata asks
// for, else the project's. Only languages that are as good as the same count:
// nobody gets Russian for Ukrainian.
func (l languages) choose(kind Kind, metadata map[string]any) string {
	o, found := l.offers[kind]
	if !found {
		return ""
	}
	if wanted := preferences(metadata); len(wanted) > 0 {
		if _, i, confidence := o.matcher.Match(wanted...); confidence >= language.High {
			return o.names[i]
		}
	}
	return o.fallback
}

// preferences are the languages that a user's metadata names, in the members
// that apps and identity providers use for it. Who writes them may write
// anything.
func preferences(metadata map[string]any) []language.Tag {
	var tags []language.Tag
	for _, member := range []string{"locale", "lang", "language"} {
		text, _ := metadata[member].(string)
		text, _, _ = strings.Cut(text, ".") // de_DE.UTF-8
		if text == "" || len(text) > longestTag {
			continue
		}
		if tag, err := language.Parse(text); err == nil && tag != language.Und {
			tags = append(tags, tag)
		}
	}
	return tags
}
