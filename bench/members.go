package main

import (
	"context"
	"fmt"
	"io"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/indexer"
)

// addMembers fills the table of users up, a minute of creation apart, and builds
// the indexes that the server would otherwise build while it is measured.
func (w *world) addMembers(ctx context.Context, p *project) error {
	for _, statement := range []string{
		`insert into users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token,
				recovery_token, email_change_token_new, email_change, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
			select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, '00000000-0000-0000-0000-000000000000',
				'authenticated', 'authenticated', 'member-' || n || '@example.com', '', created, '', '', '', '',
				'{"provider":"email","providers":["email"]}',
				jsonb_build_object('full_name', 'Member ' || n, 'email_verified', true), created, created
			  from generate_series(1, $1::int) n, lateral (select timestamptz '2020-01-01' + n * interval '1 minute') c(created)`,
		`insert into identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
			select gen_random_uuid(), id, 'email', id::text,
				jsonb_build_object('sub', id, 'email', email, 'email_verified', true), created_at, created_at
			  from users where email like 'member-%' and $1::int >= 0`,
	} {
		if _, err := w.pool.Exec(ctx, statement, w.members); err != nil {
			return fmt.Errorf("add members: %w", err)
		}
	}
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	worker := indexer.FromConf(p.config(), quiet)
	_, err := worker.Build(ctx)
	return err
}
