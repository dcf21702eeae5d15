package password

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is found stands in the answer with a count, and a range is read to its
// end: with a line that is none, nothing is found.
func FuzzFindSuffix(f *testing.F) {
	const suffix = "2DC183F740EE76F27B78EB39C8AD972A757"
	f.Add(suffix + ":1\r\n")
	f.Add(suffix + ":0\r\n" + suffix + ":7")
	f.Add("<html>")
	f.Add("")
	f.Add(strings.Repeat("0", 35) + ":1\n\n")
	f.Fuzz(func(t *testing.T, answer string) {
		found, err := findSuffix(strings.NewReader(answer), suffix)
		if err != nil {
			require.False(t, found)
		}
		if found {
			require.Contains(t, strings.ToUpper(answer), suffix+":")
		}
		again, err := findSuffix(strings.NewReader(answer+"\nx"), suffix)
		require.Error(t, err)
		require.False(t, again)
	})
}
