package conf

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// errOpenQuote and the others say what is wrong in a line of a dotenv file.
// They never quote the line, which may hold a secret.
var (
	errOpenQuote  = errors.New("quoted value is not closed")
	errAfterQuote = errors.New("unexpected text after a quoted value")
	errSeparator  = errors.New("expected NAME=value")
	errName       = errors.New("a name consists of letters, digits, '_' and '.'")
)

// parseDotenv reads the dotenv syntax of GoTrue: lines NAME=value or
// NAME: value, optionally after "export". Nothing is expanded: $VAR stays.
// A name given twice has its last value.
func parseDotenv(text string) (map[string]string, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	rest := strings.ReplaceAll(text, "\r\n", "\n")
	values := map[string]string{}
	for line := 1; rest != ""; {
		name, value, after, err := parseAssignment(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if name != "" {
			values[name] = value
		}
		line += strings.Count(rest[:len(rest)-len(after)], "\n")
		rest = after
	}
	return values, nil
}

// parseAssignment reads one line, or several if a quoted value spans them, and
// returns what follows. The name of a blank line or comment is empty.
func parseAssignment(text string) (name, value, rest string, err error) {
	line, rest, _ := strings.Cut(text, "\n")
	if content := strings.TrimSpace(line); content == "" || content[0] == '#' {
		return "", "", rest, nil
	}
	end := strings.IndexAny(line, "=:")
	if end < 0 {
		return "", "", "", errSeparator
	}
	if name, err = parseName(line[:end]); err != nil {
		return "", "", "", err
	}
	start := strings.TrimLeft(line[end+1:], blanks)
	if start != "" && (start[0] == '\'' || start[0] == '"') {
		value, rest, err = parseQuoted(text[len(line)-len(start):])
		return name, value, rest, err
	}
	return name, parsePlain(line[end+1:]), rest, nil
}

const blanks = " \t\v\f\r"

func parseName(text string) (string, error) {
	name := strings.TrimSpace(text)
	if after, found := strings.CutPrefix(name, "export"); found && after != strings.TrimLeft(after, blanks) {
		name = strings.TrimLeft(after, blanks)
	}
	isOther := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '.'
	}
	if name == "" || strings.ContainsFunc(name, isOther) {
		return "", errName
	}
	return name, nil
}

// parsePlain trims an unquoted value and cuts its comment, which starts at the
// last # after white space.
func parsePlain(text string) string {
	for i := len(text) - 1; i > 0; i-- {
		if text[i] == '#' && strings.ContainsRune(blanks, rune(text[i-1])) {
			text = text[:i]
			break
		}
	}
	return strings.ReplaceAll(strings.TrimSpace(text), `\$`, `$`)
}

// parseQuoted reads the quoted value that text starts with, and the rest of
// its last line.
func parseQuoted(text string) (value, rest string, err error) {
	if text[0] == '\'' {
		var closed bool
		if value, rest, closed = strings.Cut(text[1:], "'"); !closed {
			return "", "", errOpenQuote
		}
	} else if value, rest, err = parseDouble(text[1:]); err != nil {
		return "", "", err
	}
	line, rest, _ := strings.Cut(rest, "\n")
	if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
		return "", "", errAfterQuote
	}
	return value, rest, nil
}

// parseDouble reads up to the closing double quote. A backslash makes n and r
// line ends, and any other character itself.
func parseDouble(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) {
				return "", "", errOpenQuote
			}
			b.WriteByte(unescape(text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errOpenQuote
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	}
	return c
}
