//go:build !unix

package devdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
)

var errUnsupported = errors.New("devdb: not available on this system; give the URL of a PostgreSQL server instead")

type account struct {
	name     string
	uid, gid uint32
}

func serverAccount() (*account, error) { return nil, errUnsupported }

func (a *account) ownerOf(string) *account { return a }

func (a *account) run(*exec.Cmd) {}

func (a *account) give(...string) error { return errUnsupported }

func (a *account) canEnter(context.Context, string) bool { return false }

func ownedByCaller(os.FileInfo) bool { return true }

func alive(int) bool { return false }

const (
	fastShutdown      = syscall.SIGINT
	immediateShutdown = syscall.SIGQUIT
)

func signal(int, syscall.Signal) error { return errUnsupported }

type folderLock struct{}

func lockFolder(context.Context, string, bool) (*folderLock, error) { return nil, errUnsupported }

func (l *folderLock) release() {}
