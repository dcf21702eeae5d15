package devdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// ErrInUse means that another process runs a cluster in the same folder and
// does not share it.
var ErrInUse = errors.New("devdb: another process is using this folder")

// Options say where a cluster lives and how it behaves.
type Options struct {
	// Dir is the cluster's folder. It is created if missing, and reused with its
	// data if a cluster is there. It should hold nothing else. Required.
	Dir string
	// Durable keeps what was committed through a crash. Without it the cluster
	// runs with fsync, synchronous_commit and full_page_writes off and accepts
	// 300 connections, which is what tests want.
	Durable bool
	// Linger makes the cluster shared: Start attaches to the cluster that runs
	// in Dir, if any, and the cluster stops this long after the last process
	// that uses it has stopped or ended. Whole seconds. Zero means not shared.
	Linger time.Duration
	// Fresh throws the data of earlier runs away when there is a server to start.
	// For test clusters: without Durable a crash of the machine can leave damaged
	// data, and killed tests leave their databases.
	Fresh bool
	// BinDir is the folder of the server binaries (initdb, postgres). Empty means
	// that they are looked for, and fetched if there are none.
	BinDir string
	// Logf is told what takes time: a download, an installation, the first
	// start. Nil means silence. It is never given a secret.
	Logf func(format string, args ...any)
}

// Cluster is a running PostgreSQL cluster.
type Cluster struct {
	opts  Options
	place place
	state state

	server *server // nil when attached to a cluster that another process started
	lock   *folderLock
	lease  *lease
	once   sync.Once
	err    error
}

// Start runs the cluster of opts.Dir, creating it if there is none, and returns
// when it accepts connections. Stop ends it. The context bounds the start only.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	where, err := preparePlace(ctx, opts.Dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(ctx, opts.Dir, opts.Linger > 0)
	if err != nil {
		return nil, err
	}
	c := &Cluster{opts: opts, place: where, lock: lock}
	if err := c.start(ctx); err != nil {
		lock.release()
		return nil, err
	}
	if c.shared() {
		lock.release() // a shared cluster holds the lock only while it starts
	}
	return c, nil
}

// Reset stops the cluster of the folder, if one runs there that no living
// process owns, and removes the folder with all data. A folder that does not
// exist is fine. [ErrInUse] if another process owns the cluster.
func Reset(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	lock, err := lockFolder(ctx, dir, false)
	if err != nil {
		return err
	}
	defer lock.release()
	where, err := locate(dir)
	if err != nil {
		return err
	}
	if err := where.stopRunning(ctx); err != nil {
		return err
	}
	return where.remove()
}

// URL returns the superuser's URL of a database, with the password. An empty
// name gives a URL without database.
func (c *Cluster) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.state.Password),
		Host:     "127.0.0.1:" + strconv.Itoa(c.state.Port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop ends the cluster: open transactions are rolled back, the data is kept.
// Of a shared cluster only this process's use ends. Further calls do nothing
// and return what the first one did.
func (c *Cluster) Stop() error {
	c.once.Do(func() {
		if c.lease != nil {
			c.lease.end()
		}
		if !c.shared() {
			c.err = c.server.stop()
			c.lock.release()
		}
	})
	return c.err
}

func (c *Cluster) shared() bool { return c.opts.Linger > 0 }

// start runs under the folder's lock.
func (c *Cluster) start(ctx context.Context) error {
	known, err := loadState(c.opts.Dir)
	if err != nil {
		return err
	}
	c.state = known
	if c.shared() {
		attached, err := c.attach(ctx)
		if err != nil || attached {
			return err
		}
	} else if c.place.leased() && c.place.running() != 0 {
		return fmt.Errorf("%w: a shared cluster runs in %s", ErrInUse, c.opts.Dir)
	}
	// Whatever still runs here was left behind: we hold the lock.
	if err := c.place.stopRunning(ctx); err != nil {
		return err
	}
	bins, err := c.prepareData(ctx)
	if err != nil {
		return err
	}
	return c.launch(ctx, bins)
}

// prepareData finds the binaries and makes sure that there is a data folder
// which they can serve.
func (c *Cluster) prepareData(ctx context.Context) (binaries, error) {
	have := c.place.dataMajor()
	if c.opts.Fresh {
		have = 0
	}
	bins, err := findOrFetch(ctx, c.opts, have, c.place.user)
	if err != nil {
		return binaries{}, err
	}
	if have != 0 && have != bins.major {
		if c.opts.Durable {
			return binaries{}, fmt.Errorf("devdb: the data in %s was written by PostgreSQL %d, and only %d is installed (%s)",
				c.opts.Dir, have, bins.major, bins.dir)
		}
		have = 0 // test data: start again
	}
	if have != 0 && c.state.Password != "" {
		return bins, nil
	}
	if have != 0 && c.opts.Durable {
		return binaries{}, fmt.Errorf("devdb: %s is missing although there is data; reset the database",
			filepath.Join(c.opts.Dir, stateFile))
	}
	c.opts.Logf("creating a PostgreSQL %d cluster in %s", bins.major, c.place.data)
	c.state = state{Password: rand.Text(), Data: c.place.data}
	if err := c.place.initdb(ctx, bins, c.state.Password, c.opts.Durable); err != nil {
		return binaries{}, err
	}
	return bins, c.state.save(c.opts.Dir)
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("devdb: Options.Dir is empty")
	}
	if o.Linger != o.Linger.Truncate(time.Second) {
		return o, errors.New("devdb: Options.Linger must be whole seconds")
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("devdb: %w", err)
	}
	o.Dir = dir
	return o, nil
}
