package devdb

import (
	"context"
	"errors"
)

// launch starts the server on the remembered port, or on another free one if
// that is taken by now.
func (c *Cluster) launch(ctx context.Context, bins binaries) error {
	const attempts = 4
	var err error
	for range attempts {
		if c.state.Port, err = freePort(ctx, c.state.Port); err != nil {
			return err
		}
		if err = c.launchOnce(ctx, bins); err == nil || ctx.Err() != nil || !errors.Is(err, errPortTaken) {
			return err
		}
		c.state.Port = 0
	}
	return err
}

func (c *Cluster) launchOnce(ctx context.Context, bins binaries) error {
	if err := c.state.save(c.opts.Dir); err != nil {
		return err
	}
	srv, err := c.place.startServer(ctx, bins, c.state.Port, c.opts.Durable)
	if err != nil {
		return err
	}
	c.server = srv
	if err := srv.waitReady(ctx, c.URL("postgres")); err != nil {
		_ = srv.stop()
		return err
	}
	if c.shared() {
		err = c.share()
	} else {
		err = srv.watchOwner()
	}
	if err != nil {
		_ = srv.stop()
	}
	return err
}
