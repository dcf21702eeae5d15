package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/sirupsen/logrus"
)

// Directory watches the *.env and *.json files of a directory.
type Directory struct {
	Path string
	// Notify uses notifications of the file system. Poll looks at the files
	// every PollInterval where there are none.
	Notify, Poll bool
	PollInterval time.Duration
	// Signals count as changes; it may be nil.
	Signals <-chan os.Signal
	// Grace is how long the files have to be quiet before a change is told,
	// and how often a directory that is gone is looked for.
	Grace time.Duration
	Log   logrus.FieldLogger
}

// minimum keeps loops that wait for the operator from being busy.
const minimum = time.Second

var errNoNotifications = errors.New("notifications are off")

// Run calls changed after each change, until ctx is done. Calls do not overlap.
func (d *Directory) Run(ctx context.Context, changed func()) {
	events := make(chan struct{}, 1)
	go d.follow(ctx, func() { tell(events) })
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			quiet = time.After(d.Grace)
		case <-d.Signals:
			quiet = time.After(d.Grace)
		case <-quiet:
			quiet = nil
			changed()
		}
	}
}

// tell leaves a message unless there is one already.
func tell(events chan<- struct{}) {
	select {
	case events <- struct{}{}:
	default:
	}
}

// follow calls event for each change until ctx is done, whatever happens to the
// directory meanwhile.
func (d *Directory) follow(ctx context.Context, event func()) {
	for again := false; ctx.Err() == nil; again = true {
		err := d.notifications(ctx, event, again)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errNoNotifications) && !d.Poll:
			return
		case err != nil && d.Poll && !errors.Is(err, fs.ErrNotExist):
			d.poll(ctx, event)
			return
		}
		d.Log.WithError(err).Warn("the configuration directory cannot be watched for now")
		sleep(ctx, max(d.Grace, minimum))
	}
}

// notifications calls event for each notification until ctx is done or the
// directory is gone. A directory that has come back counts as a change.
func (d *Directory) notifications(ctx context.Context, event func(), again bool) error {
	if !d.Notify {
		return errNoNotifications
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Close() }() // nothing depends on it any more
	if err := watcher.Add(d.Path); err != nil {
		return err
	}
	if again {
		event()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			// Some events are lost, so anything may have changed.
			d.Log.WithError(err).Warn("notification of changes failed")
			event()
		case e := <-watcher.Events:
			if d.itself(e) {
				event()
				return fs.ErrNotExist
			}
			if relevant(e) {
				event()
			}
		}
	}
}

// itself tells that the directory was removed or is called otherwise now.
func (d *Directory) itself(e fsnotify.Event) bool {
	return filepath.Clean(e.Name) == filepath.Clean(d.Path) && (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename))
}

// mountedData is the link that Kubernetes turns to new content: the files of a
// ConfigMap or Secret are links into it, which never change themselves.
const mountedData = "..data"

// relevant leaves changes of permissions out, and files that are not read.
func relevant(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	return e.Op != fsnotify.Chmod && (isConfiguration(name) || name == mountedData)
}

func isConfiguration(name string) bool {
	return filepath.Ext(name) == ".env" || filepath.Ext(name) == ".json"
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
