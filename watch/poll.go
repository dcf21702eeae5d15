package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxFiles bounds what one look costs.
const maxFiles = 1000

// poll calls event whenever the files look different. A directory that is gone
// looks like nothing: what was read from it stays in force.
func (d *Directory) poll(ctx context.Context, event func()) {
	last := d.look()
	for {
		sleep(ctx, max(d.PollInterval, minimum))
		if ctx.Err() != nil {
			return
		}
		now := d.look()
		if now != "" && now != last {
			event()
			last = now
		}
	}
}

// look describes the files by name, size, mode and time of change. Links are
// followed, since mounted secrets are links.
func (d *Directory) look() string {
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		return ""
	}
	var seen strings.Builder
	files := 0
	for _, entry := range entries {
		if entry.IsDir() || !isConfiguration(entry.Name()) {
			continue
		}
		if files++; files > maxFiles {
			break
		}
		info, err := os.Stat(filepath.Join(d.Path, entry.Name()))
		if err != nil {
			continue
		}
		fmt.Fprintf(&seen, "%q %d %o %d\n", entry.Name(), info.Size(), info.Mode(), info.ModTime().UnixNano())
	}
	return seen.String()
}
