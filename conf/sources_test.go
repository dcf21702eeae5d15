package conf

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// writeFiles makes a directory with files.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func TestPrecedence(t *testing.T) {
	const host = "GOTRUE_API_HOST="
	all := map[string]string{
		".env":         host + "dotenv\n",
		"c.env":        host + "file\n",
		"d/10.env":     host + "dir10\n",
		"d/20.json":    `{"GOTRUE_API_HOST":"dir20"}`,
		"d/30.txt":     host + "not read\n",
		"d/sub/40.env": host + "not read\n",
	}
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"environment", nil, "environment"},
		{".env over environment", []string{".env"}, "dotenv"},
		{"file over .env", []string{".env", "c.env"}, "file"},
		{"directory over file", []string{".env", "c.env", "d/10.env"}, "dir10"},
		{"later file over earlier", []string{"c.env", "d/10.env", "d/20.json", "d/30.txt", "d/sub/40.env"}, "dir20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for _, name := range tt.files {
				files[name] = all[name]
			}
			s := Sources{WorkDir: writeFiles(t, files)}
			if files["c.env"] != "" {
				s.ConfigFile = filepath.Join(s.WorkDir, "c.env")
			}
			if files["d/10.env"] != "" {
				s.ConfigDir = filepath.Join(s.WorkDir, "d")
			}
			setEnv(t, required(map[string]string{"GOTRUE_API_HOST": "environment"}))
			c, warnings, err := Load(s)
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Equal(t, tt.want, c.API.Host)
			require.Equal(t, tt.want, os.Getenv("GOTRUE_API_HOST"), "values of files are exported")
		})
	}
}

func TestReadDirPrefersJSONOfTheSameName(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"a.env": "A=env\nONLY_ENV=1", "a.json": `{"A":"json"}`,
		"b.env": "B=env", "bb.env": "BB=env", "c.json": `{"C":"json"}`,
	})
	values, err := readDir(dir)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"A": "json", "B": "env", "BB": "env", "C": "json"}, values)
}

func TestSourcesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const broken = "hush without separator"
	tests := []struct {
		name     string
		files    map[string]string
		sources  Sources
		err      string // empty: none
		warnings int
	}{
		{"no .env", nil, Sources{}, "", 0},
		{"broken .env", map[string]string{".env": broken}, Sources{}, ".env: line 1: expected NAME=value", 0},
		{"broken .env with file", map[string]string{".env": broken, "c.env": ""}, Sources{ConfigFile: "c.env"}, "", 1},
		{"no file", nil, Sources{ConfigFile: "c.env"}, "c.env: no such file or directory", 0},
		{"broken file", map[string]string{"c.env": "A=1\n\nB='hush"}, Sources{ConfigFile: "c.env"}, "line 3: quoted value is not closed", 0},
		{"JSON number", map[string]string{"c.json": `{"A":1}`}, Sources{ConfigFile: "c.json"}, "not a flat JSON object of strings", 0},
		{"JSON null", map[string]string{"c.json": `{"A":null}`}, Sources{ConfigFile: "c.json"}, "not a flat JSON object of strings", 0},
		{"JSON name", map[string]string{"c.json": `{"A=B":"x"}`}, Sources{ConfigFile: "c.json"}, "not a flat JSON object of strings", 0},
		{"no directory", nil, Sources{ConfigDir: "d"}, "", 1},
		{"no directory at reload", nil, Sources{ConfigDir: "d", RequireDir: true}, "d: no such file or directory", 0},
		{"broken directory", map[string]string{"d/a.env": "A=1", "d/b.env": broken}, Sources{ConfigDir: "d"}, "", 1},
		{"broken directory at reload", map[string]string{"d/b.env": broken}, Sources{ConfigDir: "d", RequireDir: true}, "line 1", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.sources
			s.WorkDir = writeFiles(t, tt.files)
			if s.ConfigFile != "" {
				s.ConfigFile = filepath.Join(s.WorkDir, s.ConfigFile)
			}
			if s.ConfigDir != "" {
				s.ConfigDir = filepath.Join(s.WorkDir, s.ConfigDir)
			}
			values, warnings, err := s.read()
			require.Len(t, warnings, tt.warnings)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.NotContains(t, err.Error(), "hush")
				return
			}
			require.NoError(t, err)
			require.Empty(t, values, "a broken directory is skipped as a whole")
		})
	}
}

func TestLoadReportsUnusableFiles(t *testing.T) {
	setEnv(t, required(nil))
	_, _, err := Load(Sources{WorkDir: t.TempDir(), ConfigFile: filepath.Join(t.TempDir(), "none.env")})
	require.ErrorIs(t, err, os.ErrNotExist)

	_, _, err = Load(Sources{WorkDir: writeFiles(t, map[string]string{".env": "A=\"a\x00\""})})
	require.ErrorContains(t, err, "export A")
}
