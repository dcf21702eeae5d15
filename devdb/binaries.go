package devdb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the first PostgreSQL that has everything the product uses.
const oldestMajor = 13

// binaries is a folder with PostgreSQL's server programs.
type binaries struct {
	dir   string
	major int
}

// findOrFetch returns server binaries that the account can run: those of the
// wanted major version if there are any (0: no wish), else the first found.
func findOrFetch(ctx context.Context, opts Options, want int, as *account) (binaries, error) {
	if opts.BinDir != "" {
		bins, ok := probe(ctx, opts.BinDir, as)
		if !ok {
			return binaries{}, fmt.Errorf("devdb: no usable PostgreSQL server (initdb, postgres, version %d or later) in %s", oldestMajor, opts.BinDir)
		}
		return bins, nil
	}
	if bins, ok := find(ctx, want, as); ok {
		return bins, nil
	}
	if err := fetch(ctx, opts.Logf); err != nil {
		return binaries{}, err
	}
	bins, ok := find(ctx, want, as)
	if !ok {
		return binaries{}, fmt.Errorf("devdb: PostgreSQL was fetched, but cannot be run; %s", advice)
	}
	return bins, nil
}

func find(ctx context.Context, want int, as *account) (binaries, bool) {
	var first binaries
	seen := map[string]bool{}
	for _, dir := range append(pathFolders(ctx), systemFolders("/", fetchedFolder())...) {
		if seen[dir] {
			continue
		}
		seen[dir] = true
		bins, ok := probe(ctx, dir, as)
		if !ok {
			continue
		}
		if want == 0 || bins.major == want {
			return bins, true
		}
		if first.major == 0 {
			first = bins
		}
	}
	return first, first.major != 0
}

// pathFolders are the folders that PATH leads to. pg_config alone may come from
// a client package; probe finds out.
func pathFolders(ctx context.Context) []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	return dirs
}

// systemFolders are the folders where packages put the server below root, the
// newest version of each kind first, and then the folder of our own download.
func systemFolders(root, fetched string) []string {
	var dirs []string
	for _, pattern := range []string{
		"usr/lib/postgresql/*/bin",                            // Debian, Ubuntu
		"usr/pgsql-*/bin",                                     // Red Hat (PGDG)
		"opt/homebrew/opt/postgresql@*/bin",                   // Homebrew, Apple silicon
		"opt/homebrew/opt/postgresql/bin",                     //
		"usr/local/opt/postgresql@*/bin",                      // Homebrew, Intel
		"usr/local/opt/postgresql/bin",                        //
		"Applications/Postgres.app/Contents/Versions/*/bin",   // Postgres.app
		"usr/local/pgsql/bin",                                 // built from source
		"usr/libexec/postgresql*", "usr/bin", "usr/local/bin", // Alpine, Arch, Fedora, FreeBSD
	} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			continue // cannot be: the patterns are constants
		}
		slices.SortStableFunc(found, func(a, b string) int { return majorIn(b) - majorIn(a) })
		dirs = append(dirs, found...)
	}
	if fetched != "" {
		dirs = append(dirs, filepath.Join(fetched, "bin"))
	}
	return dirs
}

var lastNumber = regexp.MustCompile(`(\d+)[^/\d]*(?:/bin)?$`)

// majorIn returns the version number in a folder's name, 0 if it has none.
func majorIn(dir string) int {
	m := lastNumber.FindStringSubmatch(dir)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

var versionOutput = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// probe reports whether the folder holds a server that the account can run.
func probe(ctx context.Context, dir string, as *account) (binaries, bool) {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return binaries{}, false
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version")
	as.run(cmd)
	out, err := cmd.Output()
	if err != nil {
		return binaries{}, false
	}
	m := versionOutput.FindSubmatch(out)
	if m == nil {
		return binaries{}, false
	}
	major, err := strconv.Atoi(string(m[1]))
	return binaries{dir: dir, major: major}, err == nil && major >= oldestMajor
}
