package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode"
)

var (
	reHeading = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*\s*$`)
	reAnchor  = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
)

// checkDifferences makes sure that every `difference: NAME` of a step and every
// name in the `differences` of a scenario, where the expectation deliberately is
// not what GoTrue answers, names a heading or an
// anchor of the given document.
func (s *suite) checkDifferences(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	known := anchors(string(raw))
	var problems []error
	for _, f := range s.files {
		for _, sc := range f.Scenarios {
			for _, name := range sc.Differences {
				if !known[name] {
					problems = append(problems, fmt.Errorf("%s: %s does not explain the difference %q", sc.id(), path, name))
				}
			}
			for _, st := range sc.steps {
				name := toString(st.Opt["difference"])
				if st.Opt["difference"] != nil && !known[name] {
					problems = append(problems, fmt.Errorf("%s (%s): %s does not explain the difference %q", sc.id(), st.Title, path, name))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// anchors returns the names by which a Markdown document's parts can be linked:
// the slugs of its headings, and explicit anchors.
func anchors(document string) map[string]bool {
	out := map[string]bool{}
	fenced := false
	for line := range strings.Lines(document) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		if m := reHeading.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			out[slug(m[1])] = true
		}
		for _, m := range reAnchor.FindAllStringSubmatch(line, -1) {
			out[m[1]] = true
		}
	}
	return out
}

// slug is a heading's anchor as the common renderers make it: lower case,
// spaces as hyphens, no punctuation.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
