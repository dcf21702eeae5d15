package conf

import "errors"

// errOpenBrace: commas separate patterns first, so a list in braces falls
// apart. Such a pattern is used as if its brace were closed, as GoTrue does.
var errOpenBrace = errors.New("a brace is not closed (a comma separates patterns, also inside braces)")

// checkGlob checks the syntax of a pattern with *, **, ?, [..] and {a,b}, where
// a backslash takes the next character literally. A closing sign without an
// opening one stands for itself.
func checkGlob(pattern string) error {
	braces := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '\\':
			if i++; i == len(pattern) {
				return errors.New("it ends in a backslash")
			}
		case '[':
			length := classLength(pattern[i+1:])
			if length < 0 {
				return errors.New("a bracket is empty or not closed")
			}
			i += length
		case '{':
			braces++
		case '}':
			braces = max(0, braces-1)
		}
	}
	if braces > 0 {
		return errOpenBrace
	}
	return nil
}

// classLength returns the length of a character class up to and including its
// closing bracket; -1 if it is empty or not closed.
func classLength(text string) int {
	members := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ']' && members == 0:
			return -1
		case c == ']':
			return i + 1
		case c == '\\':
			i++
			members++
		case c == '!' && i == 0: // negation, not a member
		default:
			members++
		}
	}
	return -1
}
