package conf

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseDotenv(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       map[string]string
	}{
		{"empty", "", map[string]string{}},
		{"blank and comment", "\n  \n# A=1\n\t#B=2\n", map[string]string{}},
		{"plain", "A=1\nB=2", map[string]string{"A": "1", "B": "2"}},
		{"last one wins", "A=1\nA=2\n", map[string]string{"A": "2"}},
		{"byte order mark", "\ufeffA=1", map[string]string{"A": "1"}},
		{"CRLF", "A=1\r\n\r\nB='x\r\ny'\r\n", map[string]string{"A": "1", "B": "x\ny"}},
		{"colon", "A: b:c=d", map[string]string{"A": "b:c=d"}},
		{"export", "export A=1\n export  B = 2 \nexport=3\nexported=4", map[string]string{"A": "1", "B": "2", "export": "3", "exported": "4"}},
		{"names", "a.b_C9=1", map[string]string{"a.b_C9": "1"}},
		{"trimmed", "  A =  b c  ", map[string]string{"A": "b c"}},
		{"empty value", "A=\nB=2", map[string]string{"A": "", "B": "2"}},
		{"hash without space", "A=b#c", map[string]string{"A": "b#c"}},
		{"comment", "A=b # c", map[string]string{"A": "b"}},
		{"last hash after space", "A=b # c # d", map[string]string{"A": "b # c"}},
		{"comment only", "A= # c", map[string]string{"A": ""}},
		{"no expansion", "A=1\nB=$A ${A}\nC=\"$A\"\nD='$A'", map[string]string{"A": "1", "B": "$A ${A}", "C": "$A", "D": "$A"}},
		{"escaped dollar", `A=\$x\n`, map[string]string{"A": `$x\n`}},
		{"single quotes are raw", `A='a\n"#\' # c`, map[string]string{"A": `a\n"#\`}},
		{"double quotes", `A="a\n\r\t\"\\\$'# b" # c`, map[string]string{"A": "a\n\rt\"\\$'# b"}},
		{"several lines", "A=\"x\ny\"\nB='p\n\nq'\nC=3", map[string]string{"A": "x\ny", "B": "p\n\nq", "C": "3"}},
		{"quote inside", `A=it's`, map[string]string{"A": "it's"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseDotenv(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseDotenvErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"A":                 "line 1: expected NAME=value",
		"A=1\n=2":           "line 2: a name consists of",
		"A B=1":             "line 1: a name consists of",
		"A-B=1":             "line 1: a name consists of",
		"A=\"x\ny\"\nB":     "line 3: expected NAME=value",
		"A='x":              "line 1: quoted value is not closed",
		"A=\"x\\\"":         "line 1: quoted value is not closed",
		`A="x\`:             "line 1: quoted value is not closed",
		"A='it''s'":         "line 1: unexpected text after a quoted value",
		"A=1\n\nB=\"x\" yz": "line 3: unexpected text after a quoted value",
	} {
		_, err := parseDotenv(text)
		require.ErrorContains(t, err, want, text)
	}
}

// FuzzParseDotenv checks that what was read, written in double quotes, is read
// as the same.
func FuzzParseDotenv(f *testing.F) {
	for _, seed := range []string{"A=1", "export A: 'x\ny' # c\nB=\"\\n\"", "A=b # c\r\n", "A=\\$", "\ufeff#\nA=\"", "=", "A='x' y"} {
		f.Add(seed)
	}
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseDotenv(text)
		if err != nil {
			require.Nil(t, values)
			return
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(values)) {
			require.NotEmpty(t, name)
			b.WriteString(name + `="` + escape.Replace(values[name]) + "\"\n")
		}
		again, err := parseDotenv(b.String())
		require.NoError(t, err)
		require.Equal(t, values, again)
	})
}
