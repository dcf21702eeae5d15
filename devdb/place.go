package devdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	superuser = "postgres"
	stateFile = "state.json"
	// rootData is where root's clusters keep their data if the server's user
	// cannot reach their folder.
	rootData = "/var/lib/truegrant-devdb"
)

// state is what a cluster remembers from run to run.
type state struct {
	Port     int    `json:"port"`
	Password string `json:"password"`
	Data     string `json:"data"` // absolute path of the data folder
}

func loadState(dir string) (state, error) {
	var s state
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("devdb: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("devdb: %s: %w", filepath.Join(dir, stateFile), err)
	}
	return s, nil
}

func (s state) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	path := filepath.Join(dir, stateFile)
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	return nil
}

// place is where a cluster lives and as whom it runs.
type place struct {
	dir  string // Options.Dir: state, lock, lease and log; belongs to the caller
	data string // PostgreSQL's data folder; belongs to user
	user *account
}

// locate finds the place of an existing folder without changing anything.
func locate(dir string) (place, error) {
	user, err := serverAccount()
	if err != nil {
		return place{}, err
	}
	known, err := loadState(dir)
	if err != nil {
		return place{}, err
	}
	if known.Data == "" {
		known.Data = filepath.Join(dir, "data")
	}
	return place{dir: dir, data: known.Data, user: user.ownerOf(known.Data)}, nil
}

// preparePlace creates the folder if needed and decides where the data goes:
// below it, unless the server has to run as a user who cannot get there.
func preparePlace(ctx context.Context, dir string) (place, error) {
	if err := makeFolder(dir); err != nil {
		return place{}, err
	}
	p, err := locate(dir)
	if err != nil || p.user == nil {
		return p, err
	}
	if p.data != filepath.Join(dir, "data") || p.user.canEnter(ctx, dir) {
		return p, nil
	}
	if err := os.MkdirAll(rootData, 0o755); err != nil {
		return place{}, fmt.Errorf("devdb: user %s cannot reach %s, and there is no other place for the data: %w", p.user.name, dir, err)
	}
	sum := sha256.Sum256([]byte(dir))
	p.data = filepath.Join(rootData, hex.EncodeToString(sum[:8]))
	if !p.user.canEnter(ctx, rootData) {
		return place{}, fmt.Errorf("devdb: running as root, and user %s can reach neither %s nor %s; start as an ordinary user",
			p.user.name, dir, rootData)
	}
	return p, nil
}

// makeFolder creates the cluster's folder, private except that root lets the
// server's user pass through. A folder that exists must be the caller's own,
// because a temporary folder may hold one that somebody else prepared.
func makeFolder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	err := os.Mkdir(dir, mode)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("devdb: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	if !info.IsDir() || !ownedByCaller(info) || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("devdb: %s must be a folder that belongs to you and that nobody else can write to", dir)
	}
	return nil
}

// dataMajor returns the major version that wrote the data, 0 if there is none.
func (p place) dataMajor() int {
	raw, err := os.ReadFile(filepath.Join(p.data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0
	}
	return major
}

// initdb creates the data folder. It works on a side folder and renames it, so
// that an interrupted run leaves nothing that looks complete.
func (p place) initdb(ctx context.Context, bins binaries, password string, durable bool) error {
	fresh := p.data + ".new"
	pwfile := p.data + ".pw"
	defer func() { _ = os.Remove(pwfile) }()
	for _, path := range []string{fresh, p.data, pwfile} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("devdb: %w", err)
		}
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	if err := os.WriteFile(pwfile, []byte(password+"\n"), 0o600); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	if err := p.user.give(fresh, pwfile); err != nil {
		return err
	}
	args := []string{
		"-D", fresh, "-U", superuser, "-E", "UTF8", "--locale=C",
		"-A", "scram-sha-256", "--pwfile=" + pwfile,
	}
	if !durable {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bins.dir, "initdb"), args...)
	p.user.run(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("devdb: initdb: %w\n%s", err, tail(out))
	}
	if err := os.Rename(fresh, p.data); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	return nil
}

func (p place) remove() error {
	for _, path := range []string{p.data, p.data + ".new", p.data + ".pw", p.dir} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("devdb: %w", err)
		}
	}
	return nil
}

// tail returns the end of a tool's output: what an error message has room for.
func tail(out []byte) string {
	const most = 2000
	if len(out) > most {
		out = out[len(out)-most:]
	}
	return strings.TrimSpace(string(out))
}
