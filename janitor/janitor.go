// Package janitor removes what is spent or expired, so that no request has to.
package janitor

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// interval is the time between two sweeps, grace how long an expired row stays
// to give a helpful answer to whoever comes late.
const (
	interval = time.Minute
	grace    = 5 * time.Minute
	flowLife = 24 * time.Hour
	// rounds bounds how often one turn sweeps while there is more to remove.
	rounds = 20
)

// Janitor sweeps for all replicas: whichever gets the lock.
type Janitor struct {
	DB  *storage.DB
	Log logrus.FieldLogger
	Now func() time.Time
	// CleanUp is what the project wants removed beside that, nil for nothing. It
	// is asked for each sweep, since a reload may change it.
	CleanUp func() *models.CleanUp
}

// Run sweeps until ctx is done.
func (j *Janitor) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := j.turn(ctx); err != nil && ctx.Err() == nil {
				j.Log.WithError(err).Warn("sweep failed")
			}
		}
	}
}

// turn sweeps until a batch is not full any more.
func (j *Janitor) turn(ctx context.Context) error {
	for range rounds {
		removed, err := j.Sweep(ctx)
		if err != nil || removed < models.SweepUsers {
			return err
		}
	}
	return nil
}

// Sweep removes one batch and returns its size; 0 also when another replica is
// sweeping.
func (j *Janitor) Sweep(ctx context.Context) (removed int64, err error) {
	err = j.DB.Tx(ctx, func(tx *storage.Conn) error {
		mine, err := models.TrySweepLock(tx)
		if err != nil || !mine {
			return err
		}
		now := j.Now()
		if removed, err = models.SweepAuthorizations(tx, now.Add(-grace)); err != nil {
			return err
		}
		flows, err := models.SweepFlows(tx, now.Add(-flowLife))
		removed += flows
		if err != nil || j.CleanUp == nil {
			return err
		}
		if wanted := j.CleanUp(); wanted != nil {
			n, err := wanted.Sweep(tx, now)
			removed += n
			return err
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	return removed, nil
}
