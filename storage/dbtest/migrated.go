package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/truegrant/truegrant/migrations"
)

// New returns a superuser's URL of a new database with the server's whole
// schema and no rows, dropped when the test ends. It is a [Clone] of a template
// that is built anew whenever a migration changes.
func New(t testing.TB) (url string) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	template, err := s.migrated(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return Clone(t, template)
}

// migrated describes the template with all migrations. They are read once per
// test binary, because they are embedded in it.
func (s *server) migrated(ctx context.Context) (Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.migrations == "" {
		fingerprint, err := s.fingerprint(ctx)
		if err != nil {
			return Template{}, fmt.Errorf("dbtest: read the migrations: %w", err)
		}
		s.migrations = fingerprint
	}
	return Template{Name: "migrated", Fingerprint: s.migrations, Migrate: migrate}, nil
}

// fingerprint is a digest of everything that migrating an empty database runs.
// The namespace asked for is one that no database has, so all of it is pending.
func (s *server) fingerprint(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pending, err := migrations.Pending(ctx, migrations.Options{URL: s.url("postgres"), Namespace: "truegrant_fingerprint"})
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, m := range pending {
		fmt.Fprintf(h, "\x00%s\x00%s\x00%s\x00%s", m.Source, m.Version, m.Name, m.SQL)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func migrate(ctx context.Context, url string) error {
	_, err := migrations.Up(ctx, migrations.Options{URL: url})
	return err
}
