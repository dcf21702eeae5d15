package devdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

const advice = "install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17) or give the URL of a running server"

// fetch gets server binaries: the system's package where we may install one,
// a download otherwise.
func fetch(ctx context.Context, logf func(string, ...any)) error {
	var problems []error
	if mayInstall("/") {
		logf("no PostgreSQL server found: installing the package postgresql")
		err := installPackage(ctx, "/", runQuietly)
		if err == nil {
			return nil
		}
		problems = append(problems, err)
	}
	dir := fetchedFolder()
	if dir == "" {
		problems = append(problems, errors.New("no cache folder for a download"))
	} else {
		logf("no PostgreSQL server found: downloading one to %s", dir)
		err := download(ctx, dir)
		if err == nil {
			return nil
		}
		problems = append(problems, err)
	}
	return fmt.Errorf("devdb: no PostgreSQL server found, and none could be fetched; %s: %w", advice, errors.Join(problems...))
}

// mayInstall reports whether this is Debian or one of its children, as root.
func mayInstall(root string) bool {
	if os.Geteuid() != 0 {
		return false
	}
	if _, err := os.Stat(filepath.Join(root, "etc/debian_version")); err != nil {
		return false
	}
	_, err := exec.LookPath("apt-get")
	return err == nil
}

// installPackage installs the distribution's server. Its packages would start a
// cluster of their own; the setting against that is made only if
// postgresql-common comes with us, because otherwise it is somebody's choice.
func installPackage(ctx context.Context, root string, run func(*exec.Cmd) error) error {
	apt := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=120"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return run(cmd)
	}
	settings := filepath.Join(root, "etc/postgresql-common/createcluster.conf")
	_, err := os.Stat(settings)
	ours := errors.Is(err, os.ErrNotExist)
	if err := apt("update"); err != nil {
		return err
	}
	if ours {
		if err := apt("install", "-y", "--no-install-recommends", "postgresql-common"); err != nil {
			return err
		}
		if err := appendLine(settings, "create_main_cluster = false"); err != nil {
			return err
		}
	}
	return apt("install", "-y", "--no-install-recommends", "postgresql")
}

func runQuietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, tail(out))
	}
	return nil
}

func appendLine(path, line string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n" + line + "\n")
	return errors.Join(err, f.Close())
}

// fetchedFolder is where downloaded binaries are kept. Root's must be readable
// for the user that the server runs as.
func fetchedFolder() string {
	if os.Geteuid() == 0 {
		return filepath.Join(rootData, "postgresql")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "truegrant", "postgresql")
}

// download fetches binaries into dir. The library knows no download alone: it
// is asked to run a server on throw-away data, which also proves that the
// binaries work; as root that part fails, with the binaries in place.
func download(ctx context.Context, dir string) error {
	scratch, err := os.MkdirTemp("", "truegrant-postgresql")
	if err != nil {
		return err
	}
	port, err := freePort(ctx, 0)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer func() { _ = os.RemoveAll(scratch) }()
		db := embedded.NewDatabase(embedded.DefaultConfig().
			Version(embedded.V17).
			BinariesPath(dir).
			CachePath(filepath.Join(scratch, "cache")).
			RuntimePath(filepath.Join(scratch, "run")).
			DataPath(filepath.Join(scratch, "data")).
			Port(uint32(port)). //nolint:gosec // a port number
			StartTimeout(time.Minute).
			Logger(io.Discard))
		err := db.Start()
		if err == nil {
			err = db.Stop()
		}
		done <- err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err = <-done:
	}
	if _, statErr := os.Stat(filepath.Join(dir, "bin", "initdb")); statErr == nil {
		return os.Chmod(dir, 0o755)
	}
	return fmt.Errorf("download: %w", err)
}
