//go:build unix

package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that the server runs as when the caller is root. A nil
// account means the caller's own user; all methods accept it.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount returns nil unless the caller is root, because PostgreSQL
// refuses to run as root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is the caller's own account
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("devdb: user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("devdb: user %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("devdb: PostgreSQL does not run as root, and there is neither a user postgres nor nobody; start as an ordinary user")
}

// ownerOf returns the account that an existing data folder belongs to, else a
// itself: installing PostgreSQL creates the user postgres, but the data of the
// first start may already be nobody's.
func (a *account) ownerOf(data string) *account {
	if a == nil {
		return nil
	}
	info, err := os.Stat(data)
	if err != nil {
		return a
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 || st.Uid == a.uid {
		return a
	}
	return &account{name: strconv.FormatUint(uint64(st.Uid), 10), uid: st.Uid, gid: st.Gid}
}

// run makes a command run as the account, in a process group of its own (a
// Ctrl-C in the terminal is for us, who then stop the server in order), with a
// small environment that carries none of the caller's PG* settings.
func (a *account) run(cmd *exec.Cmd) {
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: []uint32{a.gid}}
	}
}

// give makes the account the owner of the paths.
func (a *account) give(paths ...string) error {
	if a == nil {
		return nil
	}
	for _, path := range paths {
		if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
			return fmt.Errorf("devdb: %w", err)
		}
	}
	return nil
}

// canEnter reports whether the account can pass through a folder. Asking the
// kernel in the account's name also covers what mode bits do not show.
func (a *account) canEnter(ctx context.Context, dir string) bool {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	a.run(cmd)
	return cmd.Run() == nil
}

func ownedByCaller(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(st.Uid) == int64(os.Geteuid())
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// The shutdown modes of the PostgreSQL server.
const (
	fastShutdown      = syscall.SIGINT
	immediateShutdown = syscall.SIGQUIT
)

func signal(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }
