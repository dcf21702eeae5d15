package devdb

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSystemFolders(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	want := []string{
		"usr/lib/postgresql/17/bin",
		"usr/lib/postgresql/15/bin",
		"usr/lib/postgresql/9.6/bin",
		"opt/homebrew/opt/postgresql@16/bin",
		"opt/homebrew/opt/postgresql@14/bin",
		"Applications/Postgres.app/Contents/Versions/17/bin",
		"Applications/Postgres.app/Contents/Versions/latest/bin",
	}
	for _, dir := range want {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o700))
	}
	for i := range want {
		want[i] = filepath.Join(root, want[i])
	}
	require.Equal(t, append(want, "/cache/bin"), systemFolders(root, "/cache"))
}

func TestProbe(t *testing.T) {
	t.Parallel()
	// Not t.TempDir: the server's user has to reach it.
	dir, err := os.MkdirTemp("", "devdb-probe")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // see above
	as, err := serverAccount()
	require.NoError(t, err)

	_, ok := probe(t.Context(), dir, as)
	require.False(t, ok, "empty folder")
	for output, want := range map[string]int{
		"postgres (PostgreSQL) 16.4 (Debian 16.4-1)": 16,
		"postgres (PostgreSQL) 18beta1":              18,
		"postgres (PostgreSQL) 9.6.24":               0,
		"something else":                             0,
	} {
		for _, name := range []string{"initdb", "postgres"} {
			script := "#!/bin/sh\necho '" + output + "'\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755)) //nolint:gosec // a program
		}
		bins, ok := probe(t.Context(), dir, as)
		require.Equal(t, want != 0, ok, output)
		if ok {
			require.Equal(t, binaries{dir: dir, major: want}, bins)
		}
	}
}

func TestInstallPackage(t *testing.T) {
	t.Parallel()
	run := func(root string) (commands []string) {
		err := installPackage(t.Context(), root, func(cmd *exec.Cmd) error {
			require.Contains(t, cmd.Env, "DEBIAN_FRONTEND=noninteractive")
			commands = append(commands, strings.Join(cmd.Args[3:], " "))
			return nil
		})
		require.NoError(t, err)
		return commands
	}

	fresh := t.TempDir()
	settings := filepath.Join(fresh, "etc/postgresql-common/createcluster.conf")
	require.Equal(t, []string{
		"update",
		"install -y --no-install-recommends postgresql-common",
		"install -y --no-install-recommends postgresql",
	}, run(fresh))
	raw, err := os.ReadFile(settings)
	require.NoError(t, err)
	require.Equal(t, "\ncreate_main_cluster = false\n", string(raw))

	require.NoError(t, os.WriteFile(settings, []byte("# mine\n"), 0o600))
	require.Equal(t, []string{"update", "install -y --no-install-recommends postgresql"}, run(fresh))
	raw, err = os.ReadFile(settings)
	require.NoError(t, err)
	require.Equal(t, "# mine\n", string(raw), "somebody's own settings stay")
}
